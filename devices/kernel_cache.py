"""Where compiled kernels are kept. Both engines compile; neither knows the other.

The results lie in the user's cache folder (`NUMBA_CACHE_DIR` names another), as a wheel's own folder is
often not writable; there, in a folder of this version of the kernels alone: numba looks whether a kernel's own file
has changed, not at those of the kernels that went into it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path


def cache_folder() -> Path:
    """Where compiled kernels are kept; numba is told so. To be called before its import."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    base = home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
    usual = Path(os.environ.get("XDG_CACHE_HOME") or base) / "greengauge" / "kernels"
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or usual)
    if folder.name != source_digest():
        folder /= source_digest()
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder


@cache
def source_digest() -> str:
    """Of every file that compiles something, and of what they share."""
    digest = hashlib.sha256()
    rooms = Path(__file__).parents[1]
    for file in sorted(f for room in ("ingest", "scoring") for f in (rooms / room).rglob("*.py")):
        source = file.read_bytes()
        if b"kernel" in source:
            digest.update(file.name.encode() + source)
    return digest.hexdigest()[:16]


def cacheable() -> bool:
    """Whether the cache folder can be written: else kernels are compiled for this process alone."""
    folder = cache_folder()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK | os.X_OK)
