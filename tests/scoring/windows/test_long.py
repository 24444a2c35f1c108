"""Weeks of readings: hours after minutes are gone, cut edges inside an hour, what is forgotten and what must not be."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction

import numpy as np
import pytest

from devices.plant.model import Dated, Kind
from devices.readings import Mark, Readings
from scoring import reference
from scoring.windows.exact import mul_div, share, within
from scoring.windows.rolling import Rolling
from tests.scoring.plants import HOUR, MINUTE, channel, plant
from tests.scoring.windows.shapes import BASE, GROUPS, MEASURED, Row, batch, shapes

DAY = 24 * HOUR


def weeks(days: int, seed: int) -> list[Row]:
    """Every channel every 20 to 60 minutes, with outages of up to three days and some noise."""
    rng = random.Random(seed)
    found: list[Row] = []
    for c in range(MEASURED):
        ts, value = BASE, 0
        while True:
            ts += rng.randrange(20 * MINUTE, 60 * MINUTE) if rng.random() < 0.97 else rng.randrange(3 * DAY)
            if ts > BASE + days * DAY:
                break
            value = rng.choice([value, value + rng.randrange(40), rng.randrange(100)])
            mark = Mark.OUT_OF_RANGE if rng.random() < 0.03 else Mark.NONE
            found.append((c, ts, value % 100 if c == 0 else value, 0, rng.choice(b"NNNNNSD"), mark))
    return sorted(found, key=lambda row: row[1] + (row[1] * 7919) % HOUR)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_month_of_hours_equals_the_twin(seed: int) -> None:
    """Sums and joint coverage of long windows at whole hours, from hour cells, exact while all else is dropped."""
    readings = batch(weeks(33, seed))
    p = shapes()
    rolling = Rolling(p, GROUPS)
    for at in range(0, len(readings), 300):
        rolling.push(readings.take(slice(at, at + 300)))
        rolling._compact(rolling._channels["count"].nonzero()[0])
    assert rolling._channels["count"].sum() < len(readings) / 4
    end = BASE + 33 * DAY
    for start in (end - 30 * DAY, end - 8 * DAY - 5 * HOUR, end - DAY - 17 * MINUTE):
        fast, slow = rolling.span(start, end), reference.span(p, readings, start, end)
        assert [fast.total(c) for c in range(len(slow))] == [s.total for s in slow]
        assert fast.covered.tolist() == [s.covered for s in slow]
        assert fast.estimated.tolist() == [s.estimated for s in slow]
        assert [rolling.coverage(g, start, end) for g in range(len(GROUPS))] == [
            reference.coverage(p, readings, g, start, end) for g in GROUPS
        ]


def test_an_edge_inside_an_hour_is_known_for_as_long_as_the_hours() -> None:
    """A factor that changes at midnight in Kolkata, 18:30 UTC, cuts a 30-day window ten days later."""
    factor = {"grid:IN": (Dated(Fraction(1), "kg CO2/kWh", date(2025, 10, 11), None, "test"),)}
    p = plant(channel(Kind.COUNTER, max_gap_ms=DAY), zone="Asia/Kolkata", factors=factor)
    rolling = Rolling(p)
    edge = 1_760_121_000_000  # 2025-10-10T18:30Z
    rolling.push(
        Readings.of([0] * 300, [BASE + h * HOUR + 7 * MINUTE for h in range(300)], [60 * h for h in range(300)])
    )
    end = BASE + 299 * HOUR
    before, after = rolling.span(BASE, edge).total(0), rolling.span(edge, end).total(0)
    assert (before, before + after) == (1 * (edge - BASE - 7 * MINUTE) // MINUTE, rolling.span(BASE, end).total(0))


def test_an_idle_counter_needs_no_memory() -> None:
    """Two days of equal values every second keep a bounded number of readings, and none of the sums change."""
    p = plant(channel(Kind.COUNTER, every_ms=1000, max_gap_ms=3000, rise_max=Fraction(1, 1000)))
    rolling = Rolling(p)
    for hour in range(48):
        ts = BASE + hour * HOUR + 1000 * (1 + np.arange(3600))
        rolling.push(Readings.of([0] * 3600, ts, [77] * 3600))
    assert rolling._channels["count"][0] < 20_000
    rolling.push(Readings.of([0], [BASE + 48 * HOUR + 1000], [78]))
    sums = rolling.span(BASE, BASE + 49 * HOUR)
    assert (sums.total(0), sums.covered[0], sums.estimated[0]) == (1, 48 * HOUR, 0)


def test_late_beyond_the_horizon_is_counted_and_harmless() -> None:
    """What comes later than a channel's readings are kept is counted, never merged wrongly, and its time is told."""
    rolling = Rolling(plant(channel(Kind.AMOUNT, every_ms=1000)))
    for hour in range(5):
        rolling.push(Readings.of([0] * 3600, BASE + hour * HOUR + 1000 * np.arange(3600), [1] * 3600))
    rolling.push(Readings.of([0], [BASE + 500], [2]))
    assert (rolling.late, rolling.span(BASE - HOUR, BASE + 6 * HOUR).total(0)) == (1, 5 * 3600)
    changed = rolling.changed()
    assert (changed.lost_low[0], changed.lost_high[0]) == (BASE + 500, BASE + 500)


def test_late_between_kept_readings_is_merged() -> None:
    """However late: as long as nothing was forgotten of a channel, every reading finds its place."""
    rolling = Rolling(plant(channel(Kind.AMOUNT, every_ms=1000)))
    rolling.push(Readings.of([0, 0], [BASE + 900 * HOUR, BASE], [1, 2]))
    assert (rolling.late, rolling.span(BASE - HOUR, BASE + 901 * HOUR).total(0)) == (0, 3)


def test_sums_do_not_wrap() -> None:
    """Totals past 2**63 are exact: thirty days of the largest rate, amounts of 2**62."""
    p = plant(channel(Kind.RATE, every_ms=HOUR, max_gap_ms=3 * HOUR), channel(Kind.AMOUNT))
    rolling = Rolling(p)
    big = 2**63 // 3_600_000
    hours = [BASE + h * HOUR for h in range(720)]
    rolling.push(Readings.of([0] * 720, hours, [big] * 720))
    rolling.push(Readings.of([1] * 5, [BASE + 1 + i for i in range(5)], [-(2**62)] * 5))
    sums = rolling.span(BASE, BASE + 720 * HOUR)
    assert sums.total(0) == big * 720 * HOUR
    assert sums.total(1) == -5 * 2**62


def test_exact_helpers() -> None:
    """Shares of an amount equal Python's own integers, far past 2**63 on the way."""
    rng = random.Random(3)
    for _ in range(500):
        d = rng.randrange(1, 1 << rng.randrange(1, 61))
        x, r = rng.randrange(d + 1), rng.randrange(d)
        amount = rng.randrange(-(2**62), 2**62)
        assert mul_div(r, x, d) == r * x // d
        assert share(amount, x, d) == amount * x // d
        num, dt, rise = rng.randrange(1 << 61), rng.randrange(1, 1 << 40), rng.randrange(1 << 62)
        assert within(rise, num, d, dt) == (rise * d <= num * dt)
