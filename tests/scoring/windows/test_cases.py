"""Semantics §6, cases 1 to 3, and the shapes of §2: engine and twin give the same, and give what is written."""

from __future__ import annotations

from fractions import Fraction

import pytest

from devices.plant.model import Kind, Plant
from devices.readings import Readings
from scoring.reference import span as slow
from scoring.windows.rolling import Rolling
from tests.scoring.plants import MINUTE, channel, plant

BASE = 1_760_000_400_000  # a whole hour


def minutes(*points: tuple[int, int]) -> Readings:
    return Readings.of([0] * len(points), [BASE + t * MINUTE for t, _ in points], [v for _, v in points])


def totals(p: Plant, readings: Readings, start: int, end: int) -> tuple[int, dict[str, int]]:
    rolling = Rolling(p)
    rolling.push(readings)
    a, b = BASE + start * MINUTE, BASE + end * MINUTE
    (twin,) = slow(p, readings, a, b)
    sums = rolling.span(a, b)
    assert sums.total(0) == twin.total
    assert (sums.covered[0], sums.estimated[0]) == (twin.covered, twin.estimated)
    return twin.total, {"covered": twin.covered, **rolling.flags(a, b).get(0, {})}


WRAPS = plant(channel(Kind.COUNTER, modulus=10_000, rise_max=Fraction(50, MINUTE), max_gap_ms=30 * MINUTE))
CASE_1 = minutes((0, 9700), (10, 9900), (30, 100), (40, 250))


def test_case_1_before_its_late_reading() -> None:
    """550 in all; (10, 20] holds half of the wrapped 200."""
    assert totals(WRAPS, CASE_1, 0, 40)[0] == 550
    assert totals(WRAPS, CASE_1, 10, 20)[0] == 100


def test_case_1_after_its_late_reading() -> None:
    """The late reading moves 20 out of (10, 20] and nothing else."""
    late = Readings.concat([CASE_1, minutes((20, 9980))])
    assert totals(WRAPS, late, 0, 40)[0] == 550
    assert totals(WRAPS, late, 10, 20)[0] == 80


@pytest.mark.parametrize(("values", "flag"), [((500, 0, 520, 540), "spikes"), ((500, 0, 20, 40), "resets")])
def test_case_2(values: tuple[int, ...], flag: str) -> None:
    """A dip is one spike, a fall is one reset; both give 40."""
    p = plant(channel(Kind.COUNTER, rise_max=Fraction(100, MINUTE)))
    total, flags = totals(p, minutes(*enumerate(values)), 0, 3)
    assert (total, flags[flag]) == (40, 1)


def test_case_3() -> None:
    """A rate holds for at most max_gap; a late reading fills what it can."""
    p = plant(channel(Kind.RATE, max_gap_ms=5 * MINUTE))
    readings = minutes((0, 340), (4, 350), (20, 300), (22, 0))
    total, more = totals(p, readings, 0, 30)
    assert Fraction(total, 60 * MINUTE) == Fraction(371, 6)  # 61.8333 t
    assert more["covered"] == 16 * MINUTE
    total, more = totals(p, Readings.concat([readings, minutes((8, 360))]), 0, 30)
    assert Fraction(total, 60 * MINUTE) == 86
    assert more["covered"] == 20 * MINUTE


def test_example_11_of_the_domain() -> None:
    """9,900 → 100 within 20 minutes is a wrap of 200."""
    assert totals(WRAPS, minutes((0, 9900), (20, 100)), 0, 20)[0] == 200
