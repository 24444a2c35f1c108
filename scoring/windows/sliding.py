"""Windows that end now, carried along: what enters is added, what leaves is taken off, exactly.

Of each channel and window the sum over (start, until] is kept; `until` is the whole second up to which its
readings are not expected to change. One more second costs one short walk over what came after it, and one for
each window that moves its start. A reading before `until` (late, corrected, a spike found out) lets the
channel's sums be added up anew from the cells, so what comes out is always what `spans` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from devices.durations import SECOND
from devices.readings import I64
from scoring.windows.cells import span
from scoring.windows.exact import MASK, clear
from scoring.windows.kernel import (
    CONFLICTS,
    COVERED,
    ESTIMATED,
    HIGH,
    LOW,
    MINUTE,
    SPIKES,
    inlined,
    inner,
    kernel,
)
from scoring.windows.records import NONE
from scoring.windows.sliding_joint import cut_off, slide_joint
from scoring.windows.walk import part
from scoring.windows.weighing import piece

AWAITED = MINUTE
"""What a silent channel may still tell of the past is expected for so long; after that it costs adding up anew."""


MARKED: Final = SPIKES
"""After HIGH, LOW, COVERED and ESTIMATED: readings left out or marked, of whatever sort."""
SUMMED: Final = MARKED + 1


class Slide(NamedTuple):
    """What is carried from one second to the next. Windows stand in ascending order of their lengths."""

    lengths: I64  # by window, ms
    starts: I64  # by window: where it begins
    until: I64  # by channel: what came after it is not carried; NONE: nothing is
    before: I64  # by channel: the same the time before; NONE: added up anew
    passed: I64  # [channel, column]: all that entered, up to `until`
    base: I64  # [channel, window, column]: of that, what lies before the window
    changed: I64  # [channel, (after, up to)]: where its sums changed since the time before; after > up to: nowhere
    whole: I64  # by channel, a bit a piece (below): it is covered throughout and not estimated
    joint: I64  # [group, window, (covered, running)] up to joint_until
    joint_until: I64  # by group
    now: I64  # [channel, window, column]: the sums up to each window's end
    joint_now: I64  # [group, window, 2]

    @classmethod
    def of(cls, channels: int, groups: int, lengths: Sequence[int]) -> Slide:
        """Nothing carried yet."""
        w = len(lengths)
        return cls(
            lengths=np.asarray(sorted(lengths), np.int64),
            starts=np.full(w, NONE, np.int64),
            until=np.full(channels, NONE, np.int64),
            before=np.full(channels, NONE, np.int64),
            changed=np.tile(np.asarray([-NONE, NONE], np.int64), (channels, 1)),
            passed=np.zeros((channels, SUMMED), np.int64),
            base=np.zeros((channels, w, SUMMED), np.int64),
            whole=np.zeros(channels, np.int64),
            joint=np.zeros((groups, w, 2), np.int64),
            joint_until=np.full(groups, NONE, np.int64),
            now=np.zeros((channels, w, SUMMED), np.int64),
            joint_now=np.zeros((groups, w, 2), np.int64),
        )


# Pieces, as bits of `whole`: 0 enters, 1 + w leaves window w, 1 + windows + w is its open end.


def slide(
    entries: Any, channels: Any, cells: Any, groups: Any, required: I64, state: Slide, clock: int,
    ends: I64, asked: I64, acc: Any, scratch: Any,
) -> None:  # fmt: skip
    """Bring `state.now` and `state.joint_now` to windows that end at `ends`, ascending, each at or after `clock`.

    Two kernels and not one: what calls both would be optimised once more with all that is in them.
    """
    _channels(entries, channels, cells, state, clock // SECOND * SECOND, ends, acc)
    slide_joint(entries, channels, cells, groups, required, state, ends, asked, scratch)
    state.starts[:] = ends - state.lengths


@kernel
def _channels(entries: Any, channels: Any, cells: Any, state: Any, clock: int, ends: I64, acc: Any) -> None:
    windows = len(ends)
    starts, lengths, passed, base, now = state.starts, state.lengths, state.passed, state.base, state.now
    changed = state.changed
    labs = cells.labs
    for c in range(len(channels)):
        ch = channels[c]
        if ch.newest == NONE:
            continue
        old = state.until[c]
        low = ch.steady
        high = ch.again
        new = min(max((ch.newest - ch.period) // SECOND * SECOND, clock - AWAITED), clock)
        weighed = ch.labs < ch.labs_stop
        if weighed or not 0 <= new - old <= 60 * MINUTE or starts[0] == NONE:
            old = NONE  # of weighed amounts there are few, and their marks are counted by the piece
        ch.steady = -NONE
        ch.again = NONE
        changed[c, 0] = low
        changed[c, 1] = high
        if low < old and not _mend(entries, channels, cells, c, old, low, high, starts, passed, base, acc):
            old = NONE
        if low <= ch.sealed * MINUTE:
            clear(cells.gains[c])
        whole: Any = np.int64(new == old)
        if old == NONE:
            for k in range(SUMMED):
                passed[c, k] = 0
        elif new > old:
            clear(acc)
            part(entries, ch, old, new, acc)
            whole += _is_whole(acc, new - old)
            _fold(acc)
            for k in range(SUMMED):
                passed[c, k] += acc[k]
        for w in range(windows):
            start = ends[w] - lengths[w]
            left = min(start, new)
            first = start if old == NONE else min(starts[w], old)
            if first == left and old > NONE:
                whole |= 1 << (1 + w)
                continue
            clear(acc)
            if old == NONE or first > left or cut_off(ch.floor, first, left):  # the sum itself, to be added up anew
                if start < new:
                    span(entries, channels, cells, c, start, new, acc)
                    _fold(acc)
                for k in range(SUMMED):
                    base[c, w, k] = passed[c, k] - acc[k]
                continue
            if first >= ch.floor and left - first <= MINUTE:
                part(entries, ch, first, left, acc)
            else:
                span(entries, channels, cells, c, first, left, acc)
            whole |= _is_whole(acc, left - first) << (1 + w)
            _fold(acc)
            for k in range(SUMMED):
                base[c, w, k] += acc[k]
        clear(acc)
        reached = new
        open_whole = 1
        for w in range(windows):
            start = ends[w] - lengths[w]
            if start > new:  # silent for longer than the window
                clear(acc)
                if weighed:
                    piece(entries, channels, labs, ch, start, ends[w], acc)
                else:
                    part(entries, ch, start, ends[w], acc)
                _fold(acc)
                for k in range(SUMMED):
                    now[c, w, k] = acc[k]
                clear(acc)
                reached = new
                open_whole = 1
            else:
                if ends[w] > reached:
                    if weighed:
                        piece(entries, channels, labs, ch, reached, ends[w], acc)
                    else:
                        part(entries, ch, reached, ends[w], acc)
                    reached = ends[w]
                    open_whole = _is_whole(acc, reached - new)
                    _fold(acc)
                whole |= open_whole << (1 + windows + w)
                for k in range(SUMMED):
                    now[c, w, k] = passed[c, k] - base[c, w, k] + acc[k]
            now[c, w, HIGH] += now[c, w, LOW] >> 32
            now[c, w, LOW] &= MASK
        state.before[c] = old
        state.until[c] = new
        state.whole[c] = 0 if weighed else whole  # what of it is estimated does not stand in its sums


@inlined
def _mend(
    entries: Any,
    channels: Any,
    cells: Any,
    c: int,
    until: int,
    low: int,
    high: int,
    starts: I64,
    passed: I64,
    base: I64,
    acc: Any,
) -> bool:
    """Take in what changed between `low` and `high`; false if no window holds all of it.

    Nor where the readings at a window's start are gone. Where all that changed lies in minutes that had a cell before,
    what these gained is known. Else the shortest window that holds all of it is added up anew: what it gained, all
    longer ones gained. Those that begin after it gained nothing; those that begin inside are added up anew.
    """
    sealed = channels[c].sealed  # as it was when the windows slid, or `high` is never
    if high <= min(until, sealed * MINUTE) and low > (sealed - cells.minutes) * MINUTE:
        gains = cells.gains[c]
        _fold(gains)
        for k in range(SUMMED):
            passed[c, k] += gains[k]
        for w in range(len(starts)):
            if low < starts[w] < high:
                if cut_off(channels[c].floor, starts[w], until):
                    return False
                span(entries, channels, cells, c, starts[w], until, acc)
                _fold(acc)
                for k in range(SUMMED):
                    base[c, w, k] = passed[c, k] - acc[k]
            elif starts[w] >= high:
                for k in range(SUMMED):
                    base[c, w, k] += gains[k]
        return True
    for w in range(len(starts)):
        if starts[w] >= high:
            continue
        if cut_off(channels[c].floor, starts[w], until):
            return False
        clear(acc)
        if starts[w] < until:
            span(entries, channels, cells, c, starts[w], until, acc)
            _fold(acc)
        for k in range(SUMMED):
            acc[k] -= passed[c, k] - base[c, w, k]  # the gain
        if starts[w] <= low:
            for k in range(SUMMED):
                passed[c, k] += acc[k]
            for shorter in range(w):
                for k in range(SUMMED):
                    base[c, shorter, k] += acc[k]
            return True
        for k in range(SUMMED):
            base[c, w, k] -= acc[k]
    return False


@inner
def _fold(acc: Any) -> None:
    """What is remarkable, of whatever sort, in one column."""
    for k in range(MARKED + 1, CONFLICTS):
        acc[MARKED] += acc[k]
        acc[k] = 0


@inner
def _is_whole(acc: Any, length: int) -> int:
    return int(acc[COVERED] == length and acc[ESTIMATED] == 0)
