"""Exact integer cells of one minute and of one hour, and spans added up from them.

Cells reach to the last whole minute before a channel's newest reading; what lies after it, and what
is asked for by the second, is summed from the kept readings. A cell is a function of the winning
readings: whatever touched it, it is summed anew.

A channel's cells are a ring of minutes, a ring of hours, and one for each cut edge (from its hour's start to the
edge). Minute m is there while m >= sealed - the ring's length and m >= gone. How a cell is written:
scoring.windows.rows.
"""

from __future__ import annotations

from typing import Any

from scoring.windows.blocks import EDGES, HOURS, MINUTES, blocks_of, room_for
from scoring.windows.buffer import search
from scoring.windows.counters import scan, staying_before, stays
from scoring.windows.exact import carry, clear
from scoring.windows.kept import ts_of
from scoring.windows.kernel import COLUMNS, COUNTER, HOUR, MINUTE, RATE, inlined, inner, kernel
from scoring.windows.records import NONE
from scoring.windows.rows import add_cells, keep
from scoring.windows.weighing import kept_from, piece


@inlined
def settle(entries: Any, channels: Any, cells: Any, c: int, acc: Any) -> tuple[int, int]:
    """Bring channel c's cells up to date; the time (from, to) in which the meaning of its readings may have changed.

    Or (0, NONE) where cells find no room: then it is to be asked again, with more.
    """
    ch = channels[c]
    high = ch.newest
    if ch.kind == COUNTER:
        scan(entries, ch)
        i = search(entries, ch, ch.high)
        while i < ch.count and not stays(entries, ch, i):
            i += 1
        before = staying_before(entries, ch, search(entries, ch, ch.low - 1))
        low = ts_of(entries, ch, before) if before >= 0 else ch.low
    else:
        i = search(entries, ch, ch.high)
        low = ch.low - ch.period
    ch.steady = min(ch.steady, low, ch.low - 1)
    if i < ch.count:
        high = ts_of(entries, ch, i)
    ch.changed_low = min(ch.changed_low, low)
    ch.changed_high = max(ch.changed_high, high if i < ch.count or ch.kind < RATE else high + ch.gap)
    ch.again = max(ch.again, high if i < ch.count else -NONE)

    floor = kept_from(channels, cells.labs, ch)
    first = (low - 1) // MINUTE
    sealed = max(ch.newest // MINUTE, ch.sealed)
    old = ch.sealed if ch.sealed > NONE else first
    touched = -(-high // MINUTE)
    minute = max(min(first, old), sealed - cells.minutes)
    if touched >= ch.gone and minute * MINUTE >= floor:  # all of them are written now
        ch.gone = min(ch.gone, minute)
    first_hour = max(min(first, old) // 60, sealed // 60 - cells.hours)
    cut = 0
    for edge in cells.edges:
        cut += first_hour * HOUR <= edge < sealed * MINUTE
    if not room_for(cells, blocks_of(minute, sealed) + blocks_of(first_hour, sealed // 60) + 2 * cut):
        return 0, NONE
    while minute < sealed:
        if minute >= touched and minute < old:
            minute = old
            continue
        if minute * MINUTE >= floor:
            clear(acc)
            piece(entries, channels, cells.labs, ch, minute * MINUTE, (minute + 1) * MINUTE, acc)
            if minute < old:
                add_cells(cells, c, MINUTES, minute, minute + 1, -1, cells.gains[c])
                for k in range(COLUMNS):
                    cells.gains[c, k] += acc[k]
            if not keep(cells, c, MINUTES, minute, acc):
                ch.again = -NONE  # it would be gained twice: as if all that follows had changed
                return 0, NONE
        minute += 1
    for hour in range(first_hour, sealed // 60):
        start = hour * HOUR
        from_minutes = hour * 60 >= max(sealed - cells.minutes, ch.gone)
        if start + HOUR <= floor or (start < floor and not from_minutes):
            continue
        e = 0
        while e < len(cells.edges) and cells.edges[e] < start:
            e += 1
        while True:
            at_edge = e < len(cells.edges) and cells.edges[e] < start + HOUR
            end = cells.edges[e] if at_edge else start + HOUR
            clear(acc)
            if from_minutes:
                add_cells(cells, c, MINUTES, hour * 60, end // MINUTE, 1, acc)
            else:  # an interval longer than minutes are kept
                piece(entries, channels, cells.labs, ch, start, end, acc)
            if not at_edge:
                break
            if not keep(cells, c, EDGES, e, acc):
                return 0, NONE
            e += 1
        if not keep(cells, c, HOURS, hour, acc):
            return 0, NONE

    ch.sealed = sealed
    changed = min(low, ch.settled) if ch.settled > NONE else low
    ch.low = -NONE
    ch.high = NONE
    ch.settled = ch.newest
    return changed, high


@inner
def _add_edge(cells: Any, c: int, t: int, sign: int, acc: Any) -> None:
    """Add what lies between an hour's start and the cut edge at the time t, or take it off; nothing if it is none."""
    for e in range(len(cells.edges)):
        if cells.edges[e] == t:
            add_cells(cells, c, EDGES, e, e + 1, sign, acc)


@inner
def _whole_minutes(entries: Any, channels: Any, cells: Any, c: int, first: int, stop: int, acc: Any) -> None:
    """Add (first, stop] of one hour, whole minutes.

    Once the ring has passed them: from the kept readings, and where these are gone only up to or from a cut edge.
    """
    ch = channels[c]
    hour = first // HOUR
    sealed = ch.sealed
    if first // MINUTE >= max(sealed - cells.minutes, ch.gone):
        add_cells(cells, c, MINUTES, first // MINUTE, stop // MINUTE, 1, acc)
    elif kept_from(channels, cells.labs, ch) <= first:
        piece(entries, channels, cells.labs, ch, first, stop, acc)
    elif hour >= sealed // 60 - cells.hours:
        if stop == (hour + 1) * HOUR:
            add_cells(cells, c, HOURS, hour, hour + 1, 1, acc)
        else:
            _add_edge(cells, c, stop, 1, acc)
        _add_edge(cells, c, first, -1, acc)


@inner
def span(entries: Any, channels: Any, cells: Any, c: int, start: int, end: int, acc: Any) -> None:
    """Channel c's sum over (start, end], column by column.

    Readings to the next minute, minutes to the next hour, hours, and back down. What lies before the rings is summed
    from the kept readings; where these are gone too, hours read as nothing, and minutes are known only between whole
    hours and cut edges.
    """
    ch = channels[c]
    clear(acc)
    first = -(-start // MINUTE) * MINUTE
    stop = end // MINUTE * MINUTE
    if ch.sealed * MINUTE < stop:
        stop = ch.sealed * MINUTE if ch.sealed > NONE else start
    if first >= stop:  # nothing of it is in the cells
        first = end
        stop = end
    for head in range(2):  # (start, first] and (stop, end]; one call, for it is large
        piece(entries, channels, cells.labs, ch, start if head else stop, first if head else end, acc)
    if first < stop:
        first_hour = -(-first // HOUR)
        stop_hour = stop // HOUR
        if first_hour > stop_hour:  # both inside one hour
            _whole_minutes(entries, channels, cells, c, first, stop, acc)
        else:
            if first < first_hour * HOUR:
                _whole_minutes(entries, channels, cells, c, first, first_hour * HOUR, acc)
            oldest = ch.sealed // 60 - cells.hours
            if first_hour < oldest and kept_from(channels, cells.labs, ch) <= first_hour * HOUR:
                piece(entries, channels, cells.labs, ch, first_hour * HOUR, min(oldest, stop_hour) * HOUR, acc)
            add_cells(cells, c, HOURS, max(first_hour, oldest), stop_hour, 1, acc)
            if stop_hour * HOUR < stop:
                _whole_minutes(entries, channels, cells, c, stop_hour * HOUR, stop, acc)
    carry(acc)


@kernel
def spans(entries: Any, channels: Any, cells: Any, wanted: Any, start: int, end: int, out: Any) -> None:
    """Some channels' sums over (start, end]: out[channel, column]."""
    for c in wanted:
        span(entries, channels, cells, c, start, end, out[c])
