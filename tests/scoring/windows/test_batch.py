"""The rolling ratio over columns at hand: exact, by time, in any width."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.windows.batch import time_window_ratio
from scoring.windows.exact import nearest

amount = st.one_of(st.integers(-5, 5), st.integers(-(10**9), 10**9), st.integers(-(1 << 63), (1 << 63) - 1))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), amount, amount), max_size=40), st.integers(1, 40))
def test_equals_python_integers(rows: list[tuple[int, int, int]], window: int) -> None:
    """Each ratio is the one division of two correctly rounded sums over (t - W, t], one instant together."""
    rows.sort(key=lambda row: row[0])
    columns = [np.asarray([row[k] for row in rows], np.int64) for k in range(3)]
    found = time_window_ratio(*columns, window).tolist()
    for (t, _, _), ratio in zip(rows, found, strict=True):
        inside = [row for row in rows if t - window < row[0] <= t]
        above, below = sum(row[1] for row in inside), sum(row[2] for row in inside)
        assert math.isnan(ratio) if below == 0 else ratio == float(above) / float(below)


@pytest.mark.parametrize("window", [999, 1_000, 2_500, 60_000, 300_000, 700_000])
@pytest.mark.parametrize("seed", range(4))
def test_a_beat_kept_lost_and_taken_up_again(seed: int, window: int) -> None:
    """Long runs one second apart, then gaps, other beats, shaken times, one instant twice: as added up anew."""
    random = np.random.default_rng(seed)
    apart = np.full(6_000, 1_000)
    for start in random.integers(0, 6_000, 6):
        stop = start + int(random.integers(1, 900))
        apart[start:stop] = random.choice([0, 1, 500, 1_000, 60_000], stop - start)[: len(apart) - start]
    apart[2_000:3_500] = 250
    apart[5_118:5_500] = 1_000
    apart[5_118] = 10_000_000  # just before a beat that a block of 512 begins with
    ts = np.cumsum(apart)
    above, below = random.integers(-3, 1_000, 6_000), random.integers(0, 2, 6_000)
    first = np.searchsorted(ts, ts - window, side="right")
    last = np.searchsorted(ts, ts, side="right")
    total = [np.concatenate([[0], np.cumsum(column)]) for column in (above, below)]
    over, under = ((sums[last] - sums[first]).astype(float) for sums in total)
    expected = np.divide(over, under, out=np.full(6_000, np.nan), where=under != 0)
    assert np.array_equal(time_window_ratio(ts, above, below, window), expected, equal_nan=True)


def test_bad_columns_are_refused() -> None:
    """Times that fall, columns of different lengths, a window of nothing."""
    two, three = np.asarray([2, 1], np.int64), np.asarray([1, 2, 3], np.int64)
    for columns, window in (((two, two, two), 5), ((three, two, three), 5), ((three, three, three), 0)):
        with pytest.raises(ValueError, match=r"ascend|length"):
            time_window_ratio(*columns, window)


@settings(max_examples=300, deadline=None)
@given(st.integers(-(1 << 94), 1 << 94), st.integers(0, 60), st.integers(-1, 1))
def test_nearest_is_one_rounding(number: int, cut: int, off: int) -> None:
    """Two words become the double nearest to them, halfway to even, as `float` of the same integer."""
    number = (number >> cut << cut) + off
    assert nearest(number >> 32, number & 0xFFFFFFFF) == float(number)
