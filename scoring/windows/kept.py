"""How a kept reading is written: in eight bytes, in four where its channel keeps a beat, in 32 where need be.

A channel's readings are of one width, in words of four bytes:

    HALF   value (16 bits) and time (16) beside a straight line: after q beats from `half_ts` the value is
           half_value + q × drift + k × unit; of counters the time has 13 bits, 3 are their marks
    LEAN   the time since `base_ts` in ms (24 bits, 4.6 h) and the state (8 bits); the value beside `base_value`
    FULL   ts, value, rev, state, two words each

Which it is: scoring.windows.fitting.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

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
def _at(ch: Any, i: int) -> Any:
    """Where reading i begins; unsigned: a place that may be negative costs a test at each access."""
    return np.uint64(ch.begin + ch.width * i)


@inner
def _next(at: Any, words: int) -> Any:
    return at + np.uint64(words)


@inner
def _double(entries: Any, at: Any) -> int:
    return (entries[_next(at, 1)] << 32) | (entries[at] & MASK)  # type: ignore[no-any-return] # numba's int64


@inner
def _put_double(entries: Any, at: Any, value: int) -> None:
    entries[at] = value
    entries[_next(at, 1)] = value >> 32


@inner
def ts_of(entries: Any, ch: Any, i: int) -> int:
    """Event time of a channel's reading i, ms."""
    if ch.width == LEAN:
        at = np.uint64(ch.begin + LEAN * i)
        return ch.base_ts + (entries[at] >> 8 & SPAN - 1)  # type: ignore[no-any-return] # numba's int64
    if ch.width == HALF:
        return ch.half_ts + ch.beat * beats_of(ch, entries[np.uint64(ch.begin + i)])  # type: ignore[no-any-return] # numba's int64
    return _double(entries, _at(ch, i))


@inner
def value_of(entries: Any, ch: Any, i: int) -> int:
    """Its value, steps."""
    if ch.width == LEAN:
        at = np.uint64(ch.begin + LEAN * i + 1)
        return ch.base_value + entries[at]  # type: ignore[no-any-return] # numba's int64
    if ch.width == HALF:
        word = entries[np.uint64(ch.begin + i)]
        return ch.half_value + ch.drift * beats_of(ch, word) + ch.unit * (word >> 16)  # type: ignore[no-any-return] # numba's int64
    return _double(entries, _next(_at(ch, i), 2))


@inner
def rev_of(entries: Any, ch: Any, i: int) -> int:
    """Its revision."""
    return _double(entries, _next(_at(ch, i), 4)) if ch.width == FULL else 0


@inner
def state_of(entries: Any, ch: Any, i: int) -> int:
    """Its state: bits of scoring.windows.kernel."""
    if ch.width == LEAN:
        return entries[np.uint64(ch.begin + LEAN * i)] & 255  # type: ignore[no-any-return] # numba's int64
    if ch.width == HALF:
        if ch.kind != COUNTER:
            return ch.half_state  # type: ignore[no-any-return] # numba's int64
        return ch.half_state | (entries[np.uint64(ch.begin + i)] & 7) << _SHIFT  # type: ignore[no-any-return] # numba's int64
    return _double(entries, _next(_at(ch, i), 6))


@inner
def set_state(entries: Any, ch: Any, i: int, state: int) -> None:
    """Give it another state; of `MARKS` alone."""
    at = _at(ch, i)
    if ch.width == LEAN:
        entries[at] = entries[at] & ~255 | state
    elif ch.width == HALF:
        entries[at] = entries[at] & ~7 | (state & MARKS) >> _SHIFT
    else:
        _put_double(entries, _next(at, 6), state)


@inner
def put(entries: Any, ch: Any, i: int, t: int, value: int, rev: int, state: int) -> None:
    """Write it; it must fit."""
    at = _at(ch, i)
    if ch.width == LEAN:
        entries[at] = (t - ch.base_ts) << 8 | state
        entries[_next(at, 1)] = value - ch.base_value
    elif ch.width == HALF:
        entries[at] = half_word(ch, t, value) | (state & MARKS) >> _SHIFT
    else:
        _put_double(entries, at, t)
        _put_double(entries, _next(at, 2), value)
        _put_double(entries, _next(at, 4), rev)
        _put_double(entries, _next(at, 6), state)


@inner
def half_word(ch: Any, t: int, value: int) -> int:
    """Time and value as a half word without marks; what does not fit comes out as something else.

    A division takes as long as all the rest, so it is done by the reciprocal: a quotient without a rest, of so few
    bits, comes out whole.
    """
    beats = int(float(t - ch.half_ts) * ch.per_beat + 0.5)
    off = value - ch.half_value - ch.drift * beats
    units = off if ch.unit == 1 else math.floor(float(off) * ch.per_unit + 0.5)
    return units << 16 | beats << marks_of(ch)  # type: ignore[no-any-return] # numba's int64


@inner
def move(entries: Any, ch: Any, to: int, i: int) -> None:
    """Copy reading i to the place `to` of the same channel."""
    there, here = _at(ch, to), _at(ch, i)
    for k in range(ch.width):
        entries[_next(there, k)] = entries[_next(here, k)]


@inner
def drop(entries: Any, ch: Any, first: int) -> None:
    """Forget the readings before the one at `first`."""
    to, at = _at(ch, 0), _at(ch, first)
    for k in range(np.uint64((ch.count - first) * ch.width)):
        entries[to + k] = entries[at + k]
    ch.count -= first


@inner
def make_way(entries: Any, ch: Any, i: int) -> None:
    """Move reading i and all after it one place on."""
    first = _at(ch, i)
    on: Any = np.uint64(ch.width)
    k = _at(ch, ch.count)
    while k - first >= np.uint64(8):  # eight at a time: so they are loaded before any of them is written over
        k -= np.uint64(8)
        block = entries[k : k + np.uint64(8)]
        a, b, c, d = block[0], block[1], block[2], block[3]
        e, f, g, h = block[4], block[5], block[6], block[7]
        to = entries[k + on : k + on + np.uint64(8)]
        to[0], to[1], to[2], to[3] = a, b, c, d
        to[4], to[5], to[6], to[7] = e, f, g, h
    while k > first:
        k -= np.uint64(1)
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
