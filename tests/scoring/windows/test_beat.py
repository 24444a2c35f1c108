"""Channels that keep a beat stand in four bytes a reading; whatever comes then, sums are the twin's."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plant.model import Channel, Kind
from devices.readings import Mark, Readings
from scoring.windows.kept import HALF, LEAN
from scoring.windows.rolling import Rolling
from scoring.windows.sums import CoverageGroup
from tests.scoring.plants import HOUR, MINUTE, channel, plant
from tests.scoring.windows.shapes import BASE
from tests.scoring.windows.test_properties import told, true

SECOND = 1000
LEVEL = channel(Kind.LEVEL, every_ms=SECOND, max_gap_ms=3 * SECOND)
COUNTER = channel(Kind.COUNTER, every_ms=SECOND, max_gap_ms=3 * SECOND, rise_max=Fraction(2))
Row = tuple[int, int, int, int, int]  # ts, value, rev, letter, mark


def level(k: int) -> int:
    """A level, in steps finer than the meter's own: hundreds of them."""
    return 100 * (3000 + (k * 7919) % 601)


def counter(k: int) -> int:
    """A counter that rises by 500 steps a second, more or less: by millions an hour."""
    return 10**9 + 500 * k + (k * 7919) % 373


ALONE = (CoverageGroup(0, "gd", (0,), None),)
VALUES = {Kind.LEVEL: level, Kind.COUNTER: counter}


def straight(one: Channel, beats: Iterable[int]) -> list[Row]:
    """A reading a beat."""
    return [(BASE + k * SECOND, VALUES[one.kind](k), 0, ord("N"), 0) for k in beats]


def readings(rows: list[Row]) -> Readings:
    """The rows as readings of one channel."""
    ts, value, rev, letter, mark = (list(column) for column in zip(*rows, strict=True))
    return Readings.of([0] * len(rows), ts, value, rev=rev, letter=letter, mark=mark)


def pushed(one: Channel, rows: list[Row], at_once: int = 100) -> Rolling:
    """Rolling sums of a plant of this one channel, the rows so many at a time."""
    rolling = Rolling(plant(one), ALONE)
    for k in range(0, len(rows), at_once):
        rolling.push(readings(rows[k : k + at_once]))
    return rolling


def width(rolling: Rolling) -> int:
    """Words a reading."""
    return int(rolling._channels["width"][0])


@pytest.mark.parametrize("one", [LEVEL, COUNTER], ids=["level", "counter"])
def test_four_bytes_a_reading(one: Channel) -> None:
    """In two hours at 1 Hz such a channel keeps 66 minutes of them, in no more room than they need and an eighth."""
    rolling = pushed(one, straight(one, range(2 * 3600)))
    assert width(rolling) == HALF
    kept = rolling.readings(0, 0, 1 << 62)
    assert [(seen.ts, seen.value) for seen in kept] == [
        (BASE + k * SECOND, VALUES[one.kind](k)) for k in range(2 * 3600 - len(kept), 2 * 3600)
    ]
    assert len(kept) >= 66 * 60
    assert rolling.snapshot()["entries"].nbytes == 4 * len(kept)
    assert rolling._entries.nbytes < 4 * len(kept) * 9 / 8


@pytest.mark.parametrize("one", [LEVEL, COUNTER], ids=["level", "counter"])
def test_for_days(one: Channel) -> None:
    """The line moves on with the readings: none of them is ever too late for it."""
    rolling = pushed(one, straight(one, range(0, 3 * 86_400, 10)), 500)
    for start in range(3 * 86_400, 3 * 86_400 + 9_000, 100):
        rolling.push(readings(straight(one, range(start, start + 100, 10))))
        assert width(rolling) == HALF


