"""Where compiled kernels are kept. Both engines compile; neither knows the other.

The results lie in the user's cache folder (`NUMBA_CACHE_DIR` names another), as a wheel's own folder is
often not writable.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


def cache_folder() -> Path:
    """Where compiled kernels are kept; numba is told so, unless the user has chosen. To be called before its import."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    base = home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
    folder = Path(os.environ.get("XDG_CACHE_HOME") or base) / "greengauge" / "kernels"
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder


def cacheable() -> bool:
    """Whether the cache folder can be written: else kernels are compiled for this process alone."""
    folder = cache_folder()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK | os.X_OK)
