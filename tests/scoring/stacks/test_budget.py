"""The limit budget: what may still be averaged, and the minute of no return."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.stacks.budget import Budget, Stretch, budget
from tests.scoring.stacks.plants import HOUR, MINUTE


def hour(*levels: int, limit: int = 320, level: int | None = None) -> Budget:
    """The budget of an hour after so many valid minutes."""
    past = [Stretch(m * MINUTE, (m + 1) * MINUTE, v) for m, v in enumerate(levels)]
    left = 60 - len(levels)
    ahead = [Stretch(len(levels) * MINUTE, HOUR, left)] if left else []
    spent = sum(s.amount for s in past)
    return budget(limit, spent, lambda: past, ahead, 60, levels[-1] if level is None and levels else level)


def test_case_7() -> None:
    """40 minutes at 350 against 320: 260 for the rest; unavoidable at minute 54.857 at 350, never at 250."""
    found = hour(*[350] * 40)
    assert found.allowed == 260
    assert found.unavoidable_at == round(Fraction(384, 7) * MINUTE)
    assert found.unavoidable_at / MINUTE == pytest.approx(54.857, abs=5e-4)
    assert hour(*[350] * 40, level=250).unavoidable_at is None


def test_exactly_the_limit_is_no_breach() -> None:
    """A breach is >: an hour that ends exactly at its limit never was unavoidable."""
    assert hour(*[320] * 40).unavoidable_at is None
    assert hour(*[350] * 40, level=260).unavoidable_at is None


def test_past_the_point_of_no_return() -> None:
    """Past it even zero emission can't save the hour, and the instant stays where it was."""
    at_minute_50 = hour(*[400] * 50)
    assert at_minute_50.allowed is not None
    assert at_minute_50.allowed < 0
    assert at_minute_50.unavoidable_at == 48 * MINUTE == hour(*[400] * 55, level=0).unavoidable_at


def test_the_end_leaves_nothing() -> None:
    """At the end of the block there is nothing to average any more."""
    assert hour(*[100] * 60) == Budget(None, None)
    assert hour(*[400] * 60) == Budget(None, 48 * MINUTE)


def test_unknown_level_promises_nothing() -> None:
    """Without a present level there is an allowed mean, and no instant."""
    assert hour() == Budget(Fraction(320), None)


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=59),
    st.integers(1, 1000),
    st.integers(0, 1000),
)
def test_allowed_comes_true(levels: list[int], limit: int, level: int) -> None:
    """Emitting the allowed mean for the rest meets the limit exactly; the instant exists iff the level breaks it."""
    found = hour(*levels, limit=limit, level=level)
    left = 60 - len(levels)
    assert found.allowed is not None
    assert (sum(levels) + found.allowed * left) / 60 == limit
    breaks = sum(levels) + level * left > limit * 60
    assert (found.unavoidable_at is not None) == breaks
    if found.unavoidable_at is not None:
        assert 0 <= found.unavoidable_at <= HOUR
