"""Joint coverage: in how much of a time every channel of a group is covered and not estimated while the line runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64
from scoring.windows.buffer import search, won
from scoring.windows.cells import settle
from scoring.windows.counters import estimated, staying_before, stays
from scoring.windows.kept import state_of, ts_of, value_of
from scoring.windows.kernel import BAD_LETTER, COUNTER, HOUR, MINUTE, OUTSIDE, RATE, inner, kernel
from scoring.windows.records import GROUP, NONE
from scoring.windows.rows import sure
from scoring.windows.sums import CoverageGroup
from scoring.windows.weighing import kept_from, next_sample

ALWAYS = -(1 << 63)
"""Threshold of a channel that only has to be covered."""


def group_table(groups: Sequence[CoverageGroup], channels: NDArray[np.void]) -> tuple[NDArray[np.void], I64, I64]:
    """One `GROUP` record per group, nothing counted yet; then what groups and channels point into: channels, groups."""
    table = np.zeros(len(groups), GROUP)
    table["sealed"] = table["high"] = table["lost_high"] = NONE
    table["low"] = table["lost_low"] = -NONE
    required: list[int] = []
    for group, row in zip(groups, table, strict=True):
        row["first"] = len(required)
        required += group.channels
        row["stop"] = len(required)
        row["running"], row["above"] = group.running or (-1, 0)
    groups_of: dict[int, list[int]] = {}
    for g, group in enumerate(groups):
        for c in sorted({*group.channels, *(group.running or ())[:1]}):
            groups_of.setdefault(c, []).append(g)
    member: list[int] = []
    for c, ch in enumerate(channels):
        ch["member"] = len(member)
        member += groups_of.get(c, [])
        ch["member_stop"] = len(member)
    return table, np.asarray(required, np.int64), np.asarray(member, np.int64)


@inner
def _stretch(entries: Any, ch: Any, t: int, end: int, above: int) -> tuple[bool, int]:
    """Whether a channel is good just after the time t (and above `above`), and until when that is sure, up to `end`."""
    n = ch.count
    i = search(entries, ch, t)  # the first reading after t
    if ch.kind == COUNTER:
        before = staying_before(entries, ch, i)
        good = False
        until = end
        while True:
            while i < n and not stays(entries, ch, i):
                i += 1
            if i == n:
                return (True, until) if good else (False, end)
            ok = before >= 0 and not estimated(entries, ch, before, i)
            if good and not ok:
                return True, until
            until = ts_of(entries, ch, i)
            if not ok or until >= end:
                return ok, until
            good = True
            before = i
            i += 1
    if ch.kind >= RATE:
        i -= 1
        if i < 0:
            return False, ts_of(entries, ch, 0) if n else end
        good = False
        until = t
        while i < n:
            if won(entries, ch, i):
                since = ts_of(entries, ch, i)
                holds = since + ch.gap > max(t, since)
                ok = holds and state_of(entries, ch, i) & (OUTSIDE | BAD_LETTER) == 0
                ok = ok and value_of(entries, ch, i) > above
                if good and not ok:
                    return True, until
                following = ts_of(entries, ch, i + 1) if i + 1 < n else end
                if not ok:
                    return False, following
                until = since + ch.gap
                if until < following or following >= end:
                    return True, min(until, following)
                until = following
                good = True
            i += 1
        return good, until
    while i < n and (not won(entries, ch, i) or state_of(entries, ch, i) & OUTSIDE):
        i += 1
    if i == n:
        return False, end
    opens = ts_of(entries, ch, i) - ch.period
    return (True, ts_of(entries, ch, i)) if opens <= t else (False, opens)


@inner
def joint(
    entries: Any, channels: Any, group: Any, first: int, required: I64, start: int, end: int, scratch: Any
) -> tuple[int, int]:
    """(ms covered by all channels while the line runs, ms in which it runs) within (start, end], from readings.

    The channels are those from `first` on: all from `group.first`, none from `group.stop`.
    """
    n = group.stop - first
    covered = 0
    running = 0
    t = start
    for k in range(n + 1):
        scratch[k, 1] = start  # until when the state of each channel is known; the last row is the running condition
    while t < end:
        until = end
        good = True
        for k in range(n + 1):
            if scratch[k, 1] <= t:
                c = required[first + k] if k < n else group.running
                if c < 0:
                    scratch[k, 0] = 1
                    scratch[k, 1] = end
                else:
                    above = ALWAYS if k < n else group.above
                    good_now, known = _stretch(entries, channels[c], t, end, above)
                    scratch[k, 0] = good_now
                    scratch[k, 1] = known
            until = min(until, scratch[k, 1])
            good = good and (k == n or scratch[k, 0] == 1)
        if scratch[n, 0] == 1:
            running += until - t
            if good:
                covered += until - t
        t = until
    return covered, running


@inner
def _floor(channels: Any, group: Any, required: I64) -> int:
    """The time after which every reading of the group's channels is still kept."""
    floor: Any = channels[group.running].floor if group.running >= 0 else np.int64(NONE)
    for k in range(group.first, group.stop):
        floor = max(floor, channels[required[k]].floor)
    return int(floor)


