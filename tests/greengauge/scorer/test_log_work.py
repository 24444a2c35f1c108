"""How a backlog is cut into pieces: whole, in order, few for many meters, short in time for few."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from greengauge.scorer.log_work import MOST_ROWS, PIECE_MS, PIECE_ROWS, _cuts


def test_many_meters() -> None:
    """A thousand channels a second: a minute has 60,000 readings, so pieces are as large as they may be."""
    ts = np.repeat(np.arange(100, dtype=np.int64) * 1000, 1000)
    assert _cuts(ts) == [*range(0, 100_000, MOST_ROWS), 100_000]


def test_a_minute() -> None:
    """Ten channels a second: a piece ends before the reading that moves the clock by a minute."""
    ts = np.repeat(np.arange(150, dtype=np.int64) * 1000, 10)
    assert _cuts(ts) == [0, 600, 1200, 1500]


def test_few_meters() -> None:
    """Four readings an hour: 250 all the same."""
    assert _cuts(np.arange(600, dtype=np.int64) * 900_000) == [0, 250, 500, 600]


def test_nothing() -> None:
    """One piece without readings: a line may be closed in it."""
    assert _cuts(np.zeros(0, np.int64)) == [0, 0]


@given(st.lists(st.integers(0, 500_000), min_size=1, max_size=2000))
def test_every_reading_once(times: list[int]) -> None:
    """Whatever the order: pieces follow each other, and one that is longer than need be moves the clock little."""
    ts = np.array(times, np.int64)
    cuts = _cuts(ts)
    assert (cuts[0], cuts[-1]) == (0, len(ts))
    clock = np.maximum.accumulate(ts)
    for begin, end in pairwise(cuts):
        assert begin < end
        if end - begin > PIECE_ROWS:
            assert clock[end - 1] - clock[begin] < PIECE_MS
