"""What the kept readings of one channel say about (start, end], to the millisecond."""

from __future__ import annotations

from typing import Any, Final

from scoring.windows.buffer import search, won
from scoring.windows.counters import BAD_RISE, GOOD, RESET, estimated, pair, staying_before
from scoring.windows.exact import add, add_product, share
from scoring.windows.kept import state_of, ts_of, value_of
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
    inner,
)

NOTED: Final = OUTSIDE | BAD_LETTER | SPIKE


@inner
def part(entries: Any, ch: Any, start: int, end: int, acc: Any) -> None:
    """Add channel c's sum over (start, end] to the columns of `acc` (not carried)."""
    if start >= end or ch.count == 0:
        return
    first = search(entries, ch, start)
    if ch.kind == COUNTER:
        _counter(entries, ch, first, start, end, acc)
    elif ch.kind >= RATE:
        _held(entries, ch, first, start, end, acc)
    else:
        _amount(entries, ch, first, start, end, acc)


@inner
def _note(state: int, acc: Any) -> None:
    """Count what is remarkable about a winning reading."""
    acc[OUT_OF_RANGE] += state & OUTSIDE != 0
    acc[LETTERS] += state & BAD_LETTER != 0
    acc[SPIKES] += state & SPIKE != 0


@inner
def _counter(entries: Any, ch: Any, i: int, start: int, end: int, acc: Any) -> None:
    """A pair's amount lies evenly between its two readings."""
    n = ch.count
    before = staying_before(entries, ch, i)
    following = ts_of(entries, ch, i) if i < n else end
    while i < n:
        t1 = following
        following = ts_of(entries, ch, i + 1) if i + 1 < n else t1 + 1
        state = state_of(entries, ch, i)
        if t1 == following:
            acc[CONFLICTS] += t1 <= end
        elif t1 <= end and state & NOTED:
            _note(state, acc)
        if t1 == following or state & (OUTSIDE | LEFT_OUT):
            i += 1
            continue
        if before >= 0:
            t0 = ts_of(entries, ch, before)
            code, amount = pair(ch, t0, value_of(entries, ch, before), t1, value_of(entries, ch, i))
            low = max(start, t0)
            high = min(end, t1)
            if t0 >= start and t1 <= end:
                add(acc, amount)
            else:
                add(acc, share(amount, high - t0, t1 - t0) - share(amount, low - t0, t1 - t0))
            acc[COVERED] += high - low
            if estimated(entries, ch, before, i):
                acc[ESTIMATED] += high - low
            if code != GOOD and t1 <= end:
                acc[RESETS] += code == RESET
                acc[BAD_RISES] += code == BAD_RISE
        if t1 >= end:
            return
        before = i
        i += 1


@inner
def _held(entries: Any, ch: Any, i: int, start: int, end: int, acc: Any) -> None:
    """A rate or level holds until the next reading, at most max_gap."""
    n = ch.count
    i = max(i - 1, 0)
    following = ts_of(entries, ch, i)
    while i < n and following <= end:
        t = following
        following = ts_of(entries, ch, i + 1) if i + 1 < n else t + ch.gap + 1
        state = state_of(entries, ch, i)
        if t == following:
            acc[CONFLICTS] += t > start
        elif state & (OUTSIDE | BAD_LETTER) == 0:
            held = min(end, t + ch.gap, following) - max(start, t)
            if held > 0:
                add_product(acc, value_of(entries, ch, i), held)
                acc[COVERED] += held
        elif t > start:
            _note(state, acc)
        i += 1


@inner
def _amount(entries: Any, ch: Any, i: int, start: int, end: int, acc: Any) -> None:
    """An amount lies evenly in the period that ends with its reading, or in that instant."""
    period = ch.period
    before = i - 1
    while before >= 0 and (not won(entries, ch, before) or state_of(entries, ch, before) & OUTSIDE):
        before -= 1
    while i < ch.count and (ts_of(entries, ch, i) <= end or ts_of(entries, ch, i) - period < end):
        t1 = ts_of(entries, ch, i)
        state = state_of(entries, ch, i)
        if not won(entries, ch, i):
            acc[CONFLICTS] += t1 <= end
            i += 1
            continue
        if t1 <= end and state & NOTED:
            _note(state, acc)
        if state & OUTSIDE == 0:
            t0 = t1 - period
            if t0 >= start and t1 <= end:
                add(acc, value_of(entries, ch, i))
            else:  # period > 0
                high = min(end, t1) - t0
                low = max(start, t0) - t0
                add(acc, share(value_of(entries, ch, i), high, period) - share(value_of(entries, ch, i), low, period))
            open_from = max(start, t0) if before < 0 else max(start, t0, ts_of(entries, ch, before))
            acc[COVERED] += max(0, min(end, t1) - open_from)
            before = i
        i += 1
