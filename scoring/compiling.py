"""Compiling the kernels: where the results are kept, and a second pair of hands for the first time.

Compiling takes ten seconds and more. It happens once for a machine and a version: the results lie in the
user's cache folder (`NUMBA_CACHE_DIR` names another), as a wheel's own folder is often not writable. The first
time, `python -m scoring.compiling REGISTRY` runs beside the service: it compiles the same kernels in the
opposite order, both look into the cache before each one, and so they meet in the middle.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from devices.kernel_cache import cache_folder, cacheable


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
