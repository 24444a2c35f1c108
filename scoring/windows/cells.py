"""Exact integer cells of one minute and of one hour, and spans added up from them.

Cells reach to the last whole minute before a channel's newest reading; what lies after it, and what
is asked for by the second, is summed from the kept readings. A cell is a function of the winning
readings: whatever touched it, it is summed anew. Each resolution is a ring: minute m stands in row
m modulo the ring's length, and is there while m >= sealed - length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.windows.buffer import NONE, Kept, search
from scoring.windows.counters import scan, staying_before, stays
from scoring.windows.exact import carry
from scoring.windows.kernel import COLUMNS, COUNTER, HOUR, MINUTE, TIMES, kernel
from scoring.windows.rules import Rules
from scoring.windows.walk import part

I64 = NDArray[np.int64]


class Cells(NamedTuple):
    """Rings of cells: [channel, row, column]. Columns as in scoring.windows.kernel, totals apart from counts."""

    minute_total: I64  # HIGH, LOW
    minute_times: NDArray[np.uint16]  # the other columns
    hour_total: I64
    hour_times: NDArray[np.uint32]
    edge_total: I64  # from the hour's start to the cut edge, for each of `edges`
    edge_times: NDArray[np.uint32]
    edges: I64  # ms, ascending: times inside an hour at which windows may be cut
    sealed: I64  # first minute (ms / 60,000) not yet in the cells; NONE before the first reading

    @classmethod
    def empty(cls, channels: int, minutes: int, hours: int, edges: I64) -> Cells:
        """Cells of nothing."""
        return cls(
            minute_total=np.zeros((channels, minutes, TIMES), np.int64),
            minute_times=np.zeros((channels, minutes, COLUMNS - TIMES), np.uint16),
            hour_total=np.zeros((channels, hours, TIMES), np.int64),
            hour_times=np.zeros((channels, hours, COLUMNS - TIMES), np.uint32),
            edge_total=np.zeros((channels, len(edges), TIMES), np.int64),
            edge_times=np.zeros((channels, len(edges), COLUMNS - TIMES), np.uint32),
            edges=edges,
            sealed=np.full(channels, NONE, np.int64),
        )


@kernel
def settle(kept: Kept, rules: Rules, cells: Cells, c: int, acc: Any) -> tuple[int, int]:
    """Bring channel c's cells up to date; the time (from, to) in which its readings' meaning may have changed."""
    counter = rules.kind[c] == COUNTER
    if counter:
        scan(kept, rules, c)
    begin = kept.begin[c]
    low = kept.low[c] - rules.period[c]
    high = kept.newest[c]
    i = search(kept, c, kept.high[c])
    while i < kept.count[c] and counter and not stays(kept, c, i):
        i += 1
    if i < kept.count[c]:
        high = kept.ts[begin + i]
    if counter:
        i = staying_before(kept, c, search(kept, c, kept.low[c] - 1))
        if i >= 0:
            low = kept.ts[begin + i]

    sealed = kept.newest[c] // MINUTE
    first = (low - 1) // MINUTE
    last = -(-high // MINUTE)  # exclusive
    old = cells.sealed[c]
    if old == NONE:
        old = first
    cells.sealed[c] = max(sealed, old)
    _minutes(kept, rules, cells, c, max(first, sealed - cells.minute_total.shape[1]), min(last, old), acc)
    _minutes(kept, rules, cells, c, max(old, sealed - cells.minute_total.shape[1]), sealed, acc)
    first_hour = min(first, old) // 60
    _hours(kept, rules, cells, c, max(first_hour, sealed // 60 - cells.hour_total.shape[1]), sealed // 60, acc)
    kept.low[c] = -NONE
    kept.high[c] = NONE
    was = kept.settled[c]
    kept.settled[c] = kept.newest[c]
    return min(low, was) if was > NONE else low, high


@kernel
def _minutes(kept: Kept, rules: Rules, cells: Cells, c: int, first: int, stop: int, acc: Any) -> None:
    """Sum the minutes [first, stop) of channel c anew."""
    floor = kept.floor[c]
    for minute in range(first, stop):
        if minute * MINUTE < floor:
            continue  # frozen
        acc[:] = 0
        part(kept, rules, c, minute * MINUTE, (minute + 1) * MINUTE, acc)
        carry(acc)
        row = minute % cells.minute_total.shape[1]
        for k in range(TIMES):
            cells.minute_total[c, row, k] = acc[k]
        for k in range(TIMES, COLUMNS):
            cells.minute_times[c, row, k - TIMES] = min(acc[k], 65535)


@kernel
def _hours(kept: Kept, rules: Rules, cells: Cells, c: int, first: int, stop: int, acc: Any) -> None:
    """Sum the hours [first, stop) of channel c anew, and what cut edges need of them."""
    for hour in range(first, stop):
        start = hour * HOUR
        if start < kept.floor[c]:
            continue
        _sum_minutes(kept, rules, cells, c, start, start + HOUR, acc)
        row = hour % cells.hour_total.shape[1]
        for k in range(TIMES):
            cells.hour_total[c, row, k] = acc[k]
        for k in range(TIMES, COLUMNS):
            cells.hour_times[c, row, k - TIMES] = acc[k]
        e = np.searchsorted(cells.edges, start)
        while e < len(cells.edges) and cells.edges[e] < start + HOUR:
            _sum_minutes(kept, rules, cells, c, start, cells.edges[e], acc)
            for k in range(TIMES):
                cells.edge_total[c, e, k] = acc[k]
            for k in range(TIMES, COLUMNS):
                cells.edge_times[c, e, k - TIMES] = acc[k]
            e += 1


@kernel
def _sum_minutes(kept: Kept, rules: Rules, cells: Cells, c: int, start: int, end: int, acc: Any) -> None:
    acc[:] = 0
    if start // MINUTE >= cells.sealed[c] - cells.minute_total.shape[1]:
        _add(cells.minute_total, cells.minute_times, c, start // MINUTE, end // MINUTE, acc)
    else:  # an interval longer than the minutes are kept
        part(kept, rules, c, start, end, acc)
    carry(acc)


@kernel
def _add(total: Any, times: Any, c: int, first: int, stop: int, acc: Any) -> None:
    """Add the ring's cells [first, stop) of channel c to acc."""
    length = total.shape[1]
    while first < stop:
        row = first % length
        upto = min(length, row + stop - first)
        for r in range(row, upto):
            for k in range(TIMES):
                acc[k] += total[c, r, k]
            for k in range(TIMES, COLUMNS):
                acc[k] += times[c, r, k - TIMES]
        first += upto - row


