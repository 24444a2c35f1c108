"""Compiling the kernels: where the results are kept, and a second pair of hands for the first time.

Compiling takes ten seconds and more. It happens once for a machine and a version: the results lie in the
user's cache folder (`NUMBA_CACHE_DIR` names another), as a wheel's own folder is often not writable. The first
time, `python -m scoring.compiling REGISTRY` runs beside the service: it compiles the same kernels in the
opposite order, both look into the cache before each one, and so they meet in the middle.
"""

from __future__ import annotations

import os
import subprocess
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


def help_compiling(registry: Path) -> subprocess.Popen[bytes] | None:
    """Start the second process if nothing is compiled yet. It ends by itself; end it when you end."""
    if not cacheable() or any(cache_folder().rglob("*.nbi")):
        return None
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "scoring.compiling", str(registry)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # what is wrong with the registry, the first process tells
        start_new_session=True,  # Ctrl-C at the terminal is the first one's affair
    )


def compile_backwards(registry: Path) -> None:
    """Compile every kernel, those that an engine needs last first."""
    from devices.durations import HOUR, MINUTE
    from devices.plant import load
    from devices.readings import Readings
    from scoring.degrees import coverage_groups
    from scoring.windows.rolling import Rolling

    plant = load(registry)
    groups = coverage_groups(plant)
    rolling = Rolling(plant, groups)
    if groups:
        rolling.coverage(0, 0, HOUR)
    rolling.span(0, HOUR)
    ts = [HOUR + MINUTE * n for n in range(1000)]  # so many that old ones are thinned out
    rolling.push(Readings.of([0] * len(ts), ts, [0] * len(ts)))
    rolling.span(0, HOUR)


if __name__ == "__main__":
    compile_backwards(Path(sys.argv[1]))
