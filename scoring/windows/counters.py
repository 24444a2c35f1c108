"""Counters (semantics §2): which readings are spikes, and what a pair of readings counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from devices.readings import I64
from scoring.windows.buffer import search, valid, won
from scoring.windows.exact import within
from scoring.windows.fitting import narrow
from scoring.windows.kept import drop, move, set_state, state_of, ts_of, value_of
from scoring.windows.kernel import COUNTER, LEFT_OUT, MINUTE, OUTSIDE, SOLID, SPIKE, allocating, inner, kernel
from scoring.windows.records import NONE

GOOD = 0
RESET = 1
BAD_RISE = 2


@inner
def pair(ch: Any, t0: int, v0: int, t1: int, v1: int) -> tuple[int, int]:
    """(GOOD, RESET or BAD_RISE; the steps that the pair counts)."""
    dt = t1 - t0
    rise = v1 - v0
    num = ch.rise_num
    den = ch.rise_den
    if rise >= 0:
        if within(rise, num, den, dt):
            return GOOD, rise
        return BAD_RISE, 0
    wrapped = rise + ch.modulus
    if ch.modulus > 0 and wrapped >= 0 and within(wrapped, num, den, dt):
        return GOOD, wrapped
    if v1 > 0 and within(v1, num, den, dt):
        return RESET, v1
    return RESET, 0


@inner
def _good(entries: Any, ch: Any, i: int, j: int) -> bool:
    t0, v0, t1, v1 = ts_of(entries, ch, i), value_of(entries, ch, i), ts_of(entries, ch, j), value_of(entries, ch, j)
    return pair(ch, t0, v0, t1, v1)[0] == GOOD


@inner
def stays(entries: Any, ch: Any, i: int) -> bool:
    """Whether entry i is a winner, in range and not left out."""
    return bool(won(entries, ch, i) and state_of(entries, ch, i) & (OUTSIDE | LEFT_OUT) == 0)


@inner
def staying_before(entries: Any, ch: Any, i: int) -> int:
    """The nearest entry before i that stays; -1 for none."""
    i -= 1
    while i >= 0 and not stays(entries, ch, i):
        i -= 1
    return i


@inner
def estimated(entries: Any, ch: Any, i: int, j: int) -> bool:
    """Whether the time between two readings of a counter that follow each other is estimated."""
    if state_of(entries, ch, j) & SOLID and value_of(entries, ch, i) == value_of(entries, ch, j):
        return False
    return bool(ts_of(entries, ch, j) - ts_of(entries, ch, i) > ch.gap)


@inner
def _valued(entries: Any, ch: Any, i: int) -> bool:
    """Whether entry i is a winner in range, spike or not."""
    return bool(won(entries, ch, i) and state_of(entries, ch, i) & OUTSIDE == 0)


@inner
def _before(entries: Any, ch: Any, i: int) -> int:
    """The nearest winner in range before entry i; -1 for none."""
    i -= 1
    while i >= 0 and not _valued(entries, ch, i):
        i -= 1
    return i


@inner
def _after(entries: Any, ch: Any, i: int) -> int:
    """The nearest winner in range after entry i; -1 for none."""
    i += 1
    while i < ch.count:
        if _valued(entries, ch, i):
            return i
        i += 1
    return -1


@inner
def anchor(entries: Any, ch: Any, before: int) -> int:
    """The newest entry that no change at or after the time `before` can touch: the scan may resume there. -1: none.

    It stays, it is an end of a run of equal values, and what stays before it makes a good pair with it (or nothing
    stands before it). Then the scan can never step back over it: a successor that is left out leaves another good pair
    behind. The entry after it must lie before the change too, for the anchor was examined with it.
    """
    i = search(entries, ch, before - 1)
    if ch.settled < before and ch.run > NONE:  # only appended: jump over the newest run of equal values
        last = _before(entries, ch, search(entries, ch, ch.settled))
        first = search(entries, ch, ch.run) - 1
        if 0 <= first < last and ts_of(entries, ch, first) == ch.run:
            i = first + 1
    while True:
        i = _before(entries, ch, i)
        if i < 0:
            return -1
        after = _after(entries, ch, i)
        if after < 0 or ts_of(entries, ch, after) >= before or not stays(entries, ch, i):
            continue
        p = _before(entries, ch, i)
        if p >= 0 and value_of(entries, ch, p) == value_of(entries, ch, i) == value_of(entries, ch, after):
            continue  # inside a run
        q = staying_before(entries, ch, i)
        if q < 0 or _good(entries, ch, q, i):
            return i


@inner
def _alike(entries: Any, ch: Any, i: int) -> int:
    """From entry i on, the first end of a run at which spikes were told apart by unchanged readings; `count` if none.

    Entries from i on are as they were. It and the one that stays before it stand there, make a good pair, and another
    one follows: a scan that finds the same before it finds the same after it.
    """
    n = ch.count
    was = _after(entries, ch, i - 1)
    q = -1
    while was >= 0:
        if stays(entries, ch, was):
            q = was
        at = _after(entries, ch, was)
        if at < 0:
            break
        begins = value_of(entries, ch, at) != value_of(entries, ch, was)
        if q >= 0 and begins and stays(entries, ch, at) and _good(entries, ch, q, at):
            return at if _after(entries, ch, at) >= 0 else int(n)
        was = at
    return int(n)


@inner
def scan(entries: Any, ch: Any) -> None:
    """Mark the spikes anew where readings in [low, high] changed; widens low and high to all whose meaning changed.

    It stops where all that follows is marked as it was: an end is an `anchor` by the marks before and by the new ones.
    """
    start = max(anchor(entries, ch, ch.low), 0)
    same = _alike(entries, ch, search(entries, ch, ch.high))
    if same == ch.count or not _scan(entries, ch, start, same):
        _scan(entries, ch, start, ch.count)


@allocating
def _scan(entries: Any, ch: Any, start: int, same: int) -> bool:
    """The same from the entry `start` on; false, and nothing is marked, if what follows the entry `same` may change."""
    n = ch.count if same == ch.count else _after(entries, ch, same) + 1
    work = np.empty((5, n - start + 1), np.int64)
    ends, gone, left = work[0], work[1], work[2]  # entries; whether they are spikes; ends examined and kept so far
    ts, values = work[3], work[4]  # of the ends
    size = 0
    run = -1
    of_run: Any = np.int64(0)
    t = ts_of(entries, ch, start)
    for i in range(start, n):
        following = ts_of(entries, ch, i + 1) if i + 1 < ch.count else t + 1
        if following != t and state_of(entries, ch, i) & OUTSIDE == 0:
            value = value_of(entries, ch, i)
            if run < 0 or value != of_run:
                run = i
                of_run = value
                size += 1
            elif ends[size - 1] == run:
                size += 1
            ends[size - 1] = i
            ts[size - 1] = t
            values[size - 1] = value
            gone[size - 1] = 0
        t = following
    marked, depth = _spikes(ch, ts, values, gone, left, size)
    if same < ch.count:
        last = left[depth - 1]
        if depth < 2 or ends[last] != same:
            return False
        before = left[depth - 2]
        if pair(ch, ts[before], values[before], ts[last], values[last])[0] != GOOD:
            return False
        n = same + 1
    elif run >= 0:
        ch.run = ts_of(entries, ch, run)

    k = 0
    lowest = n
    highest = -1
    for i in range(start, n):
        was = state_of(entries, ch, i) & (LEFT_OUT | SPIKE)
        if not marked and was == 0:
            continue
        if not _valued(entries, ch, i):
            state = 0
        else:
            while k + 1 < size and ends[k + 1] <= i:
                k += 1
            alone = ends[k] == i  # else inside a run: it goes with either end
            gone_with = gone[k] != 0 or (not alone and gone[k + 1] != 0)
            state = 0 if not gone_with else LEFT_OUT | SPIKE if alone else LEFT_OUT
        if was != state:
            set_state(entries, ch, i, state_of(entries, ch, i) & ~(LEFT_OUT | SPIKE) | state)
            lowest = min(lowest, i)
            highest = max(highest, i)
    if highest >= 0:
        ch.low = min(ch.low, ts_of(entries, ch, lowest))
        ch.high = max(ch.high, ts_of(entries, ch, highest))
    return True


@inner
def _spikes(ch: Any, ts: I64, values: I64, gone: I64, left: I64, size: int) -> tuple[bool, int]:
    """Mark which of the ends of runs are spikes; whether any is, and how many stand in `left`: the ends that were
    examined with what follows them and stay. It is room for as many ends.
    """
    left[0] = 0
    depth = 1
    current = 1
    after = 2
    marked = False
    sure = False  # that the pair before the current one is good
    free = ch.rise_num < 0
    while after < size:
        before = left[depth - 1]
        c = current
        onward = values[after] >= values[c] and free
        onward = onward or pair(ch, ts[c], values[c], ts[after], values[after])[0] == GOOD
        if not onward or not sure:
            bad = not onward or pair(ch, ts[before], values[before], ts[c], values[c])[0] != GOOD
            if bad and pair(ch, ts[before], values[before], ts[after], values[after])[0] == GOOD:
                gone[c] = 1
                marked = True
                sure = False
                if depth > 1:  # resume at the predecessor
                    depth -= 1
                    current = left[depth]
                else:
                    sure = True
                    current = after
                    after += 1
                continue
        left[depth] = current
        depth += 1
        current = after
        after += 1
        sure = onward
    return marked, depth


@inner
def _thin(entries: Any, ch: Any, before: int) -> None:
    """Drop what lies inside runs of equal values before a time: a counter that stands still needs no memory."""
    n = ch.count
    to = 0
    was = NONE
    for i in range(n):
        t = ts_of(entries, ch, i)
        drop = False
        if to > 0 and i + 1 < n and ts_of(entries, ch, i + 1) < before and t != was:
            last = to - 1
            states = state_of(entries, ch, last) | state_of(entries, ch, i) | state_of(entries, ch, i + 1)
            value = value_of(entries, ch, i)
            same = value_of(entries, ch, last) == value == value_of(entries, ch, i + 1)
            plain = states & (255 - SOLID) == 0
            near = state_of(entries, ch, i) & SOLID != 0 or t - ts_of(entries, ch, last) <= ch.gap
            near = near and ts_of(entries, ch, i + 1) - t <= ch.gap
            drop = same and plain and near and won(entries, ch, i) and won(entries, ch, i + 1)
        was = t
        if drop:
            set_state(entries, ch, i + 1, state_of(entries, ch, i + 1) | SOLID)
            continue
        move(entries, ch, to, i)
        to += 1
    ch.count = to


@inner
def _first_needed(entries: Any, ch: Any, before: int) -> int:
    if ch.kind == COUNTER:
        return anchor(entries, ch, before)
    i = search(entries, ch, before - 1) - 1
    while ch.weighs < ch.weighs_stop and i > 0 and not valid(entries, ch, i):
        i -= 1  # a laboratory's value holds until the next valid one
    return i


@inner
def compact(entries: Any, ch: Any, most: int, horizon: int) -> None:
    """Drop the readings of channel c that no coming reading can change the meaning of. Its scan must be up to date.

    A coming reading is at most `keep` older than the newest. Cells after `floor` stay computable from what is kept:
    every reading after it and the last one before. A counter that is nothing but bad pairs never settles: where more
    than `most` readings are left, those of it older than `horizon` ms are settled as they are.
    """
    n = ch.count
    cut = ch.newest - ch.keep - ch.period - ch.delay  # what is derived runs ahead of the clock
    first = _first_needed(entries, ch, cut)
    if first >= 0:
        floor = (ts_of(entries, ch, first) // MINUTE) * MINUTE
        first = _first_needed(entries, ch, floor + 1)
        if first > 0:
            ch.floor = max(ch.floor, floor)
    if ch.kind == COUNTER and n - max(first, 0) > most:
        forced = staying_before(entries, ch, search(entries, ch, ch.newest - horizon))
        if forced > first:
            first = forced
            ch.floor = max(ch.floor, -(-ts_of(entries, ch, first) // MINUTE) * MINUTE)
    if first > 0:
        drop(entries, ch, first)
    if ch.kind == COUNTER:
        _thin(entries, ch, cut)
    narrow(entries, ch)


@kernel
def compact_all(entries: Any, channels: Any, which: I64, most: int, horizon: int) -> None:
    """The same for some channels."""
    for c in which:
        compact(entries, channels[c], most, horizon)
