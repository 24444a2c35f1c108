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
