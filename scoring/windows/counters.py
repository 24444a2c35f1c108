"""Counters (semantics §2): which readings are spikes, and what a pair of readings counts."""

from __future__ import annotations

import numpy as np

from scoring.windows.buffer import NONE, Kept, search, won
from scoring.windows.exact import within
from scoring.windows.kernel import COUNTER, HOUR, LEFT_OUT, OUTSIDE, SOLID, SPIKE, kernel
from scoring.windows.rules import Rules

GOOD = 0
RESET = 1
BAD_RISE = 2


@kernel
def pair(rules: Rules, c: int, t0: int, v0: int, t1: int, v1: int) -> tuple[int, int]:
    """(GOOD, RESET or BAD_RISE; the steps that the pair counts)."""
    dt = t1 - t0
    rise = v1 - v0
    num = rules.rise_num[c]
    den = rules.rise_den[c]
    if rise >= 0:
        if within(rise, num, den, dt):
            return GOOD, rise
        return BAD_RISE, 0
    wrapped = rise + rules.modulus[c]
    if rules.modulus[c] > 0 and wrapped >= 0 and within(wrapped, num, den, dt):
        return GOOD, wrapped
    if v1 > 0 and within(v1, num, den, dt):
        return RESET, v1
    return RESET, 0


@kernel
def _good(kept: Kept, rules: Rules, c: int, i: int, j: int) -> bool:
    a = kept.begin[c] + i
    b = kept.begin[c] + j
    return pair(rules, c, kept.ts[a], kept.value[a], kept.ts[b], kept.value[b])[0] == GOOD


@kernel
def stays(kept: Kept, c: int, i: int) -> bool:
    """Whether entry i is a winner, in range and not left out."""
    return won(kept, c, i) and kept.state[kept.begin[c] + i] & (OUTSIDE | LEFT_OUT) == 0


@kernel
def staying_before(kept: Kept, c: int, i: int) -> int:
    """The nearest entry before i that stays; -1 for none."""
    i -= 1
    while i >= 0 and not stays(kept, c, i):
        i -= 1
    return i


@kernel
def estimated(kept: Kept, rules: Rules, c: int, i: int, j: int) -> bool:
    """Whether the time between two readings of a counter that follow each other is estimated."""
    a = kept.begin[c] + i
    b = kept.begin[c] + j
    if kept.state[b] & SOLID and kept.value[a] == kept.value[b]:
        return False
    return kept.ts[b] - kept.ts[a] > rules.gap[c]


@kernel
def _valued(kept: Kept, c: int, i: int, step: int) -> int:
    """The nearest winner in range before (step -1) or after (+1) entry i, spike or not; -1 for none."""
    i += step
    while 0 <= i < kept.count[c]:
        if won(kept, c, i) and kept.state[kept.begin[c] + i] & OUTSIDE == 0:
            return i
        i += step
    return -1


@kernel
def anchor(kept: Kept, rules: Rules, c: int, before: int) -> int:
    """The newest entry that no change at or after the time `before` can touch, and from which the scan may resume; -1: none.

    It stays, it is an end of a run of equal values, and what stays before it makes a good pair with it (or nothing
    stands before it). Then the scan can never step back over it: a successor that is left out leaves another good pair
    behind. The entry after it must lie before the change too, for the anchor was examined with it.
    """
    begin = kept.begin[c]
    i = search(kept, c, before - 1)
    if kept.settled[c] < before and kept.run[c] > NONE:  # only appended: jump over the newest run of equal values
        last = _valued(kept, c, search(kept, c, kept.settled[c]), -1)
        first = search(kept, c, kept.run[c]) - 1
        if 0 <= first < last and kept.ts[begin + first] == kept.run[c]:
            i = first + 1
    while True:
        i = _valued(kept, c, i, -1)
        if i < 0:
            return -1
        after = _valued(kept, c, i, 1)
        if after < 0 or kept.ts[begin + after] >= before or not stays(kept, c, i):
            continue
        p = _valued(kept, c, i, -1)
        if p >= 0 and kept.value[begin + p] == kept.value[begin + i] == kept.value[begin + after]:
            continue  # inside a run
        q = staying_before(kept, c, i)
        if q < 0 or _good(kept, rules, c, q, i):
            return i


