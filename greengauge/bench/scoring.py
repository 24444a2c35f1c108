"""`greengauge bench scoring`: the figures of the scoring engine (docs/benchmarks-scoring.md names each)."""

from __future__ import annotations

import sys
from collections.abc import Callable

from greengauge.bench.cold import cold
from greengauge.bench.figures import Figures, tell
from greengauge.bench.live import late, live
from greengauge.bench.measure import machine
from greengauge.bench.memory import memory
from greengauge.bench.ratio import ratio
from greengauge.bench.year import YEAR, year


def run(*, as_json: bool, lines: int = 1000, readings: int = 2_000_000, days: int = YEAR) -> int:
    """Take all figures and print them; the exit code: 1 if answers disagree (figures of wrong answers are none)."""
    figures = Figures()
    for name, value in machine().items():
        figures.say(name, value)
    parts: tuple[tuple[str, Callable[[], None]], ...] = (
        ("rolling ratio in batch", lambda: ratio(figures, readings)),
        (f"live engine, {lines} lines", lambda: live(figures, lines)),
        ("late readings", lambda: late(figures)),
        ("memory", lambda: memory(figures)),
        (f"replay of {days} days", lambda: year(figures, days)),
        ("compiling from nothing", lambda: cold(figures)),
    )
    for name, take in parts:
        sys.stderr.write(f"greengauge: {name} …\n")
        take()
    for rival in figures.missing:
        sys.stderr.write(
            f"greengauge: RIVAL MISSING: {rival} is not installed; its figures are left out "
            "(mend: pip install 'greengauge[bench]')\n"
        )
    return tell(figures, as_json=as_json)
