"""Minutes in which nothing begins or stops are copied from the minute before: that may never show."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.stacks.ledger import Ledger
from tests.scoring.stacks.plants import HOUR, MINUTE, PLAIN, Rig, at, plant

T0 = at("2025-11-22T13:00+08:00")
CHANNELS = {"nox": {"unit": "mg/m3", "max_gap_ms": 40 * MINUTE}, "o2": {"unit": "%", "max_gap_ms": 25 * MINUTE}}

readings = st.lists(
    st.tuples(st.sampled_from(["nox", "o2"]), st.integers(0, 4 * HOUR), st.integers(1, 20)), min_size=1, max_size=25
)


@settings(deadline=None, max_examples=60)
@given(readings, st.integers(1, 5))
def test_copied_minutes_equal_computed_ones(rows: list[tuple[str, int, int]], batches: int) -> None:
    """Sparse readings in any batches: the blocks are those of a ledger that computes every minute."""

    def blocks() -> list[object]:
        rig = Rig(plant(CHANNELS, regime=PLAIN))
        told: list[object] = []
        for start in range(batches):
            rig.push(*((name, T0 + ms, value) for name, ms, value in rows[start::batches]))
            told += rig.stacks.blocks(T0 + 3 * HOUR)
        return [*told, *rig.stacks.close(0, T0 + 6 * HOUR)]

    copied = blocks()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "_calm", lambda _ledger, _end: False)
        assert blocks() == copied


def test_the_minute_after_a_closed_hour_is_its_own() -> None:
    """A reading in the last minute of an hour: the next minute shows it alone once the hour is closed."""
    rig = Rig(plant({"nox": {"unit": "mg/m3", "max_gap_ms": 40 * MINUTE}}, regime=PLAIN))
    rig.push(("nox", T0 + 30 * MINUTE, 20), ("nox", T0 + HOUR - MINUTE // 2, 80))
    rig.stacks.close(0, T0 + HOUR)
    (hour, *_) = rig.stacks.blocks(T0 + HOUR + 10 * MINUTE)
    assert (hour.value, hour.valid_minutes) == (80.0, 10)


def test_an_hour_closed_before_its_end_is_shown_as_it_was() -> None:
    """`close` of a meter closes the hour that it leaves off in: it is still shown, each of its minutes as it was read.

    Ten minutes at 20, 30, … 110: their mean is 65, not the first one ten times.
    """
    rig = Rig(plant({"nox": {"unit": "mg/m3", "max_gap_ms": MINUTE}}, regime=PLAIN))
    rig.push(*(("nox", T0 + m * MINUTE, 20 + 10 * m) for m in range(10)))
    rig.stacks.close(0, T0 + HOUR)
    (hour, *_) = rig.stacks.blocks(T0 + 10 * MINUTE)
    assert (hour.value, hour.valid_minutes) == (65.0, 10)
