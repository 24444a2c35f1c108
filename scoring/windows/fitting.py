"""Of which width a channel's kept readings are (`scoring.windows.kept`): what fits, and how it comes to fit.

A channel begins with eight bytes a reading. A revision, or times or values too far apart, make it 32 until what it
keeps fits again. Where all its readings keep a beat and stay near a straight line, far from where they would not,
compacting makes it four; the first one that does not fit makes it eight again, and it is not looked at for a while.
"""

from __future__ import annotations

from typing import Any, Final

from scoring.windows.exact import common
from scoring.windows.kept import (
    FULL,
    HALF,
    LEAN,
    MARKS,
    SPAN,
    beats_of,
    half_word,
    marks_of,
    put,
    rev_of,
    state_of,
    ts_of,
    value_of,
)
from scoring.windows.kernel import COUNTER, inner

_BACK: Final = 1 << 22
"""Times before the first reading that a word still holds: late ones."""
_RISE: Final = 1 << 31
_NEAR: Final = 1 << 15
_FAR: Final = 1 << 60
_SEVERAL: Final = 64
"""So many readings tell what a channel is like."""
_REST: Final = 16
"""So often a channel that does not fit four bytes is compacted before it is looked at again: so it costs little."""


_LEAST: Final = 24
"""Readings for which a slot has room at least, but for a few."""


@inner
def fits(ch: Any, t: int, value: int, rev: int, state: int) -> bool:
    """Whether a channel's words hold such a reading."""
    if ch.width == FULL:
        return True
    if ch.width == HALF:
        return _fits_half(ch, t, value, rev, state)
    if ch.count == 0:
        ch.base_ts = t - _BACK
        ch.base_value = value
    off = t - ch.base_ts
    rise = value - ch.base_value
    far = (value ^ ch.base_value) & (value ^ rise) < 0  # the difference does not fit 64 bits
    return bool(rev == 0 and 0 <= off < SPAN and -_RISE <= rise < _RISE and not far)


@inner
def _fits_half(ch: Any, t: int, value: int, rev: int, state: int) -> bool:
    off = t - ch.half_ts
    if rev != 0 or state & ~MARKS != ch.half_state or not 0 <= off < ch.beat << (16 - marks_of(ch)):
        return False
    if not -_FAR < value < _FAR:
        return False
    word = half_word(ch, t, value)
    beats = beats_of(ch, word)
    units = word >> 16
    rest = value - ch.half_value - ch.drift * beats - ch.unit * units
    return bool(beats * ch.beat == off and -_NEAR <= units < _NEAR and rest == 0)


@inner
def wide(entries: Any, ch: Any, t: int, value: int, rev: int) -> bool:
    """Whether a channel's readings and this one need 32 bytes each; else its bases are set so that all fit eight, with
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
    if last - first >= SPAN // 2 or not 0 <= most - least < _RISE:
        return True
    ch.base_ts = first - _BACK
    ch.base_value = least + (most - least) // 2
    return False


@inner
def refit(entries: Any, ch: Any, t: int, value: int, rev: int, state: int) -> bool:
    """Make one more reading fit; false, and `widen` is the width it needs, where words must be written anew."""
    if ch.width == HALF and _moved_on(entries, ch, t) and _fits_half(ch, t, value, rev, state):
        return True
    was_half = ch.width == HALF
    base_ts = ch.base_ts
    base_value = ch.base_value
    if wide(entries, ch, t, value, rev):
        ch.widen = FULL
        return False
    if was_half:
        ch.widen = LEAN
        ch.rest = _REST
        return False
    for i in range(ch.count):
        at = ch.begin + LEAN * i
        entries[at] += (base_ts - ch.base_ts) << 8
        entries[at + 1] += base_value - ch.base_value
    return True


@inner
def _moved_on(entries: Any, ch: Any, t: int) -> bool:
    """Let the line of half words begin anew before the first reading, so that one more time finds room in it."""
    marks = marks_of(ch)
    most = 1 << (16 - marks)
    first = min(t, ts_of(entries, ch, 0))
    last = max(t, ts_of(entries, ch, ch.count - 1))
    if ch.count == 0 or last - first >= ch.beat * (most // 4 * 3):
        return False
    on = (first - ch.half_ts) // ch.beat - most // 8
    ch.half_ts += on * ch.beat
    ch.half_value += on * ch.drift
    for k in range(ch.begin, ch.begin + ch.count):
        entries[k] -= on << marks
    return True


@inner
def long(entries: Any, ch: Any) -> bool:
    """Whether readings reach so far that what comes next may need 32 bytes again: then they keep them."""
    return bool(ch.count > 0 and ts_of(entries, ch, ch.count - 1) - ts_of(entries, ch, 0) >= SPAN // 3)


@inner
def narrow(entries: Any, ch: Any) -> None:
    """To fewer bytes a reading, where these hold all."""
    if ch.width == LEAN and ch.count >= _SEVERAL:
        if ch.rest > 0:
            ch.rest -= 1
        elif _line(entries, ch):
            _written(entries, ch, HALF)
        else:
            ch.rest = _REST
    if ch.width != FULL or ch.count == 0 or long(entries, ch):
        return
    if not wide(entries, ch, ts_of(entries, ch, 0), value_of(entries, ch, 0), 0):
        _written(entries, ch, LEAN)


@inner
def _written(entries: Any, ch: Any, width: int) -> None:
    """Write what is kept anew where it stands, narrower; what is left of its slot is dead."""
    was = ch.width
    for i in range(ch.count):
        t, value, state = ts_of(entries, ch, i), value_of(entries, ch, i), state_of(entries, ch, i)
        ch.width = width
        put(entries, ch, i, t, value, 0, state)
        ch.width = was
    ch.width = width
    ch.room = max(ch.count + ch.count // 16, _LEAST) + 8


@inner
def _line(entries: Any, ch: Any) -> bool:
    """Find beat, unit and line for half words; false where there are none, or they would not hold for long."""
    n = ch.count
    most = 1 << (16 - marks_of(ch))
    start = ts_of(entries, ch, 0)
    span = ts_of(entries, ch, n - 1) - start
    first = value_of(entries, ch, 0)
    ch.half_state = state_of(entries, ch, 0) & ~MARKS
    beat = span
    unit = 0
    for i in range(n):
        beat = common(ts_of(entries, ch, i) - start, beat)
        if beat == 0 or span >= beat * (most // 8 * 5) or state_of(entries, ch, i) & ~MARKS != ch.half_state:
            return False
        if unit != 1:
            unit = common(abs(value_of(entries, ch, i) - first), unit)
    ch.beat = beat
    ch.unit = max(unit, 1)
    ch.per_beat = 1.0 / ch.beat
    ch.per_unit = 1.0 / ch.unit
    ch.drift = 0
    if ch.kind == COUNTER:
        rise = value_of(entries, ch, n - 1) - first
        ch.drift = rise // (span // beat) // ch.unit * ch.unit
    if not -_FAR < first < _FAR:
        return False
    least = first
    greatest = first
    for i in range(n):
        beside = value_of(entries, ch, i) - (ts_of(entries, ch, i) - start) // beat * ch.drift
        least = min(least, beside)
        greatest = max(greatest, beside)
    if (greatest - least) // ch.unit >= _NEAR:
        return False
    before = most // 8
    ch.half_ts = start - before * beat
    ch.half_value = least + (greatest - least) // ch.unit // 2 * ch.unit - before * ch.drift
    return True
