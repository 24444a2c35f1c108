"""How a kept reading is written: in eight bytes, in four where its channel keeps a beat, in 32 where need be.

A channel's readings are of one width, in words of four bytes:

    HALF   value (16 bits) and time (16) beside a straight line: after q beats from `half_ts` the value is
           half_value + q × drift + k × unit; of counters the time has 13 bits, 3 are their marks
    LEAN   the time since `base_ts` in ms (24 bits, 4.6 h) and the state (8 bits); the value beside `base_value`
    FULL   ts, value, rev, state, two words each

Which it is: scoring.windows.fitting.
"""

from __future__ import annotations

from typing import Any, Final

from devices.readings import I64
from scoring.windows.exact import MASK
from scoring.windows.kernel import COUNTER, LEFT_OUT, SOLID, SPIKE, inner, kernel

HALF: Final = 1
LEAN: Final = 2
FULL: Final = 8
MARKS: Final = LEFT_OUT | SPIKE | SOLID
"""What of a state changes after the reading came, of counters alone; they stand side by side."""
_SHIFT: Final = 2
SPAN: Final = 1 << 24


@inner
def marks_of(ch: Any) -> int:
    """Bits below the time of a half word."""
    return 3 if ch.kind == COUNTER else 0


@inner
def beats_of(ch: Any, word: int) -> int:
    """Of a half word: its time, in beats."""
    return (word & 0xFFFF) >> marks_of(ch)


@inner
def _double(entries: Any, at: int) -> int:
    return (entries[at + 1] << 32) | (entries[at] & MASK)  # type: ignore[no-any-return] # numba's int64


@inner
def _put_double(entries: Any, at: int, value: int) -> None:
    entries[at] = value
    entries[at + 1] = value >> 32


@inner
def ts_of(entries: Any, ch: Any, i: int) -> int:
    """Event time of a channel's reading i, ms."""
    if ch.width == LEAN:
        return ch.base_ts + (entries[ch.begin + LEAN * i] >> 8 & SPAN - 1)  # type: ignore[no-any-return] # numba's int64
    if ch.width == HALF:
        return ch.half_ts + ch.beat * beats_of(ch, entries[ch.begin + i])  # type: ignore[no-any-return] # numba's int64
    return _double(entries, ch.begin + FULL * i)


@inner
def value_of(entries: Any, ch: Any, i: int) -> int:
    """Its value, steps."""
    if ch.width == LEAN:
        return ch.base_value + entries[ch.begin + LEAN * i + 1]  # type: ignore[no-any-return] # numba's int64
    if ch.width == HALF:
        word = entries[ch.begin + i]
        return ch.half_value + ch.drift * beats_of(ch, word) + ch.unit * (word >> 16)  # type: ignore[no-any-return] # numba's int64
    return _double(entries, ch.begin + FULL * i + 2)


@inner
def rev_of(entries: Any, ch: Any, i: int) -> int:
    """Its revision."""
    return _double(entries, ch.begin + FULL * i + 4) if ch.width == FULL else 0


@inner
def state_of(entries: Any, ch: Any, i: int) -> int:
    """Its state: bits of scoring.windows.kernel."""
    if ch.width == LEAN:
        return entries[ch.begin + LEAN * i] & 255  # type: ignore[no-any-return] # numba's int64
    if ch.width == HALF:
        marks = entries[ch.begin + i] & (1 << marks_of(ch)) - 1
        return ch.half_state | marks << _SHIFT  # type: ignore[no-any-return] # numba's int64
    return _double(entries, ch.begin + FULL * i + 6)


@inner
def set_state(entries: Any, ch: Any, i: int, state: int) -> None:
    """Give it another state; of `MARKS` alone."""
    if ch.width == LEAN:
        at = ch.begin + LEAN * i
        entries[at] = entries[at] & ~255 | state
    elif ch.width == HALF:
        at = ch.begin + i
        entries[at] = entries[at] & ~7 | (state & MARKS) >> _SHIFT
    else:
        _put_double(entries, ch.begin + FULL * i + 6, state)


@inner
def put(entries: Any, ch: Any, i: int, t: int, value: int, rev: int, state: int) -> None:
    """Write it; it must fit."""
    if ch.width == LEAN:
        at = ch.begin + LEAN * i
        entries[at] = (t - ch.base_ts) << 8 | state
        entries[at + 1] = value - ch.base_value
    elif ch.width == HALF:
        beats = (t - ch.half_ts) // ch.beat
        off = value - ch.half_value - ch.drift * beats
        entries[ch.begin + i] = off // ch.unit << 16 | beats << marks_of(ch) | (state & MARKS) >> _SHIFT
    else:
        at = ch.begin + FULL * i
        _put_double(entries, at, t)
        _put_double(entries, at + 2, value)
        _put_double(entries, at + 4, rev)
        _put_double(entries, at + 6, state)


@inner
def move(entries: Any, ch: Any, to: int, i: int) -> None:
    """Copy reading i to the place `to` of the same channel."""
    for k in range(ch.width):
        entries[ch.begin + to * ch.width + k] = entries[ch.begin + i * ch.width + k]


@inner
def make_way(entries: Any, ch: Any, i: int) -> None:
    """Move reading i and all after it one place on."""
    first = ch.begin + i * ch.width
    on = ch.width
    k = ch.begin + ch.count * on
    while k - first >= 4:  # four at a time: so they are loaded before any of them is written over
        k -= 4
        a, b, c, d = entries[k], entries[k + 1], entries[k + 2], entries[k + 3]
        entries[k + on], entries[k + on + 1], entries[k + on + 2], entries[k + on + 3] = a, b, c, d
    while k > first:
        k -= 1
        entries[k + on] = entries[k]


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
