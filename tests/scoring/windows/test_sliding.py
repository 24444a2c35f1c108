"""Windows carried along with the clock are those that are added up anew."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.durations import DAY, HOUR, MINUTE, SECOND
from devices.plant.model import Plant
from devices.readings import I64, Readings
from scoring.steps import step_of, up
from scoring.windows.kernel import ESTIMATED
from scoring.windows.rolling import Rolling
from scoring.windows.sums import CoverageGroup, SpanSums
from tests.scoring.windows import test_weighed
from tests.scoring.windows.shapes import BASE, GROUPS, Row, batch, rows, shapes

WINDOWS = (("1h", HOUR), ("1min", MINUTE), ("30d", 30 * DAY), ("24h", DAY), ("10min", 10 * MINUTE))
PLANT = shapes(windows=WINDOWS)
ORDER = sorted(range(len(WINDOWS)), key=lambda w: WINDOWS[w][1])
steps = st.lists(
    st.one_of(st.just(SECOND), st.integers(0, 90 * SECOND), st.integers(0, 3 * HOUR)), min_size=1, max_size=6
)


class Both:
    """The same readings in sums whose windows slide and in sums that are never asked to."""

    def __init__(self, plant: Plant, groups: Sequence[CoverageGroup]) -> None:
        self.groups = np.arange(len(groups))
        self.rolling, self._plain = Rolling(plant, groups), Rolling(plant, groups)

    def push(self, readings: Readings) -> None:
        self.rolling.push(readings)
        self._plain.push(readings)

    def agree(self, clock: int) -> None:
        """What is carried equals what the cells and readings add up to, for every channel, group and window."""
        ends = [up(clock, step_of(length)) for _, length in WINDOWS]
        slide = self.rolling.slide(clock, ends, self.groups[:-1])
        for row, w in enumerate(ORDER):
            span = ends[w] - WINDOWS[w][1], ends[w]
            anew, joint = columns(self._plain.span(*span)), self._plain.coverages(self.groups, *span)
            assert np.array_equal(slide.now[:, row, :ESTIMATED], anew[:, :ESTIMATED]), WINDOWS[w]
            assert np.array_equal(slide.now[:, row, ESTIMATED:].any(axis=1), anew[:, ESTIMATED:].any(axis=1))
            assert np.array_equal(slide.joint_now[:-1, row], joint[:-1]), WINDOWS[w]
            assert np.array_equal(columns(self.rolling.span(*span)), anew), WINDOWS[w]
            assert np.array_equal(self.rolling.coverages(self.groups, *span), joint), WINDOWS[w]


def columns(sums: SpanSums) -> I64:
    return np.stack([sums.high, sums.low, sums.covered, sums.estimated, sums.flagged], axis=1)


@settings(max_examples=80, deadline=None)
@given(rows(200, most=40), st.lists(st.tuples(steps, rows(200, most=4)), max_size=6))
def test_equals_adding_up_anew(first: list[Row], later: list[tuple[list[int], list[Row]]]) -> None:
    """Readings in any order, late and corrected ones, every kind of channel, a clock that steps or jumps."""
    both = Both(PLANT, GROUPS)
    clock = max([BASE, *(ts for _, ts, *_ in first)])
    both.push(batch(first))
    both.agree(clock)
    for moves, found in later:
        for move in moves:
            clock += move
            both.agree(clock)
        both.push(batch(found))
        both.agree(clock)


WEIGHED = test_weighed.plant(*test_weighed.MEASURED, *test_weighed.WEIGHED, windows=WINDOWS)
JOINT = (CoverageGroup(0, "gd", tuple(test_weighed.ROWS), None), CoverageGroup(0, "cd", (0, 1, 3, 7, 8), (1, 20)))
samples = test_weighed.rows(200, most=5)


@settings(max_examples=60, deadline=None)
@given(test_weighed.rows(200), st.lists(st.tuples(steps, samples), max_size=6))
def test_weighed_channels(first: list[test_weighed.Row], later: list[tuple[list[int], list[test_weighed.Row]]]) -> None:
    """Amounts weighed by laboratory values that come late, whatever the clock does."""
    both = Both(WEIGHED, JOINT)
    clock = max([BASE, *(ts for _, ts, *_ in first)])
    both.push(test_weighed.batch(first))
    for moves, found in later:
        for move in moves:
            clock += move
            both.agree(clock)
        both.push(test_weighed.batch(found))
        both.agree(clock)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_reading_a_second(seed: int) -> None:
    """Hours in step with the clock, over minutes, hours and the compaction of what is kept; then a silence."""
    both = Both(PLANT, GROUPS)
    pick = Random(seed).randint
    for second in range(1, 2 * HOUR // SECOND):
        ts = BASE + second * SECOND
        late = 30 * SECOND if second % 701 == 0 else 0
        both.push(batch([(c, ts - late, pick(0, 60), 0, ord("N"), 0) for c in range(7)]))
        if second % 20 < 3 or second % HOUR < 3:
            both.agree(ts)
    for silence in (SECOND, MINUTE, 2 * MINUTE, 3 * HOUR):
        both.agree(ts + silence)


def test_a_jump_over_what_is_kept() -> None:
    """A board between minutes, then none for fifty: what leaves the windows lies before the readings that are kept."""
    both = Both(PLANT, GROUPS)
    pick = Random(3).randint
    for minute in range(180):
        times = [BASE + minute * MINUTE + second * SECOND for second in range(1, 61)]
        both.push(batch([(c, ts, pick(0, 60), 0, ord("N"), 0) for ts in times for c in range(7)]))
        if minute % 50 == 0:
            both.push(batch([(c, times[-1] + 30 * SECOND, pick(0, 60), 0, ord("N"), 0) for c in range(7)]))
            both.agree(times[-1] + 30 * SECOND)


@pytest.mark.parametrize("seed", [1, 2])
def test_late_ones_between_seconds(seed: int) -> None:
    """One message or several of late readings before a board, with and without one in order; spikes and conflicts."""
    both = Both(PLANT, GROUPS)
    pick = Random(seed).randint
    newest = 80 * MINUTE // SECOND
    for first in range(1, newest, 60):
        times = [BASE + second * SECOND for second in range(first, first + 60)]
        both.push(batch([(c, ts, (ts - BASE) // 10_000, 0, ord("N"), 0) for ts in times for c in range(7)]))
        newest = first + 59
    both.agree(BASE + newest * SECOND)
    for turn in range(60):
        if turn % 3 == 0:
            newest += 1
            in_order = [(c, BASE + newest * SECOND, newest // 10, 0, ord("N"), 0) for c in range(7)]
            both.push(batch(in_order))
        late_by = pick(1, 20 * 60) * SECOND - pick(0, 1) * SECOND // 2
        ts = BASE + newest * SECOND - late_by
        value = (ts - BASE) // 10_000 + (0 if turn % 4 else pick(-9, 9))
        both.push(batch([(c, ts, value, turn % 2, ord("N"), 0) for c in range(7)]))
        if turn % 5:
            both.agree(BASE + newest * SECOND)


def test_a_channel_ahead_of_the_running_condition() -> None:
    """A derived channel's readings come later than its source's: where it covers nothing yet, the group does not."""
    both = Both(PLANT, [CoverageGroup(0, "gd", (8,), (3, 20)), CoverageGroup(0, "lcd", (8,), None)])
    both.push(batch([(3, BASE, 50, 0, ord("N"), 0)]))
    both.agree(BASE + 12 * SECOND)
    both.agree(BASE + 13 * SECOND)


def test_what_comes_is_not_carried() -> None:
    """What was told of windows that slid is not told again once something came, whatever its time."""
    both = Both(PLANT, GROUPS)
    both.push(batch([(c, BASE + s * SECOND, 3 + s, 0, ord("N"), 0) for s in range(90) for c in range(7)]))
    clock = BASE + 100 * SECOND
    both.agree(clock)
    before = columns(both.rolling.span(clock - HOUR, clock))
    both.push(batch([(c, BASE + 95 * SECOND, 200, 0, ord("N"), 0) for c in range(7)]))
    assert not np.array_equal(columns(both.rolling.span(clock - HOUR, clock)), before)
    both.agree(clock)
