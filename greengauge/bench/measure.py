"""How a figure is taken: wall and CPU seconds of the best of a few runs, and the machine that it was taken on."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took, s."""

    wall: float
    cpu: float  # of all threads of this process


def cost(work: Callable[[], R], runs: int = 1) -> tuple[Cost, R]:
    """The run of least CPU time, and the last run's result."""
    best: Cost | None = None
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        took = Cost(time.perf_counter() - wall, time.process_time() - cpu)
        best = took if best is None or took.cpu < best.cpu else best
    if best is None:
        raise ValueError("at least one run")
    return best, result


def in_turns(ours: Callable[[], object], theirs: Callable[[], R], runs: int) -> tuple[Cost, Cost, R]:
    """The best of each, run after run in turns: what else the machine does then meets both alike."""
    best: tuple[Cost, Cost, R] | None = None
    for _ in range(runs):
        (mine, _), (other, result) = cost(ours), cost(theirs)
        if best is not None:
            mine = min(mine, best[0], key=lambda c: c.cpu)
            other = min(other, best[1], key=lambda c: c.cpu)
        best = mine, other, result
    if best is None:
        raise ValueError("at least one run")
    return best


def machine() -> dict[str, str | int | float]:
    """Which processor, how busy it is, and the versions that matter."""
    return {
        "cpu_model": _model(),
        "cpu_count": os.cpu_count() or 1,
        "cpu_load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else -1.0,
        "python": platform.python_version(),
        **{name: version(name) for name in ("greengauge", "numpy", "numba")},
    }


def version(package: str) -> str:
    """Of an installed package; "missing" if it is not there."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
