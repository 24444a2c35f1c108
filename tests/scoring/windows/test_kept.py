"""How readings and cells are written: in little room, exact all the same."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import pytest

from devices.plant.model import Dated, Kind
from devices.readings import Readings
from scoring.windows.kept import FULL, HALF, LEAN
from scoring.windows.rolling import Rolling
from scoring.windows.sums import CoverageGroup
from tests.scoring.plants import HOUR, MINUTE, channel, plant
from tests.scoring.windows.shapes import BASE

RATE = plant(channel(Kind.RATE, every_ms=1000, max_gap_ms=3000))
SECOND = 1000


def seen(rolling: Rolling) -> list[tuple[int, int]]:
    return [(one.ts, one.value) for one in rolling.readings(0, 0, 1 << 62)]


@pytest.mark.parametrize("rise", [2**31 - 1, 2**31, 2**32, 2**40, 2**63 - 1])
@pytest.mark.parametrize("first", [0, -5, 2**62])
def test_values_far_apart(first: int, rise: int) -> None:
    """Whatever the difference between two values, up to the ends of 64 bits, both are kept as they came."""
    values = [first, first + rise if first <= 0 else first - rise, first]
    rolling = Rolling(RATE)
    rolling.push(Readings.of([0] * 3, [BASE, BASE + SECOND, BASE + 2 * SECOND], values))
    assert seen(rolling) == [(BASE + k * SECOND, v) for k, v in enumerate(values)]


def test_times_far_apart() -> None:
    """A reading hours before, and one days after, the others."""
    times = [BASE, BASE + SECOND, BASE - 100 * MINUTE, BASE + 5 * HOUR, BASE + 100 * 24 * HOUR]
    rolling = Rolling(RATE)
    for ts in times:
        rolling.push(Readings.of([0], [ts], [7]))
    assert seen(rolling) == [(ts, 7) for ts in sorted(times)]


def test_a_revision_takes_room_only_while_it_is_kept() -> None:
    """32 bytes a reading from a correction on, few again when it is forgotten; the higher revision wins."""
    rolling = Rolling(RATE)
    rolling.push(Readings.of([0] * 5, [BASE + k * SECOND for k in range(5)], [1] * 5))
    assert rolling._channels["width"][0] == LEAN
    rolling.push(Readings.of([0, 0], [BASE + SECOND] * 2, [9, 3], rev=[2, 1]))
    assert rolling._channels["width"][0] == FULL
    assert [v for _, v in seen(rolling)] == [1, 9, 1, 1, 1]
    for hour in range(6):
        rolling.push(Readings.of([0] * 3600, BASE + hour * HOUR + (5 + np.arange(3600)) * SECOND, [1] * 3600))
    assert rolling._channels["width"][0] == HALF
    assert rolling.span(BASE, BASE + MINUTE).total(0) == (59 + 9) * SECOND


def test_a_day_of_seconds_is_small() -> None:
    """A channel read each second holds 4 bytes a reading of 66 minutes and few a minute of a day: under 30 kB."""
    rolling = Rolling(RATE)
    for hour in range(30):
        rolling.push(Readings.of([0] * 3600, BASE + (hour * 3600 + np.arange(3600)) * SECOND, np.arange(3600) % 97))
    rolling.span(BASE, BASE + HOUR)
    state = rolling.snapshot()
    assert sum(state[name].nbytes for name in ("entries", "store", "open_sums", "open_held", "odd")) < 30_000
    assert state["entries"].nbytes < 4 * 68 * 60


def test_a_cell_for_everything() -> None:
    """Sums beyond 63 bits and flags stand apart, more and more of them, and go when the ring has passed."""
    p = plant(channel(Kind.AMOUNT, every_ms=MINUTE), windows=(("1h", HOUR),))
    rolling = Rolling(p)
    for k in range(300):  # two amounts of 2**62 a minute: 2**63, which one word does not hold
        ts = [BASE + k * MINUTE + 1, BASE + k * MINUTE + 2]
        rolling.push(Readings.of([0, 0], ts, [2**62, 2**62]))
        if k % 50 == 0:
            rolling.span(BASE, BASE + HOUR)
    assert rolling.span(BASE, BASE + 300 * MINUTE).total(0) == 300 * 2**63
    other = Rolling(p)
    other.restore(rolling.snapshot())
    other.push(Readings.of([0], [BASE + 299 * MINUTE + 3], [1]))
    assert other.span(BASE, BASE + 300 * MINUTE).total(0) == 300 * 2**63 + 1
    held = len(rolling._cells.odd)
    ones = [BASE + k * MINUTE + 1 for k in range(300, 12 * 24 * 60)]
    rolling.push(Readings.of([0] * len(ones), ones, [1] * len(ones)))
    rolling.span(BASE, BASE + HOUR)
    assert len(rolling._cells.odd) == held
    assert rolling._cells.free[0] == held


def test_minutes_are_kept_for_steps_that_are_held_up() -> None:
    """While the oldest step to tell is hours back, the minutes of its day are there; none is claimed that is not."""
    windows = (("24h", 24 * HOUR),)
    p = plant(channel(Kind.COUNTER, every_ms=MINUTE, max_gap_ms=HOUR, rise_max=Fraction(1)), windows=windows)
    rolling = Rolling(p)
    for hour in range(60):
        ts = [BASE + hour * HOUR + m * MINUTE for m in range(60)]
        rolling.push(Readings.of([0] * 60, ts, [60 * hour + m for m in range(60)]))
        rolling.span(BASE, BASE + HOUR)
        rolling.hold(min(hour, 12) * HOUR)  # it falls behind for twelve hours
        newest = BASE + hour * HOUR + 59 * MINUTE
        end = newest - min(hour, 12) * HOUR
        start = end - 24 * HOUR
        assert rolling.reach().minutes <= max(start, BASE)
        assert rolling.span(start, end).total(0) == (end - max(start, BASE)) // MINUTE


def test_minutes_that_left_do_not_come_back_with_more_room() -> None:
    """Rings that grow because a step is held up hold no more of the past: an old midnight's edge is still known.

    A tonne a minute from half an hour before 18:30 UTC, when a factor changes at midnight in Kolkata: 30 of them lie
    before it and 11 h less 30 after.
    """
    edge = 1_760_121_000_000  # 2025-10-10T18:30Z
    factor = {"grid:IN": (Dated(Fraction(1), "kg CO2/kWh", date(2025, 10, 11), None, "test"),)}
    first = edge - 30 * MINUTE
    p = plant(channel(Kind.AMOUNT), windows=(("1h", HOUR), ("30d", 720 * HOUR)), zone="Asia/Kolkata", factors=factor)
    rolling = Rolling(p)
    for hour in range(11):
        rolling.push(Readings.of([0] * 60, [first + (60 * hour + m + 1) * MINUTE for m in range(60)], [1] * 60))
        rolling._compact(rolling._channels["count"].nonzero()[0])
        if hour == 8:
            rolling.hold(9 * HOUR)
    assert rolling.span(first, edge).total(0) == 30
    assert rolling.span(edge, first + 11 * HOUR).total(0) == 11 * 60 - 30


def test_what_is_taken_over_is_not_counted_anew_from_less() -> None:
    """Seeded at the sixth hour with one early reading of a counter, nothing of the rate beside it, and a channel that
    has been quiet for long: the sums and joint coverage before it stand, and go on behind it.

    The counter is read after 2 h and then every hour, the rate every minute; the quiet one gave 1,000 in the first one.
    """
    p = plant(
        channel(Kind.COUNTER, "c", max_gap_ms=5 * HOUR),
        channel(Kind.RATE, "r", max_gap_ms=3 * MINUTE),
        channel(Kind.AMOUNT, "quiet"),
    )
    groups = (CoverageGroup(0, "lcd", (0, 1), None),)
    counter = [(0, BASE + 2 * HOUR + 35_000, 7), *((0, BASE + k * HOUR + MINUTE, 10 * k) for k in range(6, 10))]
    rate = [(1, BASE + k * MINUTE + 35_000, 3) for k in range(600)]
    whole, scratch = Rolling(p, groups), Rolling(p, groups)
    rows = sorted([(2, BASE + MINUTE, 1000), *counter, *rate], key=lambda row: row[1])
    whole.push(Readings.of(*zip(*rows, strict=True)))
    before = BASE + 6 * HOUR
    scratch.push(
        Readings.of(*zip(*counter[:1], *[row for row in rate if before - HOUR < row[1] <= before], strict=True))
    )
    scratch.seed(whole, before)
    scratch.push(Readings.of(*zip(*[row for row in rows if row[1] > before], strict=True)))
    for start, end in ((BASE, BASE + 9 * HOUR), (BASE + 2 * HOUR, before), (BASE + 2 * HOUR, BASE + 9 * HOUR)):
        assert scratch.span(start, end).total(0) == whole.span(start, end).total(0) > 0
        assert scratch.span(start, end).total(1) == whole.span(start, end).total(1) > 0
        assert scratch.span(start, end).total(2) == whole.span(start, end).total(2) == 1000 * (start == BASE)
        assert scratch.coverage(0, start, end) == whole.coverage(0, start, end)


def test_joint_coverage_older_than_the_minutes_is_said_to_be_lost() -> None:
    """A channel whose 40 h come after another's: of hours whose minutes are gone nobody can tell the coverage of both
    from these readings, so they are named, whatever was told before; those that still are there are right.
    """
    p = plant(*(channel(Kind.RATE, name, every_ms=MINUTE, max_gap_ms=3 * MINUTE) for name in "ab"))
    rolling = Rolling(p, (CoverageGroup(0, "lcd", (0, 1), None),))
    times = BASE + np.arange(40 * 60) * MINUTE
    for late in (0, 1):
        for at in range(0, len(times), 60):
            some = times[at : at + 60]
            rolling.push(Readings.of([late] * len(some), some, [7] * len(some)))
        changed = rolling.changed()
        assert (changed.joint_low[0] <= changed.joint_high[0]) == bool(late)
    end = BASE + 40 * HOUR
    assert changed.joint_low[0] <= BASE
    assert rolling.reach().minutes - HOUR <= changed.joint_high[0] <= rolling.reach().minutes + HOUR
    assert rolling.coverage(0, end - 5 * HOUR, end) == (5 * HOUR, 5 * HOUR)
