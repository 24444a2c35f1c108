"""One number on one channel: its count of steps, or out of range."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from devices.plant.model import Kind
from devices.readings import Mark
from devices.ruler import RATE_MAX, Ruler
from tests.plants import channel


def test_range_is_inclusive() -> None:
    """The declared range in steps, both ends in; the count is 0 beyond."""
    ruler = Ruler(channel("x", step=Fraction(1, 10), low=-5, high=20))
    assert [ruler.read(text) for text in ("-0.5", "2", "2.04", "-0.56", "2.06")] == [
        (-5, 0),
        (20, 0),
        (20, 0),
        (0, Mark.OUT_OF_RANGE),
        (0, Mark.OUT_OF_RANGE),
    ]


@pytest.mark.parametrize("kind", [Kind.RATE, Kind.LEVEL])
def test_rates_and_levels_leave_room_for_an_hour(kind: Kind) -> None:
    """Times 3,600,000 ms the greatest count still fits 64 bits; one more does not."""
    ruler = Ruler(channel("x", kind=kind, step=Fraction(1)))
    assert RATE_MAX * 3_600_000 < 2**63 <= (RATE_MAX + 1) * 3_600_000
    assert ruler.read(str(RATE_MAX)) == (RATE_MAX, 0)
    assert ruler.read(str(-RATE_MAX)) == (-RATE_MAX, 0)
    assert ruler.read(str(RATE_MAX + 1)) == (0, Mark.OUT_OF_RANGE)


@pytest.mark.parametrize("kind", [Kind.AMOUNT, Kind.COUNTER])
def test_amounts_use_all_64_bits(kind: Kind) -> None:
    """An amount or counter is out of range only where it does not fit."""
    ruler = Ruler(channel("x", kind=kind, step=Fraction(1)))
    assert ruler.read(str(2**63 - 1)) == (2**63 - 1, 0)
    assert ruler.read(str(2**63)) == (0, Mark.OUT_OF_RANGE)


def test_many() -> None:
    """A column gives what its texts give one by one; the first that is no number is named by its row."""
    ruler = Ruler(channel("x", step=Fraction(1, 1000), low=0, high=500_000))
    texts = ["1.5", "1e2", "-1", "500.0005", "1e400", "0.0005"]
    value, mark = ruler.read_many(np.array([t.encode() for t in texts]))
    assert list(zip(value.tolist(), mark.tolist(), strict=True)) == [ruler.read(t) for t in texts]
    with pytest.raises(ValueError, match="1"):
        ruler.read_many(np.array([b"1", b"x", b"y"]))
