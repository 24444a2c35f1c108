"""Dated values change at the site's own midnights."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from devices.plant.model import Dated
from scoring.rules.timeline import Timeline, edges, midnight


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def dated(start: date | None, end: date | None = None) -> Dated:
    return Dated(Fraction(1), "kg CO2/kWh", start, end, "test")


@pytest.mark.parametrize(
    ("day", "zone", "utc"),
    [
        (date(2026, 1, 1), "Asia/Shanghai", "2025-12-31T16:00"),
        (date(2026, 1, 1), "Asia/Kolkata", "2025-12-31T18:30"),
        (date(2025, 7, 1), "Europe/Berlin", "2025-06-30T22:00"),
        (date(2018, 11, 4), "America/Sao_Paulo", "2018-11-04T03:00"),  # clocks jump from 00:00 to 01:00
        (date(2020, 11, 1), "America/Havana", "2020-11-01T04:00"),  # 00:00 comes twice
    ],
)
def test_midnight(day: date, zone: str, utc: str) -> None:
    """A day begins at its local midnight, at the jump over it, or the first time it strikes."""
    assert midnight(day, zone) == ms(utc)


def test_periods_are_open_at_their_start() -> None:
    """What ends exactly at midnight belongs to the day before; a millisecond later it does not."""
    timeline = Timeline([dated(date(2025, 1, 1)), dated(date(2026, 1, 1))], "Asia/Shanghai")
    edge = ms("2025-12-31T16:00")
    assert [timeline.at(edge), timeline.at(edge + 1)] == [0, 1]
    assert timeline.at(ms("2024-06-01T00:00")) == -1


def test_later_start_wins_even_when_expired() -> None:
    """An entry that ended is still the one in force where no later one begins; an earlier open one does not return."""
    timeline = Timeline([dated(date(2025, 1, 1), date(2025, 12, 31)), dated(None)], "UTC")
    row = timeline.at(ms("2026-06-01T00:00"))
    assert timeline.periods[row].entry.start == date(2025, 1, 1)
    assert timeline.periods[row].expires == ms("2026-01-01T00:00")


def test_of_equal_starts_the_last_wins() -> None:
    """The registry's own entry stands behind the profile's, and wins."""
    timeline = Timeline([dated(date(2025, 1, 1)), dated(date(2025, 1, 1))], "UTC")
    assert timeline.at(ms("2025-06-01T00:00")) == 1


def test_edges() -> None:
    """Each start is an edge once; an entry without one makes none."""
    found = edges([dated(None), dated(date(2026, 1, 1)), dated(date(2026, 1, 1))], "Asia/Shanghai")
    assert found == [ms("2025-12-31T16:00")]