ODD = {
    "off the beat": (BASE + 100 * SECOND + 1, level(100), 0, ord("N"), 0),
    "long ago": (BASE - 15 * HOUR, level(0), 0, ord("N"), 0),
    "far away": (BASE + 200 * SECOND, 1 << 62, 0, ord("N"), 0),
    "farther": (BASE + 200 * SECOND, -(1 << 63), 0, ord("N"), 0),
    "near": (BASE + 200 * SECOND, level(0) + 100 * (600 + (1 << 15)), 0, ord("N"), 0),
    "between units": (BASE + 200 * SECOND, level(200) + 1, 0, ord("N"), 0),
    "a revision": (BASE + 100 * SECOND, level(100), 1, ord("N"), 0),
    "a bad letter": (BASE + 200 * SECOND, level(200), 0, ord("D"), 0),
    "out of range": (BASE + 200 * SECOND, level(200), 0, ord("N"), Mark.OUT_OF_RANGE),
    "next year": (BASE + 365 * 24 * HOUR, level(0), 0, ord("N"), 0),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_does_not_fit(odd: Row) -> None:
    """One reading that does not fit is kept as it came, and so are all the others."""
    before = straight(LEVEL, range(200))
    rolling = pushed(LEVEL, before)
    assert width(rolling) == HALF
    rolling.push(readings([odd]))
    assert width(rolling) != HALF
    kept = {seen.ts: seen.value for seen in rolling.readings(0, -1 << 62, 1 << 62)}
    assert kept == {row[0]: row[1] for row in [*before, odd]}


def test_four_bytes_come_back() -> None:
    """When the odd one is forgotten."""
    rolling = pushed(LEVEL, [*straight(LEVEL, range(200)), ODD["off the beat"]])
    assert width(rolling) == LEAN
    for k in range(200, 8 * 3600, 100):
        rolling.push(readings(straight(LEVEL, range(k, k + 100))))
    assert width(rolling) == HALF


def test_a_counter_that_stands_still() -> None:
    """What is thinned out of its equal readings leaves a mark in four bytes too: none of its time is estimated."""
    still, end = 600, 85 * 60
    rolling = pushed(COUNTER, [(BASE + k * SECOND, min(2 * k, still), 0, ord("N"), 0) for k in range(end)])
    assert width(rolling) == HALF
    assert len(rolling.readings(0, BASE, 1 << 62)) < 75 * 60
    sums = rolling.span(BASE + 310 * SECOND, BASE + 350 * SECOND)  # between minutes: from the readings
    assert (int(sums.covered[0]), int(sums.estimated[0])) == (40 * SECOND, 0)


def rows(one: Channel) -> st.SearchStrategy[list[Row]]:
    """Half of them on the beat and beside the line, others wherever."""
    value = VALUES[one.kind]
    beat = st.integers(-200, 900).map(lambda k: (BASE + k * SECOND, value(k), 0, ord("N"), 0))
    far = st.sampled_from([0, 1, -1, 99, 100, 32_767, 32_768, -32_768, -32_769, 3_276_800, 10**12, -(10**17)])
    odd = st.tuples(
        st.integers(-200 * 4, 900 * 4).map(lambda k: BASE + k * SECOND // 4),
        st.tuples(st.integers(0, 900), far).map(lambda v: value(v[0]) + v[1]),
        st.sampled_from([0, 0, 0, 1]),
        st.sampled_from(b"NNNNND"),
        st.sampled_from([0, 0, 0, 0, Mark.OUT_OF_RANGE]),
    )
    return st.lists(st.one_of(beat, odd), max_size=40)


@pytest.mark.parametrize("one", [LEVEL, COUNTER], ids=["level", "counter"])
def test_equals_the_twin(one: Channel) -> None:
    """A channel in four bytes, then anything: spikes, resets, late, corrected, marked; exactly the twin's sums."""
    p = plant(one)
    regular = straight(one, range(0, 700, 2))

    @settings(max_examples=60, deadline=None)
    @given(rows(one), st.integers(0, 350), st.lists(st.integers(0, 40), max_size=3), st.booleans())
    def check(more: list[Row], missing: int, cuts: list[int], again: bool) -> None:
        found = [*regular[:missing], *regular[missing + 20 :]]
        rolling = pushed(one, found)
        assert width(rolling) == HALF
        places = sorted({0, len(more), *(c for c in cuts if c < len(more))})
        for a, b in pairwise(places):
            rolling.push(readings(more[a:b]))
            rolling.span(BASE, BASE + 10 * MINUTE)
            if again:
                other = Rolling(p, ALONE)
                other.restore(rolling.snapshot())
                rolling = other
        for start, end in [(-300_000, 900_000), (60_000, 600_000), (1_234, 567_891), (-100, 2_500)]:
            found_by = told(rolling, BASE + start, BASE + end, len(ALONE))
            assert found_by == true(p, readings([*found, *more]), BASE + start, BASE + end, ALONE)

    check()
