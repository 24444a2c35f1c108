"""The compiled encoder writes the same bytes as its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.readings import Readings
from ingest import kernels
from ingest.line_protocol import ReadingEncoder
from ingest.lines import Block, joined
from tests.ingest.small_plant import small_plant

T0 = 1_763_800_000_000
ROWS = st.tuples(
    st.integers(0, 4),
    st.sampled_from([T0, T0 + 1, 0, 9, 10, 10**18]),
    st.sampled_from([b"1", b"-0.50", b"1.50E1", b"3" * 60]),
    st.sampled_from("NNNFMSDCTB"),
    st.booleans(),
)


@pytest.fixture(scope="module")
def encoder() -> ReadingEncoder:
    """Of a plant whose names must be escaped, with its kernel."""
    assert kernels.wait()
    return ReadingEncoder(small_plant("a, b=c µ"))


def batch(rows: list[tuple[int, int, bytes, str, bool]]) -> tuple[Readings, set[int]]:
    letters = [ord(letter) for *_, letter, _ in rows]
    made = Readings.of(
        [r[0] for r in rows], [r[1] for r in rows], [0] * len(rows), numbers=[r[2] for r in rows], letter=letters
    )
    return made, {k for k, row in enumerate(rows) if row[4]}


@given(st.lists(ROWS, max_size=12))
def test_the_same_bytes(encoder: ReadingEncoder, rows: list[tuple[int, int, bytes, str, bool]]) -> None:
    """Points, their rows, letters, a channel twice; one by one, as a slice, as a whole."""
    readings, lettered = batch(rows)
    told, slow = encoder.encode(readings, lettered=lettered), encoder.defined(readings, lettered)
    assert list(told.lines) == slow.lines
    assert list(told.first) == slow.first
    assert joined(told.lines) == b"\n".join(slow.lines)
    assert [told.lines[k] for k in range(len(told.lines))] == slow.lines
    for at in range(len(rows) + 1):
        assert list(told.lines[at : at + 2]) == slow.lines[at : at + 2]
        assert joined(told.lines[at : at + 2]) == b"\n".join(slow.lines[at : at + 2])


def test_it_is_the_kernel(encoder: ReadingEncoder) -> None:
    """What the test above compares is not the definition with itself."""
    assert isinstance(encoder.encode(batch([(0, T0, b"1", "D", False)])[0]).lines, Block)


def test_what_it_does_not_write(encoder: ReadingEncoder) -> None:
    """A time before 1970 and a letter that must be escaped are the definition's."""
    for row in ((0, -1, b"1", "N", False), (0, T0, b"1", '"', False)):
        readings, _ = batch([row])
        assert encoder.encode(readings) == encoder.defined(readings)
