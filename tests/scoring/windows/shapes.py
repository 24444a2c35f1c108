"""Random readings for every shape of channel, for the property tests."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from devices.plant.model import Kind, Plant, Running
from devices.readings import Mark, Readings
from scoring.windows.sums import CoverageGroup
from tests.scoring.plants import MINUTE, channel, plant

BASE = 1_760_000_400_000  # a whole hour

SHAPES = (
    channel(Kind.COUNTER, "wraps", modulus=100, rise_max=Fraction(7, MINUTE)),
    channel(Kind.COUNTER, "bounded", rise_max=Fraction(5, MINUTE), max_gap_ms=7 * MINUTE),
    channel(Kind.COUNTER, "free"),
    channel(Kind.RATE, "rate"),
    channel(Kind.LEVEL, "level", max_gap_ms=90_000),
    channel(Kind.AMOUNT, "instant"),
    channel(Kind.AMOUNT, "quarter", period_ms=15 * MINUTE),
    channel(Kind.COUNTER, "later", modulus=100, rise_max=Fraction(7, MINUTE), source=0, delay_ms=30 * MINUTE),
    channel(Kind.RATE, "odd", source=3, delay_ms=12_345),
)
MEASURED = 7
GROUPS = (
    CoverageGroup(0, "gd", (0, 3), None),
    CoverageGroup(0, "lcd", (1, 4, 6), (3, 20)),
    CoverageGroup(0, "cd", (), (4, 0)),
    CoverageGroup(0, "sd", (7, 8), None),
)


def shapes(**more: object) -> Plant:
    """One line with a channel of every shape."""
    return plant(*SHAPES, running=Running(3, 20), **more)  # type: ignore[arg-type] # passed through


Row = tuple[int, int, int, int, int, int]


def rows(span_minutes: int, most: int = 60) -> st.SearchStrategy[list[Row]]:
    """(channel, ts, value, rev, letter, mark): few values and times, so that runs, keys and edges coincide often."""
    ts = st.one_of(
        st.integers(0, span_minutes).map(lambda m: BASE + m * MINUTE),
        st.integers(0, span_minutes * MINUTE).map(lambda ms: BASE + ms),
    )
    value = st.one_of(
        st.integers(0, 5).map(lambda v: 10 * v), st.integers(-5, 120), st.sampled_from([10**15, -(10**15)])
    )
    letter = st.sampled_from(b"NNNNNNSD")
    mark = st.sampled_from([0, 0, 0, 0, 0, Mark.OUT_OF_RANGE, Mark.RETAINED])
    return st.lists(st.tuples(st.integers(0, MEASURED - 1), ts, value, st.integers(0, 2), letter, mark), max_size=most)


def batch(found: list[Row]) -> Readings:
    """The rows as readings."""
    columns: list[list[int]] = [list(c) for c in zip(*found, strict=True)] or [[], [], [], [], [], []]
    channels, ts, value, rev, letter, mark = columns
    return Readings.of(channels, ts, value, rev=rev, letter=letter, mark=mark)
