"""Joint coverage: in how much of a time every channel of a group is covered and not estimated while the line runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.windows.buffer import NONE, Kept, search, won
from scoring.windows.cells import Cells, settle
from scoring.windows.counters import estimated, staying_before, stays
from scoring.windows.kernel import BAD_LETTER, COUNTER, COVERED, ESTIMATED, HOUR, MINUTE, OUTSIDE, RATE, TIMES, kernel
from scoring.windows.rules import Rules
from scoring.windows.sums import CoverageGroup

I64 = NDArray[np.int64]

ALWAYS = -(1 << 63)
"""Threshold of a channel that only has to be covered."""


class Groups(NamedTuple):
    """Coverage groups and their cells: [group, row, (covered while running, running)], ms."""

    first: I64  # the channels of group g are channel[first[g]:first[g + 1]]
    channel: I64
    running: I64  # channel whose value tells that the line runs; -1: it always runs
    above: I64  # ... above so many steps
    minutes: NDArray[np.uint16]
    hours: NDArray[np.uint32]
    sealed: I64  # first minute not yet in the cells
    low: I64  # minutes to count anew: [low, high)
    high: I64
    member: I64  # the groups that channel c is in are group[member[c]:member[c + 1]]
    group: I64

    @classmethod
    def of(cls, groups: Sequence[CoverageGroup], channels: int, minutes: int, hours: int) -> Groups:
        """Groups of nothing counted yet."""
        sizes = [len(g.channels) for g in groups]
        n = len(groups)
        touching = [set(g.channels) | ({g.running[0]} if g.running else set()) for g in groups]
        members = [[i for i, t in enumerate(touching) if c in t] for c in range(channels)]
        return cls(
            first=np.asarray([0, *np.cumsum(sizes)], np.int64),
            channel=np.asarray([c for g in groups for c in g.channels], np.int64),
            running=np.asarray([-1 if g.running is None else g.running[0] for g in groups], np.int64),
            above=np.asarray([0 if g.running is None else g.running[1] for g in groups], np.int64),
            minutes=np.zeros((n, minutes, 2), np.uint16),
            hours=np.zeros((n, hours, 2), np.uint32),
            sealed=np.full(n, NONE, np.int64),
            low=np.full(n, -NONE, np.int64),
            high=np.full(n, NONE, np.int64),
            member=np.asarray([0, *np.cumsum([len(m) for m in members])], np.int64),
            group=np.asarray([g for m in members for g in m], np.int64),
        )


@kernel
def _stretch(kept: Kept, rules: Rules, c: int, t: int, end: int, above: int) -> tuple[bool, int]:
    """Whether channel c is good just after the time t (and above `above`), and until when at least that stays so, up to `end`."""
    begin = kept.begin[c]
    n = kept.count[c]
    i = search(kept, c, t)  # the first reading after t
    if rules.kind[c] == COUNTER:
        before = staying_before(kept, c, i)
        good = False
        until = end
        while True:
            while i < n and not stays(kept, c, i):
                i += 1
            if i == n:
                return (True, until) if good else (False, end)
            ok = before >= 0 and not estimated(kept, rules, c, before, i)
            if good and not ok:
                return True, until
            until = kept.ts[begin + i]
            if not ok or until >= end:
                return ok, until
            good = True
            before = i
            i += 1
    if rules.kind[c] >= RATE:
        i -= 1
        if i < 0:
            return False, kept.ts[begin] if n else end
        good = False
        until = t
        while i < n:
            at = begin + i
            if won(kept, c, i):
                holds = kept.ts[at] + rules.gap[c] > max(t, kept.ts[at])
                ok = holds and kept.state[at] & (OUTSIDE | BAD_LETTER) == 0 and kept.value[at] > above
                if good and not ok:
                    return True, until
                following = kept.ts[at + 1] if i + 1 < n else end
                if not ok:
                    return False, following
                until = kept.ts[at] + rules.gap[c]
                if until < following or following >= end:
                    return True, min(until, following)
                until = following
                good = True
            i += 1
        return good, until
    while i < n and (not won(kept, c, i) or kept.state[begin + i] & OUTSIDE):
        i += 1
    if i == n:
        return False, end
    opens = kept.ts[begin + i] - rules.period[c]
    return (True, kept.ts[begin + i]) if opens <= t else (False, opens)


@kernel
def joint(kept: Kept, rules: Rules, groups: Groups, g: int, start: int, end: int, scratch: Any) -> tuple[int, int]:
    """(ms covered by all channels while the line runs, ms in which it runs) within (start, end], from the kept readings."""
    first = groups.first[g]
    n = groups.first[g + 1] - first
    covered = 0
    running = 0
    t = start
    for k in range(n + 1):
        scratch[k, 1] = start  # how far the state of each is known; the last row is the running condition
    while t < end:
        until = end
        good = True
        for k in range(n + 1):
            if scratch[k, 1] <= t:
                c = groups.channel[first + k] if k < n else groups.running[g]
                if c < 0:
                    scratch[k, 0] = 1
                    scratch[k, 1] = end
                else:
                    ok, sure = _stretch(kept, rules, c, t, end, ALWAYS if k < n else groups.above[g])
                    scratch[k, 0] = ok
                    scratch[k, 1] = sure
            until = min(until, scratch[k, 1])
            good = good and scratch[k, 0] == 1
        if scratch[n, 0] == 1:
            running += until - t
            if good:
                covered += until - t
        t = until
    return covered, running


@kernel
def touch(groups: Groups, g: int, start: int, end: int, sealed: int) -> None:
    """Something in (start, end] changed; one of the group's channels is sealed up to the minute `sealed`."""
    groups.low[g] = min(groups.low[g], start // MINUTE)
    groups.high[g] = max(groups.high[g], -(-end // MINUTE))
    if groups.sealed[g] == NONE:
        groups.sealed[g] = start // MINUTE
    if sealed > groups.sealed[g]:
        groups.low[g] = min(groups.low[g], groups.sealed[g])
        groups.high[g] = max(groups.high[g], sealed)
        groups.sealed[g] = sealed


@kernel
def count_anew(kept: Kept, rules: Rules, cells: Cells, groups: Groups, g: int, scratch: Any) -> None:
    """Bring the cells of group g up to date."""
    sealed = groups.sealed[g]
    length = groups.minutes.shape[1]
    stop = min(groups.high[g], sealed)
    low = groups.low[g]
    for minute in range(max(low, sealed - length), stop):
        row = minute % length
        covered, running = _minute(kept, rules, cells, groups, g, minute, groups.minutes[g, row, 1], scratch)
        groups.minutes[g, row, 0] = covered
        groups.minutes[g, row, 1] = running
    hours = groups.hours.shape[1]
    for hour in range(max(low // 60, sealed // 60 - hours), min(-(-stop // 60), sealed // 60)):
        row = hour % hours
        if hour * 60 >= sealed - length:
            covered, running = _ring(groups.minutes, g, hour * 60, hour * 60 + 60)
        elif _known(kept, groups, g, hour * HOUR):
            covered, running = joint(kept, rules, groups, g, hour * HOUR, hour * HOUR + HOUR, scratch)
        else:
            continue
        groups.hours[g, row, 0] = covered
        groups.hours[g, row, 1] = running
    groups.low[g] = -NONE
    groups.high[g] = NONE


@kernel
def _known(kept: Kept, groups: Groups, g: int, start: int) -> bool:
    """Whether every reading after `start` of the group's channels is still kept."""
    for k in range(groups.first[g], groups.first[g + 1]):
        if kept.floor[groups.channel[k]] > start:
            return False
    return bool(groups.running[g] < 0 or kept.floor[groups.running[g]] <= start)


@kernel
def _minute(
    kept: Kept, rules: Rules, cells: Cells, groups: Groups, g: int, minute: int, ran: int, scratch: Any
) -> tuple[int, int]:
    if _known(kept, groups, g, minute * MINUTE):
        return joint(kept, rules, groups, g, minute * MINUTE, (minute + 1) * MINUTE, scratch)
    # One channel brought readings for a time of which another's are gone: the least covered of them tells (exact
    # where at most one of them covers the minute in part).
    running = MINUTE if groups.running[g] < 0 else ran
    covered = running
    for k in range(groups.first[g], groups.first[g + 1]):
        c = groups.channel[k]
        row = minute % cells.minute_times.shape[1]
        there = np.int64(0)
        if cells.sealed[c] - cells.minute_times.shape[1] <= minute < cells.sealed[c]:
            there += cells.minute_times[c, row, COVERED - TIMES]
            there -= cells.minute_times[c, row, ESTIMATED - TIMES]
        covered = min(covered, there)
    return covered, running


@kernel
def _ring(ring: Any, g: int, first: int, stop: int) -> tuple[int, int]:
    """Sums of the ring's cells [first, stop)."""
    covered = np.int64(0)
    running = np.int64(0)
    for cell in range(first, stop):
        row = cell % ring.shape[1]
        covered += ring[g, row, 0]
        running += ring[g, row, 1]
    return covered, running


@kernel
def coverage(kept: Kept, rules: Rules, groups: Groups, g: int, start: int, end: int, scratch: Any) -> tuple[int, int]:
    """(covered, running) of group g within (start, end], ms."""
    if groups.first[g] == groups.first[g + 1] and groups.running[g] < 0:
        return end - start, end - start
    sealed = groups.sealed[g]
    first = -(-start // MINUTE)
    stop = min(end // MINUTE, sealed)
    if first >= stop:
        covered, running = joint(kept, rules, groups, g, start, end, scratch)
    else:
        covered, running = joint(kept, rules, groups, g, start, first * MINUTE, scratch)
        after = joint(kept, rules, groups, g, stop * MINUTE, end, scratch)
        covered += after[0]
        running += after[1]
        from_hour = max(-(-first // 60), sealed // 60 - groups.hours.shape[1])
        to_hour = stop // 60
        oldest = sealed - groups.minutes.shape[1]
        if from_hour >= to_hour:
            inner = _ring(groups.minutes, g, max(first, oldest), stop)
        else:
            inner = _ring(groups.hours, g, from_hour, to_hour)
            head = _ring(groups.minutes, g, max(first, oldest), from_hour * 60)
            tail = _ring(groups.minutes, g, max(to_hour * 60, oldest), stop)
            inner = (inner[0] + head[0] + tail[0], inner[1] + head[1] + tail[1])
        covered += inner[0]
        running += inner[1]
    if groups.running[g] < 0:
        running = end - start
    return covered, running


@kernel
def update(kept: Kept, rules: Rules, cells: Cells, groups: Groups, acc: Any, scratch: Any) -> None:
    """Bring all cells up to date."""
    for c in range(len(kept.count)):
        if kept.high[c] == NONE:
            continue
        start, end = settle(kept, rules, cells, c, acc)
        for m in range(groups.member[c], groups.member[c + 1]):
            touch(groups, groups.group[m], start, end + rules.gap[c], cells.sealed[c])
    for g in range(len(groups.low)):
        if groups.low[g] < groups.high[g]:
            count_anew(kept, rules, cells, groups, g, scratch)
