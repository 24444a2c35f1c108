"""Many lists at once: their greatest and their sums."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoring.degrees.ragged import Ragged

VALUES = [3, -7, 0, 1 << 61, -(1 << 62)]


@given(st.lists(st.lists(st.sampled_from(range(len(VALUES))), max_size=2), max_size=6))
def test_is_what_python_says_list_by_list(lists: list[list[int]]) -> None:
    """Empty lists too, at the ends and between; a place may stand in many of them."""
    values = np.asarray(VALUES, np.int64)
    ragged = Ragged(lists)
    assert ragged.most(values, -9).tolist() == [max((VALUES[k] for k in one), default=-9) for one in lists]
    small = np.asarray([3, -7, 0, 5, 9], np.int64)
    assert ragged.sum(small).tolist() == [sum(small.tolist()[k] for k in one) for one in lists]


def test_of_truths_whether_any_is() -> None:
    """No place: no."""
    assert Ragged([[0, 1], [], [0]]).most(np.asarray([False, True]), False).tolist() == [True, False, False]
