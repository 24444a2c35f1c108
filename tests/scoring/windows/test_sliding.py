"""Windows carried along with the clock are those that are added up anew."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.durations import DAY, HOUR, MINUTE, SECOND
from scoring.steps import step_of, up
from scoring.windows.kernel import ESTIMATED, SPIKES
from scoring.windows.rolling import Rolling
from scoring.windows.sliding import MARKED
from scoring.windows.sums import CoverageGroup
from tests.scoring.windows import test_weighed
from tests.scoring.windows.shapes import BASE, GROUPS, Row, batch, rows, shapes

WINDOWS = (("1h", HOUR), ("1min", MINUTE), ("30d", 30 * DAY), ("24h", DAY), ("10min", 10 * MINUTE))
PLANT = shapes(windows=WINDOWS)
ORDER = sorted(range(len(WINDOWS)), key=lambda w: WINDOWS[w][1])
steps = st.lists(
    st.one_of(st.just(SECOND), st.integers(0, 90 * SECOND), st.integers(0, 3 * HOUR)), min_size=1, max_size=6
)


def agree(rolling: Rolling, clock: int, groups: Sequence[CoverageGroup] = GROUPS) -> None:
    """What is carried equals what the cells and readings add up to, for every channel, group and window."""
    ends = [up(clock, step_of(length)) for _, length in WINDOWS]
    slide = rolling.slide(clock, ends, np.arange(len(groups)))
    for row, w in enumerate(ORDER):
        start, end = ends[w] - WINDOWS[w][1], ends[w]
        sums = rolling.span(start, end)
        columns = [sums.high, sums.low, sums.covered, sums.estimated + sums.flagged != 0]
        found = np.where(np.arange(MARKED + 1) == MARKED, slide.now[:, row] != 0, slide.now[:, row])
        assert np.array_equal(found, np.stack(columns, axis=1)), WINDOWS[w]
        for g in range(len(groups)):
            assert tuple(slide.joint_now[g, row].tolist()) == rolling.coverage(g, start, end), (WINDOWS[w], g)


@settings(max_examples=80, deadline=None)
@given(rows(200, most=40), st.lists(st.tuples(steps, rows(200, most=4)), max_size=6))
def test_equals_adding_up_anew(first: list[Row], later: list[tuple[list[int], list[Row]]]) -> None:
    """Readings in any order, late and corrected ones, every kind of channel, a clock that steps or jumps."""
    rolling = Rolling(PLANT, GROUPS)
    clock = max([BASE, *(ts for _, ts, *_ in first)])
    rolling.push(batch(first))
    agree(rolling, clock)
    for moves, found in later:
        for move in moves:
            clock += move
            agree(rolling, clock)
        rolling.push(batch(found))
        agree(rolling, clock)


WEIGHED = test_weighed.plant(*test_weighed.MEASURED, *test_weighed.WEIGHED, windows=WINDOWS)
JOINT = (CoverageGroup(0, "gd", tuple(test_weighed.ROWS), None), CoverageGroup(0, "cd", (0, 1, 3, 7, 8), (1, 20)))
samples = test_weighed.rows(200, most=5)


@settings(max_examples=60, deadline=None)
@given(test_weighed.rows(200), st.lists(st.tuples(steps, samples), max_size=6))
def test_weighed_channels(first: list[test_weighed.Row], later: list[tuple[list[int], list[test_weighed.Row]]]) -> None:
    """Amounts weighed by laboratory values that come late, whatever the clock does."""
    rolling = Rolling(WEIGHED, JOINT)
    clock = max([BASE, *(ts for _, ts, *_ in first)])
    rolling.push(test_weighed.batch(first))
    for moves, found in later:
        for move in moves:
            clock += move
            agree(rolling, clock, JOINT)
        rolling.push(test_weighed.batch(found))
        agree(rolling, clock, JOINT)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_reading_a_second(seed: int) -> None:
    """Hours in step with the clock, over minutes, hours and the compaction of what is kept; then a silence."""
    rolling = Rolling(PLANT, GROUPS)
    pick = Random(seed).randint
    for second in range(1, 2 * HOUR // SECOND):
        ts = BASE + second * SECOND
        late = 30 * SECOND if second % 701 == 0 else 0
        rolling.push(batch([(c, ts - late, pick(0, 60), 0, ord("N"), 0) for c in range(7)]))
        if second % 20 < 3 or second % HOUR < 3:
            agree(rolling, ts)
    for silence in (SECOND, MINUTE, 2 * MINUTE, 3 * HOUR):
        agree(rolling, ts + silence)


def test_marks_are_one_column() -> None:
    """Estimated time and whatever is left out or flagged stand side by side, so that one column can hold them."""
    assert ESTIMATED == MARKED
    assert SPIKES == MARKED + 1


def test_a_jump_over_what_is_kept() -> None:
    """A board between minutes, then none for fifty: what leaves the windows lies before the readings that are kept."""
    rolling = Rolling(PLANT, GROUPS)
    pick = Random(3).randint
    for minute in range(180):
        times = [BASE + minute * MINUTE + second * SECOND for second in range(1, 61)]
        rolling.push(batch([(c, ts, pick(0, 60), 0, ord("N"), 0) for ts in times for c in range(7)]))
        if minute % 50 == 0:
            rolling.push(batch([(c, times[-1] + 30 * SECOND, pick(0, 60), 0, ord("N"), 0) for c in range(7)]))
            agree(rolling, times[-1] + 30 * SECOND)
