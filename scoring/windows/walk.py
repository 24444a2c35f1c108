"""What the kept readings of one channel say about (start, end], to the millisecond."""

from __future__ import annotations

from typing import Any

from scoring.windows.buffer import search, won
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


@kernel
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


@kernel
def _notes(entries: Any, ch: Any, i: int, end: int, acc: Any) -> None:
    """Count what is remarkable about the readings from entry i to the time `end`."""
    begin = ch.begin
    while i < ch.count and entries[begin + i].ts <= end:
        if not won(entries, ch, i):
            acc[CONFLICTS] += 1
        else:
            state = entries[begin + i].state
            if state & OUTSIDE:
                acc[OUT_OF_RANGE] += 1
            if state & BAD_LETTER:
                acc[LETTERS] += 1
            if state & SPIKE:
                acc[SPIKES] += 1
        i += 1


@kernel
def _counter(entries: Any, ch: Any, i: int, start: int, end: int, acc: Any) -> None:
    """A pair's amount lies evenly between its two readings."""
    begin = ch.begin
    before = staying_before(entries, ch, i)
    while i < ch.count:
        at = begin + i
        if not won(entries, ch, i) or entries[at].state & (OUTSIDE | LEFT_OUT):
            i += 1
            continue
        t1 = entries[at].ts
        if before >= 0:
            t0 = entries[begin + before].ts
            code, amount = pair(ch, t0, entries[begin + before].value, t1, entries[at].value)
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


@kernel
def _held(entries: Any, ch: Any, i: int, start: int, end: int, acc: Any) -> None:
    """A rate or level holds until the next reading, at most max_gap."""
    begin = ch.begin
    i = max(i - 1, 0)
    while i < ch.count and entries[begin + i].ts < end:
        if won(entries, ch, i) and entries[begin + i].state & (OUTSIDE | BAD_LETTER) == 0:
            until = min(end, entries[begin + i].ts + ch.gap)
            if i + 1 < ch.count:
                until = min(until, entries[begin + i + 1].ts)
            held = until - max(start, entries[begin + i].ts)
            if held > 0:
                add_product(acc, entries[begin + i].value, held)
                acc[COVERED] += held
        i += 1


@kernel
def _amount(entries: Any, ch: Any, i: int, start: int, end: int, acc: Any) -> None:
    """An amount lies evenly in the period that ends with its reading, or in that instant."""
    begin = ch.begin
    period = ch.period
    before = i - 1
    while before >= 0 and (not won(entries, ch, before) or entries[begin + before].state & OUTSIDE):
        before -= 1
    while i < ch.count and (entries[begin + i].ts <= end or entries[begin + i].ts - period < end):
        if won(entries, ch, i) and entries[begin + i].state & OUTSIDE == 0:
            t1 = entries[begin + i].ts
            t0 = t1 - period
            if t0 >= start and t1 <= end:
                add(acc, entries[begin + i].value)
            else:  # period > 0
                high = min(end, t1) - t0
                low = max(start, t0) - t0
                add(acc, share(entries[begin + i].value, high, period) - share(entries[begin + i].value, low, period))
            open_from = max(start, t0) if before < 0 else max(start, t0, entries[begin + before].ts)
            acc[COVERED] += max(0, min(end, t1) - open_from)
            before = i
        i += 1
