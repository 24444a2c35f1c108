"""How a kernel is compiled, and the columns all kernels share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar, cast

from devices.kernel_cache import cacheable

_KEPT = cacheable()  # tells numba where, so it comes first

import numba  # noqa: E402

from scoring.windows.collector import let_collector_rest  # noqa: E402
from scoring.windows.parts import PART  # noqa: E402

let_collector_rest()

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first use, keep it on disk, run without the interpreter lock; integers divide as in Python.

    It makes no arrays, so it does without numba's reference counts: they were half of the time of small kernels.
    """
    return _compiled(function)


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a part that kernels alone call: nothing of its own is made or kept (`scoring.windows.parts`)."""
    return _compiled(function, **_NO_WAY_IN)


def allocating(function: Callable[P, R]) -> Callable[P, R]:
    """A part that makes arrays of its own."""
    return _compiled(function, **_NO_WAY_IN, _nrt=True)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A large part that one kernel calls at one place: put into it before that is compiled, instead of both."""
    return cast("Callable[P, R]", numba.njit(cache=_KEPT, inline="always")(function))


_NO_WAY_IN: Final[dict[str, Any]] = {
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "cache": False,
    "pipeline_class": PART,
}


def _compiled(function: Callable[P, R], *, _nrt: bool = False, **more: Any) -> Callable[P, R]:
    options: dict[str, Any] = {"cache": _KEPT, "nogil": True, "error_model": "numpy", "_nrt": _nrt, **more}
    return cast("Callable[P, R]", numba.njit(**options)(function))


# Columns of one sum: what a span, a minute or an hour of one channel holds.
HIGH: Final = 0  # exact total = HIGH * 2**32 + LOW: steps, or steps x ms for rates and levels
LOW: Final = 1
COVERED: Final = 2  # ms covered by readings
ESTIMATED: Final = 3  # of these, ms inside a counter pair longer than max_gap
SPIKES: Final = 4  # readings left out as spikes
RESETS: Final = 5  # counter pairs taken as a reset
BAD_RISES: Final = 6  # counter pairs that rose too fast: counted as nothing
OUT_OF_RANGE: Final = 7  # readings out of range
LETTERS: Final = 8  # readings with an HJ 212 letter that is not valid (other than N and S, unless a regime says so)
CONFLICTS: Final = 9  # readings that lost to another one of the same key
COLUMNS: Final = 10

AMOUNT: Final = 0  # devices.plant.model.Kind, as the kernels read it
COUNTER: Final = 1
RATE: Final = 2
LEVEL: Final = 3

MINUTE: Final = 60_000
HOUR: Final = 3_600_000

# State bits of one kept reading.
BAD_LETTER: Final = 1  # HJ 212 letter that does not count as valid under the channel's regime
OUTSIDE: Final = 2  # out of range: never scored
LEFT_OUT: Final = 4  # counter: a spike, or inside a run of equal values of which an end is a spike
SPIKE: Final = 8  # counter: left out as a spike
SOLID: Final = 16  # counter: readings between this and the one before were thinned out; the time is not estimated
LETTER: Final = 5  # from this bit on: place of the letter in devices.plant.flags.LETTERS; unknown ones are a fault, D