@inner
def _full(channels: Any, cells: Any, group: Any, required: I64, minute: int) -> bool:
    """Whether every channel of the group covers the minute throughout: then the running condition alone tells."""
    row = minute % cells.minutes
    for k in range(group.first, group.stop):
        c = required[k]
        sealed = channels[c].sealed
        if channels[c].labs < channels[c].labs_stop:  # what of it is estimated does not stand in its cells
            return False
        if not sealed - cells.minutes <= minute < sealed:
            return False
        if sure(cells, c, row) != MINUTE:
            return False
    return True


@inner
def _least(channels: Any, cells: Any, group: Any, required: I64, minute: int, running: int) -> tuple[int, bool]:
    """Coverage of a minute for which one channel brought readings when another's were gone; whether it is exact.

    The least covered of them tells: exact where at most one of them covers it in part, or one not at all.
    """
    covered: Any = running
    partial = int(running < MINUTE)
    for k in range(group.first, group.stop):
        ch = channels[required[k]]
        there: Any = np.int64(0)
        if ch.sealed - cells.minutes <= minute < ch.sealed:
            there += sure(cells, required[k], minute % cells.minutes)
        covered = min(covered, there)
        partial += there < MINUTE
    steady = group.running < 0 or channels[group.running].changed_low > (minute + 1) * MINUTE
    return int(covered), bool(steady and (partial <= 1 or covered == 0))


