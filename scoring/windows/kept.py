"""How a kept reading is written: one word of eight bytes, or four where that does not hold it.

A word: the value's difference from the channel's `base_value` (32 bits), the time since its `base_ts` in ms (24 bits,
4.6 h) and the state (8 bits). A channel that holds a revision, or times or values too far apart, has four words a
reading until it is packed anew: ts, value, rev, state.
"""

from __future__ import annotations

from typing import Any, Final

from devices.readings import I64
from scoring.windows.kernel import inner, kernel

LEAN: Final = 1
FULL: Final = 4
_SPAN: Final = 1 << 24
_BACK: Final = 1 << 22
"""Times before the first reading that a word still holds: late ones."""
_RISE: Final = 1 << 31


@inner
def ts_of(entries: Any, ch: Any, i: int) -> int:
    """Event time of a channel's reading i, ms."""
    if ch.width == LEAN:
        return ch.base_ts + (entries[ch.begin + i] >> 8 & _SPAN - 1)  # type: ignore[no-any-return] # numba's int64
    return entries[ch.begin + FULL * i]  # type: ignore[no-any-return] # numba's int64


@inner
def value_of(entries: Any, ch: Any, i: int) -> int:
    """Its value, steps."""
    if ch.width == LEAN:
        return ch.base_value + (entries[ch.begin + i] >> 32)  # type: ignore[no-any-return] # numba's int64
    return entries[ch.begin + FULL * i + 1]  # type: ignore[no-any-return] # numba's int64


@inner
def rev_of(entries: Any, ch: Any, i: int) -> int:
    """Its revision."""
    if ch.width == LEAN:
        return 0
    return entries[ch.begin + FULL * i + 2]  # type: ignore[no-any-return] # numba's int64


@inner
def state_of(entries: Any, ch: Any, i: int) -> int:
    """Its state: bits of scoring.windows.kernel."""
    if ch.width == LEAN:
        return entries[ch.begin + i] & 255  # type: ignore[no-any-return] # numba's int64
    return entries[ch.begin + FULL * i + 3]  # type: ignore[no-any-return] # numba's int64


@inner
def set_state(entries: Any, ch: Any, i: int, state: int) -> None:
    """Give it another state."""
    if ch.width == LEAN:
        entries[ch.begin + i] = entries[ch.begin + i] & ~255 | state
    else:
        entries[ch.begin + FULL * i + 3] = state


@inner
def put(entries: Any, ch: Any, i: int, t: int, value: int, rev: int, state: int) -> None:
    """Write it; it must fit."""
    if ch.width == LEAN:
        entries[ch.begin + i] = (value - ch.base_value) << 32 | (t - ch.base_ts) << 8 | state
    else:
        at = ch.begin + FULL * i
        entries[at] = t
        entries[at + 1] = value
        entries[at + 2] = rev
        entries[at + 3] = state


@inner
def move(entries: Any, ch: Any, to: int, i: int) -> None:
    """Copy reading i to the place `to` of the same channel."""
    for k in range(ch.width):
        entries[ch.begin + to * ch.width + k] = entries[ch.begin + i * ch.width + k]


@inner
def make_way(entries: Any, ch: Any, i: int) -> None:
    """Move reading i and all after it one place on."""
    first = ch.begin + i * ch.width
    k = ch.begin + ch.count * ch.width
    if ch.width == LEAN:
        while k - first >= 4:  # four at a time: so they are loaded before any of them is written over
            a, b, c, d = entries[k - 4], entries[k - 3], entries[k - 2], entries[k - 1]
            entries[k - 3], entries[k - 2], entries[k - 1], entries[k] = a, b, c, d
            k -= 4
    while k > first:
        k -= 1
        entries[k + ch.width] = entries[k]


@inner
def fits(ch: Any, t: int, value: int, rev: int) -> bool:
    """Whether a channel's words hold such a reading."""
    if ch.width == FULL:
        return True
    if ch.count == 0:
        ch.base_ts = t - _BACK
        ch.base_value = value
    off = t - ch.base_ts
    rise = value - ch.base_value
    far = (value ^ ch.base_value) & (value ^ rise) < 0  # the difference does not fit 64 bits
    return bool(rev == 0 and 0 <= off < _SPAN and -_RISE <= rise < _RISE and not far)


@inner
def wide(entries: Any, ch: Any, t: int, value: int, rev: int) -> bool:
    """Whether a channel's readings and this one need four words each; else its bases are set so that all fit, with
    room for more, and what stands there is still to be written anew.
    """
    n = ch.count
    if rev != 0:
        return True
    first = t
    last = t
    least = value
    most = value
    if n > 0:
        first = min(t, ts_of(entries, ch, 0))
        last = max(t, ts_of(entries, ch, n - 1))
    for i in range(n):
        least = min(least, value_of(entries, ch, i))
        most = max(most, value_of(entries, ch, i))
        if rev_of(entries, ch, i) != 0:
            return True
    if last - first >= _SPAN // 2 or not 0 <= most - least < _RISE:
        return True
    ch.base_ts = first - _BACK
    ch.base_value = least + (most - least) // 2
    return False


@inner
def refit(entries: Any, ch: Any, t: int, value: int, rev: int) -> bool:
    """Make one more reading fit into words; false, and `widen` is set, if it needs four of them."""
    base_ts = ch.base_ts
    base_value = ch.base_value
    if wide(entries, ch, t, value, rev):
        ch.widen = 1
        return False
    more = ((base_value - ch.base_value) << 32) + ((base_ts - ch.base_ts) << 8)
    for k in range(ch.begin, ch.begin + ch.count):
        entries[k] += more
    return True


@inner
def long(entries: Any, ch: Any) -> bool:
    """Whether readings reach so far that what comes next may need four words again: then they keep them."""
    return bool(ch.count > 0 and ts_of(entries, ch, ch.count - 1) - ts_of(entries, ch, 0) >= _SPAN // 3)


@inner
def narrow(entries: Any, ch: Any) -> None:
    """Back to one word a reading, where that holds all."""
    if ch.width == LEAN or ch.count == 0 or long(entries, ch):
        return
    if wide(entries, ch, ts_of(entries, ch, 0), value_of(entries, ch, 0), 0):
        return
    for i in range(ch.count):
        t, value, state = ts_of(entries, ch, i), value_of(entries, ch, i), state_of(entries, ch, i)
        entries[ch.begin + i] = (value - ch.base_value) << 32 | (t - ch.base_ts) << 8 | state
    ch.width = LEAN
    ch.room *= FULL


@inner
def rewrite(entries: Any, ch: Any, arena: Any, placed: Any) -> None:
    """Copy a channel's kept readings into an arena (its own, or another one) as its record `placed` has them.

    Within one arena never toward the end over what is still to be read.
    """
    same = ch.width == placed.width and ch.base_ts == placed.base_ts and ch.base_value == placed.base_value
    if same:
        for k in range(ch.count * ch.width):
            arena[placed.begin + k] = entries[ch.begin + k]
    else:
        for i in range(ch.count):
            t, value = ts_of(entries, ch, i), value_of(entries, ch, i)
            put(arena, placed, i, t, value, rev_of(entries, ch, i), state_of(entries, ch, i))


@kernel
def unpacked(entries: Any, ch: Any, out: I64) -> None:
    """All kept readings of a channel: out[i] = ts, value, state."""
    for i in range(ch.count):
        out[i, 0] = ts_of(entries, ch, i)
        out[i, 1] = value_of(entries, ch, i)
        out[i, 2] = state_of(entries, ch, i)
