"""Figure: compiling every kernel with an empty cache, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from greengauge.bench.figures import Figures

_WORK = """
from greengauge.bench.plants import Source, plant
from scoring.engine import Engine
works = plant(1, "1s")
engine, source = Engine(works), Source(works)
engine.push(source.take(10))
engine.advance()
engine.board()
engine.at(engine.clock)
engine.snapshot()
"""


def cold(figures: Figures) -> None:
    """From an empty cache to the first board and scores, less what the same takes with everything compiled."""
    with tempfile.TemporaryDirectory() as cache:
        first, again = _run(cache), _run(cache)
    figures.say("compile_cold_wall_s", first[0])
    figures.say("compile_warm_wall_s", again[0])
    figures.reach("compile_cpu_s", first[1] - again[1], at_most=15)


def _run(cache: str) -> tuple[float, float]:
    """(wall, CPU seconds) of the work in a new interpreter."""
    wall, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-c", _WORK], check=True, env={**os.environ, "NUMBA_CACHE_DIR": cache})  # noqa: S603 - our own text
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return time.perf_counter() - wall, cpu