@kernel
def _edge(cells: Cells, c: int, at: int, sign: int, acc: Any) -> None:
    """Add (or take away) what lies between the hour's start and the cut edge `at`, if it is one."""
    e = np.searchsorted(cells.edges, at)
    if e < len(cells.edges) and cells.edges[e] == at:
        for k in range(TIMES):
            acc[k] += sign * cells.edge_total[c, e, k]
        for k in range(TIMES, COLUMNS):
            acc[k] += sign * np.int64(cells.edge_times[c, e, k - TIMES])


@kernel
def span(kept: Kept, rules: Rules, cells: Cells, c: int, start: int, end: int, acc: Any) -> None:
    """Channel c's sum over (start, end]: readings to the next minute, minutes to the next hour, hours, and back.

    Hours before the ring read as nothing; minutes before theirs are known only at whole hours and cut edges.
    """
    acc[:] = 0
    sealed = cells.sealed[c] * MINUTE if cells.sealed[c] > NONE else start
    first = max(-(-start // MINUTE) * MINUTE, start)
    stop = min((end // MINUTE) * MINUTE, sealed)
    if first >= stop:  # nothing of it in the cells
        part(kept, rules, c, start, end, acc)
        carry(acc)
        return
    part(kept, rules, c, start, first, acc)
    part(kept, rules, c, stop, end, acc)
    oldest = (cells.sealed[c] - cells.minute_total.shape[1]) * MINUTE
    first_hour = -(-first // HOUR)
    stop_hour = stop // HOUR
    if first_hour > stop_hour:  # both inside one hour
        if first >= oldest:
            _add(cells.minute_total, cells.minute_times, c, first // MINUTE, stop // MINUTE, acc)
        else:
            _edge(cells, c, stop, 1, acc)
            _edge(cells, c, first, -1, acc)
        carry(acc)
        return
    length = cells.hour_total.shape[1]
    if first < first_hour * HOUR:
        if first >= oldest:
            _add(cells.minute_total, cells.minute_times, c, first // MINUTE, first_hour * 60, acc)
        elif first_hour - 1 >= sealed // HOUR - length:
            _add(cells.hour_total, cells.hour_times, c, first_hour - 1, first_hour, acc)
            _edge(cells, c, first, -1, acc)
    _add(cells.hour_total, cells.hour_times, c, max(first_hour, sealed // HOUR - length), stop_hour, acc)
    if stop_hour * HOUR < stop:
        if stop_hour * HOUR >= oldest:
            _add(cells.minute_total, cells.minute_times, c, stop_hour * 60, stop // MINUTE, acc)
        else:
            _edge(cells, c, stop, 1, acc)
    carry(acc)


@kernel
def spans(kept: Kept, rules: Rules, cells: Cells, start: int, end: int, out: Any) -> None:
    """Every channel's sum over (start, end]: out[channel, column]."""
    for c in range(len(out)):
        span(kept, rules, cells, c, start, end, out[c])
