"""Legal hours and days in the site's time zone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.stacks.localtime import HOUR, MINUTE, Block, Calendar
from tests.scoring.stacks.plants import at


@pytest.mark.parametrize(
    ("zone", "noon", "hours"),
    [
        ("Asia/Shanghai", "2025-11-22T12:00+08:00", 24),
        ("Europe/Berlin", "2025-03-30T12:00+02:00", 23),
        ("Europe/Berlin", "2025-10-26T12:00+01:00", 25),
        ("America/Santiago", "2025-09-07T12:00-03:00", 23),  # its midnight does not exist
        ("America/Havana", "2025-11-02T12:00-05:00", 25),  # its midnight comes round twice within the date
        ("Australia/Lord_Howe", "2025-10-05T12:00+11:00", 23.5),
        ("Asia/Kolkata", "2025-11-22T12:00+05:30", 24),
        ("Asia/Kathmandu", "2025-11-22T12:00+05:45", 24),
    ],
)
def test_days_with_daylight_saving(zone: str, noon: str, hours: float) -> None:
    """A day is its local date: 23, 24 or 25 h, and its hours fill it without gap or overlap."""
    calendar = Calendar(zone)
    day = calendar.day(at(noon))
    assert day.end - day.start == hours * HOUR
    edge, blocks = day.start, []
    while edge < day.end:
        blocks.append(calendar.hour(edge + 1))
        assert blocks[-1].start == edge
        edge = blocks[-1].end
    assert edge == day.end
    assert len(blocks) == -(-hours // 1)


def test_half_hour_zone() -> None:
    """An hour in Kolkata begins at half past by UTC."""
    block = Calendar("Asia/Kolkata").hour(at("2025-11-22T12:15+05:30"))
    assert block == Block(at("2025-11-22T12:00+05:30"), at("2025-11-22T13:00+05:30"))
    assert block.start % HOUR == HOUR / 2


def test_the_end_belongs_to_the_block() -> None:
    """Blocks are (start, end]: the whole hour and midnight close what they end."""
    calendar = Calendar("Asia/Shanghai")
    midnight = at("2025-11-23T00:00+08:00")
    assert calendar.hour(midnight).end == midnight
    assert calendar.day(midnight).end == midnight
    assert calendar.hour(midnight + 1).start == midnight
    assert calendar.day(midnight + 1).start == midnight


def test_half_hour_change_makes_short_hours() -> None:
    """Lord Howe: 01:00–02:00 (+11), then 01:30–02:00 (+10:30) as an hour of its own."""
    calendar = Calendar("Australia/Lord_Howe")
    change = at("2025-04-06T02:00+11:00")
    assert calendar.hour(change) == Block(change - HOUR, change)
    assert calendar.hour(change + 1) == Block(change, change + 30 * MINUTE)


@settings(max_examples=300)
@given(
    st.sampled_from(["Asia/Shanghai", "Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Asia/Tehran"]),
    st.integers(at("2005-01-01T00:00Z"), at("2035-01-01T00:00Z")),
)
def test_every_instant_lies_in_its_blocks(zone: str, ts: int) -> None:
    """An instant lies in (start, end] of its blocks, which follow one another on whole minutes."""
    calendar = Calendar(zone)
    for block in (hour := calendar.hour(ts), calendar.day(ts)):
        assert block.start < ts <= block.end
        assert block.start % MINUTE == block.end % MINUTE == 0
    assert hour.end - hour.start <= HOUR
    assert calendar.hour(hour.end + 1).start == hour.end
    assert calendar.hour(hour.start).end == hour.start
