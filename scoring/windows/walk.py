"""What the kept readings of one channel say about (start, end], to the millisecond."""

from __future__ import annotations

from typing import Any

from scoring.windows.buffer import Kept, search, won
from scoring.windows.counters import BAD_RISE, GOOD, RESET, estimated, pair, staying_before
from scoring.windows.exact import add, add_product, share
from scoring.windows.kernel import (
    BAD_LETTER,
    BAD_RISES,
    CONFLICTS,
    COUNTER,
    COVERED,
    ESTIMATED,
    LEFT_OUT,
    LETTERS,
    OUT_OF_RANGE,
    OUTSIDE,
    RATE,
    RESETS,
    SPIKE,
    SPIKES,
    kernel,
)
from scoring.windows.rules import Rules


@kernel
def part(kept: Kept, rules: Rules, c: int, start: int, end: int, acc: Any) -> None:
    """Add channel c's sum over (start, end] to the columns of `acc` (not carried)."""
    if start >= end or kept.count[c] == 0:
        return
    first = search(kept, c, start)
    _notes(kept, c, first, end, acc)
    if rules.kind[c] == COUNTER:
        _counter(kept, rules, c, first, start, end, acc)
    elif rules.kind[c] >= RATE:
        _held(kept, rules, c, first, start, end, acc)
    else:
        _amount(kept, rules, c, first, start, end, acc)


@kernel
def _notes(kept: Kept, c: int, i: int, end: int, acc: Any) -> None:
    """Count what is remarkable about the readings from entry i to the time `end`."""
    begin = kept.begin[c]
    while i < kept.count[c] and kept.ts[begin + i] <= end:
        if not won(kept, c, i):
            acc[CONFLICTS] += 1
        else:
            state = kept.state[begin + i]
            if state & OUTSIDE:
                acc[OUT_OF_RANGE] += 1
            if state & BAD_LETTER:
                acc[LETTERS] += 1
            if state & SPIKE:
                acc[SPIKES] += 1
        i += 1


@kernel
def _counter(kept: Kept, rules: Rules, c: int, i: int, start: int, end: int, acc: Any) -> None:
    """A pair's amount lies evenly between its two readings."""
    begin = kept.begin[c]
    before = staying_before(kept, c, i)
    while i < kept.count[c]:
        at = begin + i
        if not won(kept, c, i) or kept.state[at] & (OUTSIDE | LEFT_OUT):
            i += 1
            continue
        t1 = kept.ts[at]
        if before >= 0:
            t0 = kept.ts[begin + before]
            code, amount = pair(rules, c, t0, kept.value[begin + before], t1, kept.value[at])
            low = max(start, t0)
            high = min(end, t1)
            if t0 >= start and t1 <= end:
                add(acc, amount)
            else:
                add(acc, share(amount, high - t0, t1 - t0) - share(amount, low - t0, t1 - t0))
            acc[COVERED] += high - low
            if estimated(kept, rules, c, before, i):
                acc[ESTIMATED] += high - low
            if code != GOOD and t1 <= end:
                acc[RESETS] += code == RESET
                acc[BAD_RISES] += code == BAD_RISE
        if t1 >= end:
            return
        before = i
        i += 1


@kernel
def _held(kept: Kept, rules: Rules, c: int, i: int, start: int, end: int, acc: Any) -> None:
    """A rate or level holds until the next reading, at most max_gap."""
    begin = kept.begin[c]
    i = max(i - 1, 0)
    while i < kept.count[c] and kept.ts[begin + i] < end:
        if won(kept, c, i) and kept.state[begin + i] & (OUTSIDE | BAD_LETTER) == 0:
            until = min(end, kept.ts[begin + i] + rules.gap[c])
            if i + 1 < kept.count[c]:
                until = min(until, kept.ts[begin + i + 1])
            held = until - max(start, kept.ts[begin + i])
            if held > 0:
                add_product(acc, kept.value[begin + i], held)
                acc[COVERED] += held
        i += 1


@kernel
def _amount(kept: Kept, rules: Rules, c: int, i: int, start: int, end: int, acc: Any) -> None:
    """An amount lies evenly in the period that ends with its reading, or in that instant."""
    begin = kept.begin[c]
    period = rules.period[c]
    before = i - 1
    while before >= 0 and (not won(kept, c, before) or kept.state[begin + before] & OUTSIDE):
        before -= 1
    while i < kept.count[c] and (kept.ts[begin + i] <= end or kept.ts[begin + i] - period < end):
        if won(kept, c, i) and kept.state[begin + i] & OUTSIDE == 0:
            t1 = kept.ts[begin + i]
            t0 = t1 - period
            if t0 >= start and t1 <= end:
                add(acc, kept.value[begin + i])
            else:  # period > 0
                high = min(end, t1) - t0
                low = max(start, t0) - t0
                add(acc, share(kept.value[begin + i], high, period) - share(kept.value[begin + i], low, period))
            open_from = max(start, t0) if before < 0 else max(start, t0, kept.ts[begin + before])
            acc[COVERED] += max(0, min(end, t1) - open_from)
            before = i
        i += 1
