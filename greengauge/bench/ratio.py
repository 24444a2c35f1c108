"""Figure: a rolling time-window ratio, in ns per reading and window, beside pandas, polars, bottleneck and numbagg."""

from __future__ import annotations

import numpy as np

from devices.durations import HOUR, SECOND
from greengauge.bench.figures import Figures
from greengauge.bench.measure import Cost, cost, in_turns, version
from greengauge.bench.plants import START
from greengauge.bench.rivals import RIVALS
from scoring.windows.batch import time_window_ratio

RUNS = 25
SAMPLE = 500
"""Readings whose ratio is taken from Python integers, one by one, to check ours."""


def ratio(figures: Figures, readings: int) -> None:
    """One reading a second, so that a window by rows gives the same answer as one by time."""
    random = np.random.default_rng(1)
    ts = START + SECOND * np.arange(readings, dtype=np.int64)
    numerator = random.integers(0, 4_000_000, readings)
    denominator = random.integers(1_000_000, 9_000_000, readings)

    def ours() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return time_window_ratio(ts, numerator, denominator, HOUR)

    ours()  # compiles
    took, answer = cost(ours, RUNS)
    figures.say("ratio_readings", readings)
    figures.say("ratio_window_s", HOUR // SECOND)
    figures.say("ratio_check", _exact(numerator, denominator, answer))
    _tell(figures, "ratio", took, readings)
    for rival in RIVALS:
        figures.say(f"ratio_{rival.name}_version", version(rival.name))
        if rival.missing:
            figures.lack(rival.name)
            continue
        run = rival.prepare(ts, numerator, denominator, HOUR, HOUR // SECOND)
        mine, theirs, their_answer = in_turns(ours, run, RUNS)
        worst = float(np.max(np.abs(their_answer - answer) / np.abs(answer)))
        figures.say(f"ratio_{rival.name}_config", rival.configuration)
        _tell(figures, f"ratio_{rival.name}", theirs, readings)
        figures.check(f"ratio_{rival.name}_off_by", worst, f"{rival.name} gives other ratios", worst < 1e-9)
        figures.reach(f"ratio_{rival.name}_times", theirs.cpu / mine.cpu, at_least=rival.goal)


def _tell(figures: Figures, name: str, took: Cost, readings: int) -> None:
    figures.say(f"{name}_cpu_ns", took.cpu / readings * 1e9)
    figures.say(f"{name}_wall_ns", took.wall / readings * 1e9)


def _exact(
    numerator: np.ndarray[tuple[int], np.dtype[np.int64]],
    denominator: np.ndarray[tuple[int], np.dtype[np.int64]],
    answer: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> str:
    """Whether a sample of the ratios equals those of Python integers, in a word; a row is a second."""
    rows = HOUR // SECOND
    for i in np.linspace(0, len(answer) - 1, SAMPLE).astype(int).tolist():
        window = slice(max(0, i + 1 - rows), i + 1)
        if sum(numerator[window].tolist()) / sum(denominator[window].tolist()) != answer[i]:
            return "wrong"
    return "exact"
