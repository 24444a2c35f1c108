"""Cells packed by the hour: any sixty integers come back, and a month of minutes and hours takes little room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.plant.model import Kind
from devices.readings import I64, Readings
from scoring.windows.kernel import kernel
from scoring.windows.packed import bits, form, put_bits, size
from scoring.windows.rolling import Rolling
from tests.scoring.plants import HOUR, MINUTE, channel, plant
from tests.scoring.windows.shapes import BASE

MOST, LEAST = 2**63 - 1, -(2**63)


@kernel
def there_and_back(values: I64, scaled: bool, words: I64, out: I64) -> Any:
    """Pack the values into words and read them again; (their width, the word behind them)."""
    base, scale, width = form(values, scaled)
    for i in range(len(values)):
        put_bits(words, 0, i, width, values[i] if width == 64 else (values[i] - base) // scale)
    for i in range(len(values)):
        out[i] = base + scale * bits(words, 0, i, width)
    return width, words[size(len(values), width)]


def packed(values: list[int], *, scaled: bool = True) -> int:
    """The width they take; they come back, and nothing was written behind them."""
    column = np.asarray(values, np.int64)
    out = np.empty_like(column)
    width, behind = there_and_back(column, scaled, np.zeros(len(column) + 1, np.int64), out)
    assert out.tolist() == values
    assert behind == 0
    return int(width)


whole = st.integers(LEAST, MOST)
alike = st.builds(
    lambda base, scale, ks: [base + scale * k for k in ks],
    st.integers(-(2**50), 2**50),
    st.sampled_from([1, 3, 1000, 60_000, 60_000_000_000, 2**31, 2**31 - 1]),
    st.lists(st.integers(0, 4000), min_size=60, max_size=60),
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.lists(whole, min_size=60, max_size=60), alike), st.booleans())
@example([LEAST, MOST] * 30, True)
@example([2**61 - 1, -(2**61)] * 30, True)
@example([2**61, 0] * 30, True)
@example([0] * 59 + [2**61 - 1], True)
def test_any_integers_come_back(values: list[int], scaled: bool) -> None:
    """Near, far, multiples of something, at the ends of 64 bits."""
    packed(values, scaled=scaled)


@pytest.mark.parametrize(
    ("values", "width"),
    [
        ([7] * 60, 0),
        ([7, 8] * 30, 1),
        ([10**15 + 60_000_000 * k for k in range(60)], 6),
        ([60_000 * 10**6 * k for k in range(60)], 11),  # of 2**31 and above a factor of 2 to 5 bits stays
        ([0, MOST] * 30, 64),
    ],
)
def test_widths(values: list[int], width: int) -> None:
    """What all differences have in common takes no bits."""
    assert packed(values) <= width


def test_a_month_is_small() -> None:
    """27 hours of minutes and a month of hours of a noisy level: 2,370 numbers in less than two bytes each."""
    rolling = Rolling(plant(channel(Kind.LEVEL, every_ms=MINUTE)))
    random = np.random.default_rng(3)
    for day in range(32):
        values = 10_000 * (85_000 + random.integers(-50, 51, 1440))
        rolling.push(Readings.of([0] * 1440, BASE + (day * 1440 + np.arange(1440)) * MINUTE, values))
    rolling.span(BASE, BASE + HOUR)
    assert rolling.snapshot()["store"].nbytes < 2 * (27 * 60 + 750) < 5_000


def test_late_minutes_find_their_hour() -> None:
    """A late reading of each of ten hours, newest first, again and again: sums are as if all had come in order."""
    p = plant(channel(Kind.AMOUNT, every_ms=10 * MINUTE), grace_ms=12 * HOUR)
    rows = [(BASE + k * 10 * MINUTE, 7 + k % 5) for k in range(60)]
    late = [(BASE + k * HOUR + 5 * MINUTE + j, 100_000 * j + k) for j in range(4) for k in reversed(range(10))]
    rolling = Rolling(p)
    rolling.push(Readings.of([0] * len(rows), *map(list, zip(*rows, strict=True))))
    for ts, value in late:
        rolling.push(Readings.of([0], [ts], [value]))
        rolling.span(BASE, BASE + HOUR)
    for start in range(-60, 600, 35):
        for end in range(start + 5, 660, 55):
            a, b = BASE + start * MINUTE, BASE + end * MINUTE
            assert rolling.span(a, b).total(0) == sum(value for ts, value in rows + late if a < ts <= b)
    assert int(rolling._cells.used[0]) < 3_000  # dead blocks were swept
