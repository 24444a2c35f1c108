"""Joint coverage: in how much of a time every channel of a group is covered and not estimated while the line runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64
from scoring.windows.blocks import HOURS, MINUTES, blocks_of, room_for
from scoring.windows.joint import joint
from scoring.windows.kernel import HOUR, MINUTE, inner, kernel
from scoring.windows.records import GROUP, NONE
from scoring.windows.rows import add_pairs, keep_pair, sure
from scoring.windows.sums import CoverageGroup


def group_table(groups: Sequence[CoverageGroup], channels: NDArray[np.void]) -> tuple[NDArray[np.void], I64, I64]:
    """One `GROUP` record per group, nothing counted yet; then what groups and channels point into: channels, groups."""
    table = np.zeros(len(groups), GROUP)
    table["sealed"] = table["gone"] = table["high"] = table["lost_high"] = NONE
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
def floor_of(channels: Any, group: Any, required: I64) -> int:
    """The time after which every reading of the group's channels is still kept."""
    floor: Any = channels[group.running].floor if group.running >= 0 else np.int64(NONE)
    for k in range(group.first, group.stop):
        floor = max(floor, channels[required[k]].floor)
    return int(floor)


@inner
def _full(channels: Any, cells: Any, group: Any, required: I64, minute: int) -> bool:
    """Whether every channel of the group covers the minute throughout: then the running condition alone tells."""
    for k in range(group.first, group.stop):
        c = required[k]
        ch = channels[c]
        if ch.labs < ch.labs_stop:  # what of it is estimated does not stand in its cells
            return False
        if not max(ch.sealed - cells.minutes, ch.gone) <= minute < ch.sealed:
            return False
        if sure(cells, c, minute) != MINUTE:
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
        if max(ch.sealed - cells.minutes, ch.gone) <= minute < ch.sealed:
            there += sure(cells, required[k], minute)
        covered = min(covered, there)
        partial += there < MINUTE
    steady = group.running < 0 or channels[group.running].changed_low > (minute + 1) * MINUTE
    return int(covered), bool(steady and (partial <= 1 or covered == 0))


@kernel
def count_anew(entries: Any, channels: Any, cells: Any, groups: Any, required: I64, scratch: Any) -> bool:
    """Bring the cells of all groups up to date; false where they find no room."""
    for g in range(len(groups)):
        group = groups[g]
        owner = len(channels) + g
        sealed = group.sealed
        stop = min(group.high, sealed)
        if group.low >= group.high:
            continue
        step = 1
        cell = max(group.low, sealed - cells.minutes)
        if stop >= group.gone and floor_of(channels, group, required) <= cell * MINUTE:  # all of them are written now
            group.gone = min(group.gone, cell)
        oldest = max(sealed - cells.minutes, group.gone)
        if not room_for(
            cells, blocks_of(cell, stop) + blocks_of(max(group.low // 60, sealed // 60 - cells.hours), sealed // 60)
        ):
            return False
        while step == 1 or cell < min(-(-stop // 60), sealed // 60):  # the minutes, then the hours
            if step == 1 and cell >= stop:
                step = 60
                cell = max(group.low // 60, sealed // 60 - cells.hours)
                continue
            covered: Any = np.int64(0)
            running: Any = np.int64(0)
            if step == 60 and cell * 60 >= oldest:
                covered, running = add_pairs(cells, owner, MINUTES, cell * 60, cell * 60 + 60)
            elif floor_of(channels, group, required) <= cell * step * MINUTE:
                start = cell * step * MINUTE
                first = group.stop if step == 1 and _full(channels, cells, group, required, cell) else group.first
                covered, running = joint(
                    entries, channels, group, first, required, start, start + step * MINUTE, scratch
                )
            else:  # of an hour not even its minutes are there
                exact = False
                if step == 1:
                    running = MINUTE if group.running < 0 else add_pairs(cells, owner, MINUTES, cell, cell + 1)[1]
                    covered, exact = _least(channels, cells, group, required, cell, running)
                if not exact:
                    group.lost_low = min(group.lost_low, cell * step * MINUTE)
                    group.lost_high = max(group.lost_high, (cell + 1) * step * MINUTE)
                if step == 60:
                    cell += 1
                    continue
            if not keep_pair(cells, owner, MINUTES if step == 1 else HOURS, cell, covered, running):
                return False
            cell += 1
        group.low = -NONE
        group.high = NONE
    return True


@inner
def coverage(
    entries: Any, channels: Any, cells: Any, groups: Any, g: int, required: I64, start: int, end: int, scratch: Any
) -> tuple[int, int]:
    """(covered, running) of group g within (start, end], ms.

    Like a channel's `span`: readings to the next minute, minutes to the next hour, hours, and back down; what lies
    before the rings from the readings, where they are kept.
    """
    covered = 0
    running = 0
    group = groups[g]
    owner = len(channels) + g
    sealed = group.sealed
    first = -(-start // MINUTE)
    stop = min(end // MINUTE, sealed)
    if first >= stop:
        first = stop = -(-end // MINUTE)
    from_hour = -(-first // 60)
    to_hour = stop // 60
    if from_hour >= to_hour:  # no whole hour in it
        from_hour = to_hour = -(-stop // 60)
    up = min(from_hour * 60, stop)  # minutes lie in [first, up) and [to_hour · 60, stop)
    floor = floor_of(channels, group, required)
    minute = max(sealed - cells.minutes, group.gone)  # the oldest in the rings
    hour = sealed // 60 - cells.hours
    for k in range(5):  # of the readings; one call, for it is large
        if k == 0:
            a, b, unit = start, min(first * MINUTE, end), 1
        elif k == 1:
            a, b, unit = min(stop * MINUTE, end), end, 1
        elif k == 2:
            a, b, unit = first, min(up, minute), MINUTE
        elif k == 3:
            a, b, unit = to_hour * 60, min(stop, minute), MINUTE
        else:
            a, b, unit = from_hour, min(to_hour, hour), HOUR
        if a < b and (k < 2 or floor <= a * unit):
            more = joint(entries, channels, group, group.first, required, a * unit, b * unit, scratch)
            covered += more[0]
            running += more[1]
    for k in range(3):  # of the cells
        if k < 2:
            a, b = (first, up) if k == 0 else (to_hour * 60, stop)
            more = add_pairs(cells, owner, MINUTES, max(a, minute), b)
        else:
            more = add_pairs(cells, owner, HOURS, max(from_hour, hour), to_hour)
        covered += more[0]
        running += more[1]
    if group.running < 0:
        running = end - start
        if group.first == group.stop:
            covered = running
    return covered, running
