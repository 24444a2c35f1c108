"""A counter's late readings: its scan stops where what follows is marked as before, and no mark differs for it."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from devices.plant.model import Kind
from scoring.windows.kernel import HOUR, MINUTE
from scoring.windows.rolling import Rolling
from tests.scoring.plants import channel, plant
from tests.scoring.windows.shapes import BASE, batch

COUNTERS = (
    channel(Kind.COUNTER, "wraps", modulus=1000, rise_max=Fraction(30, MINUTE)),
    channel(Kind.COUNTER, "bounded", rise_max=Fraction(20, MINUTE)),
    channel(Kind.COUNTER, "free"),
)


@pytest.mark.parametrize("seed", range(6))
def test_late_ones_leave_the_marks_of_all_at_once(seed: int) -> None:
    """Spikes, resets and sums by the minute after 150 late readings, each taken in alone, are those of one push."""
    rng = random.Random(seed)
    rows = []
    for c in range(len(COUNTERS)):
        value = 0
        for k in range(300):
            value += rng.choice([0, 0, 3, 9, 40])
            seen = rng.choice([0, value * 2, value - 7]) if rng.random() < 0.15 else value
            seen = max(0, seen % 1000 if c == 0 else seen)
            rows.append((c, BASE + k * 10_000 + rng.randrange(10_000), seen, 0, b"N"[0], 0))
    rng.shuffle(rows)
    late, in_order = rows[:150], sorted(rows[150:], key=lambda row: row[1])
    p = plant(*COUNTERS)
    step_by_step, at_once = Rolling(p), Rolling(p)
    step_by_step.push(batch(in_order))
    for row in late:
        step_by_step.span(BASE, BASE + HOUR)  # scans
        step_by_step.push(batch([row]))
    at_once.push(batch(in_order + late))
    for minute in range(51):
        start, end = BASE + minute * MINUTE, BASE + (minute + 1) * MINUTE
        assert step_by_step.flags(start, end) == at_once.flags(start, end)
        one, other = step_by_step.span(start, end), at_once.span(start, end)
        assert [one.total(c) for c in range(3)] == [other.total(c) for c in range(3)]
    assert any("spikes" in flags for flags in at_once.flags(BASE, BASE + HOUR).values())