@inner
def _count_anew(entries: Any, channels: Any, cells: Any, group: Any, required: I64, ring: Any, scratch: Any) -> None:
    """Bring the cells of one group up to date."""
    sealed = group.sealed
    stop = min(group.high, sealed)
    step = 1
    cell = max(group.low, sealed - cells.minutes)
    while step == 1 or cell < min(-(-stop // 60), sealed // 60):  # the minutes, then the hours
        if step == 1 and cell >= stop:
            step = 60
            cell = max(group.low // 60, sealed // 60 - cells.hours)
            continue
        row = cell % cells.minutes if step == 1 else cells.minutes + cell % cells.hours
        if step == 60 and cell * 60 >= sealed - cells.minutes:
            ring[row, 0] = 0
            ring[row, 1] = 0
            for minute in range(cell * 60, cell * 60 + 60):
                ring[row, 0] += ring[minute % cells.minutes, 0]
                ring[row, 1] += ring[minute % cells.minutes, 1]
        elif _floor(channels, group, required) <= cell * step * MINUTE:
            start = cell * step * MINUTE
            first = group.stop if step == 1 and _full(channels, cells, group, required, cell) else group.first
            covered, running = joint(entries, channels, group, first, required, start, start + step * MINUTE, scratch)
            ring[row, 0] = covered
            ring[row, 1] = running
        elif step == 1:
            if group.running < 0:
                ring[row, 1] = MINUTE
            least, exact = _least(channels, cells, group, required, cell, int(ring[row, 1]))
            ring[row, 0] = least
            if not exact:
                group.lost_low = min(group.lost_low, cell * MINUTE)
                group.lost_high = max(group.lost_high, (cell + 1) * MINUTE)
        cell += 1
    group.low = -NONE
    group.high = NONE


@inner
def _sampled(entries: Any, channels: Any, cells: Any, weighed: Any, lab: Any) -> None:
    """Note in a weighed channel from where on, and to which sample, a laboratory's samples changed.

    Where the readings of the amount are gone, only the past can weigh them anew.
    """
    low = lab.low - 1  # an instant amount takes the sample of its own millisecond
    if weighed.count > 0 and low <= weighed.newest:
        high = min(next_sample(entries, lab, lab.high), weighed.newest)
        weighed.low = min(weighed.low, low)
        weighed.high = max(weighed.high, high)
        floor = kept_from(channels, cells.labs, weighed)
        if low < floor:
            weighed.lost_low = min(weighed.lost_low, low)
            weighed.lost_high = max(weighed.lost_high, min(high, floor))


@kernel
def update(
    entries: Any, channels: Any, cells: Any, groups: Any, required: I64, member: I64, rings: Any, acc: Any, scratch: Any
) -> bool:
    """Bring all cells up to date; false where odd cells find no room: then it is to be asked again, with more."""
    for c in range(len(channels)):
        ch = channels[c]
        if ch.high == NONE:
            continue
        for m in range(ch.weighs, ch.weighs_stop):
            _sampled(entries, channels, cells, channels[cells.weighs[m]], ch)
        start, end = settle(entries, channels, cells, c, acc)
        if end == NONE:
            return False
        for m in range(ch.member, ch.member_stop):
            group = groups[member[m]]
            group.low = min(group.low, start // MINUTE)
            group.high = max(group.high, -(-(end + ch.gap) // MINUTE))
            if group.sealed == NONE:
                group.sealed = start // MINUTE
            if ch.sealed > group.sealed:
                group.low = min(group.low, group.sealed)
                group.high = max(group.high, ch.sealed)
                group.sealed = ch.sealed
    for g in range(len(groups)):
        if groups[g].low < groups[g].high:
            _count_anew(entries, channels, cells, groups[g], required, rings[g], scratch)
    return True


@kernel
def coverage(
    entries: Any, channels: Any, cells: Any, group: Any, required: I64, ring: Any, start: int, end: int, scratch: Any
) -> tuple[int, int]:
    """(covered, running) of one group within (start, end], ms."""
    covered = 0
    running = 0
    sealed = group.sealed
    first = -(-start // MINUTE)
    stop = min(end // MINUTE, sealed)
    if first >= stop:
        first = stop = -(-end // MINUTE)
    for head in range(2):
        a, b = (start, min(first * MINUTE, end)) if head else (min(stop * MINUTE, end), end)
        more = joint(entries, channels, group, group.first, required, a, b, scratch)
        covered += more[0]
        running += more[1]
    from_hour = -(-first // 60)
    to_hour = stop // 60
    if from_hour >= to_hour:  # no whole hour in it
        from_hour = to_hour = -(-stop // 60)
    floor = _floor(channels, group, required)
    oldest = sealed - cells.minutes
    for head in range(2):
        a, b = (first, min(from_hour * 60, stop)) if head else (to_hour * 60, stop)
        if a < min(b, oldest) and floor <= a * MINUTE:
            more = joint(entries, channels, group, group.first, required, a * MINUTE, min(b, oldest) * MINUTE, scratch)
            covered += more[0]
            running += more[1]
        for minute in range(max(a, oldest), b):
            covered += ring[minute % cells.minutes, 0]
            running += ring[minute % cells.minutes, 1]
    oldest = sealed // 60 - cells.hours
    if from_hour < min(to_hour, oldest) and floor <= from_hour * HOUR:
        end_ms = min(to_hour, oldest) * HOUR
        more = joint(entries, channels, group, group.first, required, from_hour * HOUR, end_ms, scratch)
        covered += more[0]
        running += more[1]
    for hour in range(max(from_hour, oldest), to_hour):
        covered += ring[cells.minutes + hour % cells.hours, 0]
        running += ring[cells.minutes + hour % cells.hours, 1]
    if group.running < 0:
        running = end - start
        if group.first == group.stop:
            covered = running
    return covered, running
