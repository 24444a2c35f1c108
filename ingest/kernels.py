"""Ingest's compiled kernels: how they are made, and when they may be used.

Nobody waits for them. `start` loads them in a thread; what is compiled already is there in a moment. On a cold cache
a second process, `python -m ingest.kernels`, compiles them first, so that the service keeps its interpreter lock;
until then the definitions in Python serve. Where the cache folder cannot be written, the thread compiles for this
process alone.
"""

from __future__ import annotations

import atexit
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

from devices.kernel_cache import cache_folder, cacheable

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_LAST = "kernel.decode-*.nbi"
"""Numba's file of the kernel that is compiled last: where it is, the others are."""
_ready, _begun, _lock = threading.Event(), threading.Event(), threading.Lock()


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first use, keep it on disk, run without the interpreter lock; integers divide as in C."""
    return _compiled(function, inline=False)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A small part of a kernel, put into it whole: a call would cost as much as what it does."""
    return _compiled(function, inline=True)


def _compiled(function: Callable[P, R], *, inline: bool) -> Callable[P, R]:
    kept = cacheable()  # tells numba where, so it comes before the import
    import numba

    # Kernels make no arrays, so nothing in them needs numba's reference counts (_nrt): two thirds of the time.
    options: dict[str, Any] = {
        "cache": kept,
        "nogil": True,
        "error_model": "numpy",
        "forceinline": inline,
        "_nrt": False,
    }
    return cast("Callable[P, R]", numba.njit(**options)(function))


def ready() -> bool:
    """Whether the kernels are compiled and loaded: else use the definition."""
    return _ready.is_set()


def start() -> None:
    """Begin to load or compile them, if nobody has begun. Returns at once."""
    with _lock:
        if not _begun.is_set():
            _begun.set()
            threading.Thread(target=_run, name="ingest kernels", daemon=True).start()


def wait(seconds: float = 300.0) -> bool:
    """Start, and wait until they are ready; False if that took too long (tests, benchmarks)."""
    start()
    return _ready.wait(seconds)


def _run() -> None:
    try:
        if cacheable() and not any(cache_folder().rglob(_LAST)):
            _compile_aside()
        load()
    except Exception:
        log.warning("the fast decoder cannot be compiled; the slow one serves", exc_info=True)
    else:
        _ready.set()


def _compile_aside() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "ingest.kernels"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # what goes wrong there goes wrong again here, and is told
        start_new_session=True,  # Ctrl-C at the terminal is the service's affair
    )
    atexit.register(child.kill)
    child.wait()
    atexit.unregister(child.kill)


def load() -> None:
    """Compile every kernel for the types it is used with, or load it."""
    from devices.readings import Readings
    from ingest import line_kernel, newest_kernel
    from ingest.decode import passes, tables
    from ingest.session import packets_kernel

    packets_kernel.run(np.zeros(2, np.uint8), 0, 2, np.zeros(0, np.uint8))
    none = Readings.empty()
    newest_kernel.advance(
        none.channel, none.ts, none.rev, np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.bool_)
    )
    line_kernel.encode(none, np.zeros(0, np.bool_), line_kernel.build([], [], [], []))
    passes.run(b"", 5, 0, 0, (0, 0), tables.build((), 0))


if __name__ == "__main__":
    os.nice(10)  # the service comes first
    load()
