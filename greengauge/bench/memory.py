"""Figures: what an engine holds, by the interpreter's own account of every allocation (numpy's arrays included)."""

from __future__ import annotations

import gc
import tracemalloc

from devices.durations import HOUR, SECOND
from greengauge.bench.figures import Figures
from greengauge.bench.plants import CHANNELS, Source, plant
from scoring.engine import Engine

LINES = 2
SLOW = 10 * SECOND


def memory(figures: Figures) -> None:
    """In the steady state: after six hours at 1 Hz, and after twelve of one reading in 10 s. Not the plant itself."""
    _held("1s", SECOND, 3 * 60)  # what the compiler allocates is not the engine's
    figures.reach("memory_line_1hz_mb", _held("1s", SECOND, 6 * HOUR // SECOND) / LINES / 1e6, at_most=1)
    figures.reach("memory_channel_10s_kb", _held("10s", SLOW, 12 * HOUR // SLOW) / LINES / CHANNELS / 1e3, at_most=5)


def _held(every: str, every_ms: int, steps: int) -> int:
    """Bytes of an engine after so many steps."""
    works = plant(LINES, every)
    source = Source(works, every_ms)
    source.take(1)
    gc.collect()
    tracemalloc.start()
    try:
        engine = Engine(works)
        for _ in range(steps // 60):
            engine.push(source.take(60))
            engine.advance()
        engine.board()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
