"""What the kept readings of one channel say about (start, end], to the millisecond."""

from __future__ import annotations

from typing import Any

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


@inner
def part(entries: Any, ch: Any, start: int, end: int, acc: Any) -> None:
    """Add channel c's sum over (start, end] to the columns of `acc` (not carried)."""
    if start >= end or ch.count == 0:
        return
    first = search(entries, ch, start)
    _notes(entries, ch, first, end, acc)
    if ch.kind == COUNTER:
        _counter(entries, ch, first, start, end, acc)
    elif ch.kind >= RATE:
        _held(entries, ch, first, start, end, acc)
    else:
        _amount(entries, ch, first, start, end, acc)


@inner
def _notes(entries: Any, ch: Any, i: int, end: int, acc: Any) -> None:
    """Count what is remarkable about the readings from entry i to the time `end`."""
    while i < ch.count and ts_of(entries, ch, i) <= end:
        if not won(entries, ch, i):
            acc[CONFLICTS] += 1
        else:
            state = state_of(entries, ch, i)
            if state & OUTSIDE:
                acc[OUT_OF_RANGE] += 1
            if state & BAD_LETTER:
                acc[LETTERS] += 1
            if state & SPIKE:
                acc[SPIKES] += 1
        i += 1


@inner
def _counter(entries: Any, ch: Any, i: int, start: int, end: int, acc: Any) -> None:
    """A pair's amount lies evenly between its two readings."""
    before = staying_before(entries, ch, i)
    while i < ch.count:
        if not won(entries, ch, i) or state_of(entries, ch, i) & (OUTSIDE | LEFT_OUT):
            i += 1
            continue
        t1 = ts_of(entries, ch, i)
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
    i = max(i - 1, 0)
    while i < ch.count and ts_of(entries, ch, i) < end:
        if won(entries, ch, i) and state_of(entries, ch, i) & (OUTSIDE | BAD_LETTER) == 0:
            until = min(end, ts_of(entries, ch, i) + ch.gap)
            if i + 1 < ch.count:
                until = min(until, ts_of(entries, ch, i + 1))
            held = until - max(start, ts_of(entries, ch, i))
            if held > 0:
                add_product(acc, value_of(entries, ch, i), held)
                acc[COVERED] += held
        i += 1


@inner
def _amount(entries: Any, ch: Any, i: int, start: int, end: int, acc: Any) -> None:
    """An amount lies evenly in the period that ends with its reading, or in that instant."""
    period = ch.period
    before = i - 1
    while before >= 0 and (not won(entries, ch, before) or state_of(entries, ch, before) & OUTSIDE):
        before -= 1
    while i < ch.count and (ts_of(entries, ch, i) <= end or ts_of(entries, ch, i) - period < end):
        if won(entries, ch, i) and state_of(entries, ch, i) & OUTSIDE == 0:
            t1 = ts_of(entries, ch, i)
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
