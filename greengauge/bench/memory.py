"""Figures: what an engine holds, by the interpreter's own account of every allocation (numpy's arrays included)."""

from __future__ import annotations

import gc
import tracemalloc

from devices.durations import MINUTE, SECOND
from greengauge.bench.figures import Figures
from greengauge.bench.plants import CHANNELS, Source, plant
from scoring.engine import Engine

LINES = 2
CHANNELS_10S = 600
"""Of 20 lines: what an engine holds once (steps told, forms of lines that are alike) is shared by them."""
SLOW = 10 * SECOND


def memory(figures: Figures) -> None:
    """In the steady state: after six hours at 1 Hz, and after twelve of one reading in 10 s. Not the plant itself."""
    _held(LINES, "1s", SECOND, 3)  # what the compiler allocates is not the engine's
    figures.reach("memory_line_1hz_mb", _held(LINES, "1s", SECOND, 6 * 60) / LINES / 1e6, at_most=1)
    slow = _held(CHANNELS_10S // CHANNELS, "10s", SLOW, 12 * 60)
    figures.reach("memory_channel_10s_kb", slow / CHANNELS_10S / 1e3, at_most=5)


def _held(lines: int, every: str, every_ms: int, minutes: int) -> int:
    """Bytes of an engine after so many minutes, pushed one by one."""
    works = plant(lines, every)
    source = Source(works, every_ms)
    source.take(1)
    gc.collect()
    tracemalloc.start()
    try:
        engine = Engine(works)
        for _ in range(minutes):
            engine.push(source.take(MINUTE // every_ms))
            engine.advance()
        engine.board()
        del source  # its clocks are not the engine's
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
