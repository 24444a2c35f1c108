"""The simulated cement works against the twin: days in every run, a year on demand (`-m long -s`)."""

from __future__ import annotations

import pytest

from tests.scoring.reference.works import works
from tests.scoring.reference.year import compared

WINDOWS = '["1min", "15min", "1h", "8h", "24h", "30d"]'


def check(days: float, seed: int, beyond: float) -> None:
    made, run = compared(works(every=20, zone="Europe/Berlin", windows=WINDOWS), days, seed, beyond=beyond)
    print(f"{days:g} days: {made}; {run.restated:,} revisions")  # noqa: T201 - a figure for people
    assert not made.differences[:3]
    assert made.compared.total() > 8_000 * days
    assert run.restated > 0 or not beyond


def test_days_of_the_works() -> None:
    """Three days, every hour's end, window and degree, every block: the twin's numbers, bit for bit."""
    check(3, seed=3, beyond=1 / 1000)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_a_year_of_the_works() -> None:
    """The same over a year, within the grace: months, factor periods, two changes of the clocks."""
    check(365, seed=1, beyond=0)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_five_weeks_with_readings_days_late() -> None:
    """What comes up to two days late is restated; later days count the restated ones."""
    check(35, seed=1, beyond=1 / 20_000)
