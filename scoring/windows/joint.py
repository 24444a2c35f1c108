"""In how much of a stretch of time every channel of a group is covered and not estimated, from its kept readings."""

from __future__ import annotations

from typing import Any

from devices.readings import I64
from scoring.windows.buffer import search, won
from scoring.windows.counters import estimated, staying_before, stays
from scoring.windows.kept import state_of, ts_of, value_of
from scoring.windows.kernel import BAD_LETTER, COUNTER, OUTSIDE, RATE, inner

ALWAYS = -(1 << 63)
"""Threshold of a channel that only has to be covered."""


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
