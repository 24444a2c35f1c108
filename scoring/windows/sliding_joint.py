"""Joint coverage of windows that end now, carried along as `sliding` does with sums: what enters, what leaves."""

from __future__ import annotations

from typing import Any

import numpy as np

from devices.durations import SECOND
from devices.readings import I64
from scoring.windows.coverage import coverage, floor_of
from scoring.windows.joint import joint
from scoring.windows.kernel import MINUTE, inner, kernel
from scoring.windows.records import NONE


@kernel
def slide_joint(
    entries: Any,
    channels: Any,
    cells: Any,
    groups: Any,
    required: I64,
    state: Any,
    ends: I64,
    asked: I64,
    scratch: Any,
) -> None:
    """Bring `state.joint_now` of the groups `asked` to windows that end at `ends`; the channels slid before."""
    windows = len(ends)
    starts, lengths, sums, now = state.starts, state.lengths, state.joint, state.joint_now
    until, before, changed, whole_of = state.until, state.before, state.changed, state.whole
    for g in asked:
        group = groups[g]
        old = state.joint_until[g]
        new: Any = np.int64(-NONE)
        latest: Any = np.int64(NONE)
        low: Any = np.int64(-NONE)
        high: Any = np.int64(NONE)
        whole: Any = np.int64(-1)
        for k in range(group.first, group.stop):
            c = required[k]
            new = min(new, until[c])
            latest = max(latest, until[c])
            low = min(low, changed[c, 0])
            high = max(high, changed[c, 1])
            whole &= whole_of[c]
            if before[c] != old:
                whole = np.int64(0)
                if before[c] < old:  # that channel was added up anew
                    old = np.int64(NONE)
        if group.running >= 0:
            new = min(new, until[group.running])
            low = min(low, changed[group.running, 0])
            high = max(high, changed[group.running, 1])
            if before[group.running] < old:
                old = np.int64(NONE)
        if new != latest:  # what is whole of a channel is whole of other pieces than the group's
            whole = np.int64(0)
        if new == NONE or new == -NONE:  # a channel was never heard, or nothing is required
            for w in range(windows):
                known = coverage(entries, channels, cells, groups, g, required, ends[w] - lengths[w], ends[w], scratch)
                now[g, w, 0] = known[0]
                now[g, w, 1] = known[1]
            state.joint_until[g] = NONE
            continue
        if low < old and starts[0] > NONE:  # as `_mend` does with a channel
            w = 0
            while w < windows:
                if starts[w] >= high:
                    w += 1
                    continue
                if cut_off(floor_of(channels, group, required), starts[w], old):
                    old = np.int64(NONE)
                    break
                known = coverage(entries, channels, cells, groups, g, required, min(starts[w], old), old, scratch)
                covered_more = known[0] - sums[g, w, 0]
                running_more = known[1] - sums[g, w, 1]
                held = starts[w] <= low
                for longer in range(w, windows if held else w + 1):
                    sums[g, longer, 0] += covered_more
                    sums[g, longer, 1] += running_more
                w = windows if held else w + 1
        entered_covered: Any = np.int64(0)
        entered_running: Any = np.int64(0)
        if old > NONE and new > old:
            more = _piece(entries, channels, group, required, old, new, whole & 1, scratch)
            entered_covered += more[0]
            entered_running += more[1]
        open_covered: Any = np.int64(0)
        open_running: Any = np.int64(0)
        reached = new
        for w in range(windows):
            start = ends[w] - lengths[w]
            first = starts[w]
            left = min(start, new)
            if old > NONE and left - first > MINUTE and cut_off(floor_of(channels, group, required), first, left):
                old = np.int64(NONE)
            if old == NONE or not NONE < first <= min(start, old):
                sums[g, w, 0] = sums[g, w, 1] = 0
                if start < new:
                    known = coverage(entries, channels, cells, groups, g, required, start, new, scratch)
                    sums[g, w, 0] = known[0]
                    sums[g, w, 1] = known[1]
            else:
                sums[g, w, 0] += entered_covered
                sums[g, w, 1] += entered_running
                if left > first:
                    if left - first > SECOND:
                        gone = coverage(entries, channels, cells, groups, g, required, first, left, scratch)
                    else:
                        gone = _piece(entries, channels, group, required, first, left, whole >> (1 + w) & 1, scratch)
                    sums[g, w, 0] -= gone[0]
                    sums[g, w, 1] -= gone[1]
            if start > new:
                known = coverage(entries, channels, cells, groups, g, required, start, ends[w], scratch)
                now[g, w, 0] = known[0]
                now[g, w, 1] = known[1]
                continue
            if ends[w] > reached:
                whole_end = whole >> (1 + windows + w) & 1 if reached == new else 0
                more = _piece(entries, channels, group, required, reached, ends[w], whole_end, scratch)
                open_covered += more[0]
                open_running += more[1]
                reached = ends[w]
            now[g, w, 0] = sums[g, w, 0] + open_covered
            now[g, w, 1] = sums[g, w, 1] + open_running
        state.joint_until[g] = new


@inner
def cut_off(floor: int, start: int, end: int) -> bool:
    """Whether a stretch begins inside a minute, and long ago: in cells, of which its readings are gone."""
    return bool(start < floor and start % MINUTE != 0 and end - start > MINUTE)


@inner
def _piece(
    entries: Any, channels: Any, group: Any, required: I64, start: int, end: int, whole: int, scratch: Any
) -> tuple[int, int]:
    """(covered, running) within (start, end]; where every channel covers it, the running condition alone tells."""
    covered: Any = np.int64(end - start)
    running: Any = np.int64(end - start)
    if not whole or group.running >= 0:
        first = group.stop if whole else group.first
        covered, running = joint(entries, channels, group, first, required, start, end, scratch)
    return covered, running