@kernel
def scan(kept: Kept, rules: Rules, c: int) -> None:
    """Mark the spikes of channel c anew where readings in [low[c], high[c]] changed; widens low and high to all it changed."""
    begin = kept.begin[c]
    n = kept.count[c]
    start = max(anchor(kept, rules, c, kept.low[c]), 0)
    ends = np.empty(n - start, np.int64)
    gone = np.zeros(n - start, np.uint8)  # by end
    size = 0
    run = -1
    for i in range(start, n):
        if not won(kept, c, i) or kept.state[begin + i] & OUTSIDE:
            continue
        if run >= 0 and kept.value[begin + i] == kept.value[begin + run]:
            if ends[size - 1] == run:
                size += 1
            ends[size - 1] = i
        else:
            run = i
            ends[size] = i
            size += 1
    if run >= 0:
        kept.run[c] = kept.ts[begin + run]

    left = np.empty(size + 1, np.int64)  # ends examined and kept so far
    depth = 0
    if size:
        left[0] = 0
        depth = 1
    current = 1
    after = 2
    while after < size:
        before = left[depth - 1]
        bad = not _good(kept, rules, c, ends[before], ends[current]) or not _good(kept, rules, c, ends[current], ends[after])
        if bad and _good(kept, rules, c, ends[before], ends[after]):
            gone[current] = 1
            if depth > 1:  # resume at the predecessor
                depth -= 1
                current = left[depth]
            else:
                current = after
                after += 1
        else:
            left[depth] = current
            depth += 1
            current = after
            after += 1

    k = 0
    lowest = n
    highest = -1
    for i in range(start, n):
        if not won(kept, c, i) or kept.state[begin + i] & OUTSIDE:
            state = 0
        else:
            while k + 1 < size and ends[k + 1] <= i:
                k += 1
            if ends[k] == i:
                state = LEFT_OUT | SPIKE if gone[k] else 0
            else:  # inside a run: it goes with either end
                state = LEFT_OUT if gone[k] or gone[k + 1] else 0
        if kept.state[begin + i] & (LEFT_OUT | SPIKE) != state:
            kept.state[begin + i] = kept.state[begin + i] & ~(LEFT_OUT | SPIKE) | state
            lowest = min(lowest, i)
            highest = max(highest, i)
    if highest >= 0:
        kept.low[c] = min(kept.low[c], kept.ts[begin + lowest])
        kept.high[c] = max(kept.high[c], kept.ts[begin + highest])


@kernel
def _thin(kept: Kept, rules: Rules, c: int, before: int) -> None:
    """Drop what lies inside runs of equal values before the time `before`: a counter that stands still needs no memory."""
    begin = kept.begin[c]
    n = kept.count[c]
    to = 0
    for i in range(n):
        at = begin + i
        drop = False
        if 0 < to and i + 1 < n and kept.ts[at + 1] < before and kept.ts[at] != kept.ts[at - 1]:
            last = begin + to - 1
            same = kept.value[last] == kept.value[at] == kept.value[at + 1]
            plain = (kept.state[last] | kept.state[at] | kept.state[at + 1]) & (255 - SOLID) == 0
            near = kept.state[at] & SOLID != 0 or kept.ts[at] - kept.ts[last] <= rules.gap[c]
            near = near and kept.ts[at + 1] - kept.ts[at] <= rules.gap[c]
            drop = same and plain and near and won(kept, c, i) and won(kept, c, i + 1)
        if drop:
            kept.state[at + 1] |= SOLID
            continue
        _move(kept, begin + to, at)
        to += 1
    kept.count[c] = to


@kernel
def _move(kept: Kept, to: int, at: int) -> None:
    kept.ts[to] = kept.ts[at]
    kept.value[to] = kept.value[at]
    kept.rev[to] = kept.rev[at]
    kept.state[to] = kept.state[at]


@kernel
def _first_needed(kept: Kept, rules: Rules, c: int, before: int) -> int:
    if rules.kind[c] == COUNTER:
        return anchor(kept, rules, c, before)
    return search(kept, c, before - 1) - 1


@kernel
def compact(kept: Kept, rules: Rules, c: int, most: int, horizon: int) -> None:
    """Drop the readings of channel c that no coming reading can change the meaning of. Its scan must be up to date.

    A coming reading is at most `keep` older than the newest. Cells after `floor` stay computable from what is kept:
    every reading after it and the last one before. A counter that is nothing but bad pairs never settles: where more
    than `most` readings are left, those of it older than `horizon` ms are settled as they are.
    """
    begin = kept.begin[c]
    n = kept.count[c]
    cut = kept.newest[c] - rules.keep[c] - rules.period[c]
    first = _first_needed(kept, rules, c, cut)
    if first >= 0:
        floor = (kept.ts[begin + first] // HOUR) * HOUR
        first = _first_needed(kept, rules, c, floor + 1)
        if first > 0:
            kept.floor[c] = max(kept.floor[c], floor)
    if rules.kind[c] == COUNTER and n - max(first, 0) > most:
        forced = staying_before(kept, c, search(kept, c, kept.newest[c] - horizon))
        if forced > first:
            first = forced
            kept.floor[c] = max(kept.floor[c], -(-kept.ts[begin + first] // HOUR) * HOUR)
    if first > 0:
        for i in range(first, n):
            _move(kept, begin + i - first, begin + i)
        kept.count[c] = n - first
    if rules.kind[c] == COUNTER:
        _thin(kept, rules, c, cut)
