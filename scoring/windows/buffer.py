"""The kept readings: per channel one slot of a shared arena, sorted by event time.

Readings of one key (channel, ts) stand side by side, the winner last. So the entry before another
time's first is always a winner, and so is every entry whose successor has another time.
"""

from __future__ import annotations

from typing import Any

from devices.plant.flags import LETTERS
from devices.readings import I32, I64, U8
from scoring.windows.fitting import fits, long, refit, wide
from scoring.windows.kept import FULL, LEAN, make_way, put, rev_of, rewrite, state_of, ts_of, value_of
from scoring.windows.kernel import BAD_LETTER, COUNTER, LETTER, OUTSIDE, SOLID, inner, kernel
from scoring.windows.records import NONE

_LETTERS = tuple(ord(letter) for letter in LETTERS)


@inner
def search(entries: Any, ch: Any, t: int) -> int:
    """How many entries of a channel have a time of at most t."""
    low = 0
    high = ch.count
    if low == high or ts_of(entries, ch, high - 1) <= t:
        return int(high)
    if high > 16 and t >= ts_of(entries, ch, 0):  # meters keep time: look first where it should be
        oldest = ts_of(entries, ch, 0)
        guess = int(float(t - oldest) * high / float(ts_of(entries, ch, high - 1) - oldest))
        if low + 2 < guess < high - 3:
            if ts_of(entries, ch, guess - 2) <= t:
                low = guess - 1
            else:
                high = guess - 2
            if high > guess + 2:
                if ts_of(entries, ch, guess + 2) > t:
                    high = guess + 2
                else:
                    low = guess + 3
    while low < high:
        middle = (low + high) >> 1
        if ts_of(entries, ch, middle) <= t:
            low = middle + 1
        else:
            high = middle
    return int(low)


@inner
def won(entries: Any, ch: Any, i: int) -> bool:
    """Whether entry i of a channel is the winner of its key."""
    return bool(i == ch.count - 1 or ts_of(entries, ch, i + 1) != ts_of(entries, ch, i))


@inner
def valid(entries: Any, ch: Any, i: int) -> bool:
    """Whether entry i of a level is a winner that says something: in range, its letter good."""
    return bool(won(entries, ch, i) and state_of(entries, ch, i) & (OUTSIDE | BAD_LETTER) == 0)


@inner
def _mergeable(entries: Any, ch: Any, t: int) -> bool:
    """Whether all that a reading at the time t can touch is still kept, although it is older than that need be.

    Cells before `floor` are frozen; a counter's spikes may reach back before it.
    """
    if ch.kind != COUNTER:
        return bool(t - ch.period > ch.floor)
    after = search(entries, ch, t)
    return bool(ch.floor == NONE and (after == ch.count or state_of(entries, ch, after) & SOLID == 0))


@inner
def _too_late(entries: Any, ch: Any, t: int) -> bool:
    """Whether what a reading at the time t can touch may be gone."""
    return bool(ch.count > 0 and t < ch.newest - ch.keep and not _mergeable(entries, ch, t))


@inner
def _insert(entries: Any, ch: Any, t: int, value: int, rev: int, state: int) -> None:
    """Put a reading in its place, unless it is too late or already there."""
    n = ch.count
    at = n
    if n > 0 and t <= ch.newest:
        if _too_late(entries, ch, t):
            ch.late += 1
            ch.lost_low = min(ch.lost_low, t)
            ch.lost_high = max(ch.lost_high, t)
            return
        last = search(entries, ch, t)
        first = last
        while first > 0 and ts_of(entries, ch, first - 1) == t:
            first -= 1
            same = value_of(entries, ch, first) == value and rev_of(entries, ch, first) == rev
            if same and (state_of(entries, ch, first) ^ state) & OUTSIDE == 0:
                ch.duplicates += 1
                return
        wins = first == last or rev >= rev_of(entries, ch, last - 1)
        at = last if wins else first
        make_way(entries, ch, at)
    put(entries, ch, at, t, value, rev, state)
    ch.count = n + 1
    ch.newest = max(ch.newest, t)
    ch.low = min(ch.low, t)
    ch.high = max(ch.high, t)


@inner
def _place(letter: int) -> int:
    """Of the HJ 212 letter in devices.plant.flags.LETTERS; a letter that is none is a fault, D."""
    for k in range(len(_LETTERS)):
        if _LETTERS[k] == letter:
            return k
    return 4


@kernel
def take_in(
    entries: Any,
    channels: Any,
    target: I64,
    channel: I32,
    ts: I64,
    value: I64,
    rev: I64,
    letter: U8,
    outside: U8,
    row: int,
) -> int:
    """Take rows in from `row` on, each with the channels derived from it, and tell how many are in.

    Fewer than all, if the slot of the next row's channel, or of one derived from it, must first get room.
    """
    while row < len(channel):
        source = channels[channel[row]]
        place = _place(letter[row])
        state = place << LETTER
        if source.letters >> place & 1 == 0:
            state |= BAD_LETTER
        if outside[row] or (source.kind == COUNTER and not -(1 << 62) < value[row] < 1 << 62):  # a rise must fit
            state |= OUTSIDE
        ready = True
        for k in range(source.targets, source.targets_stop):
            ch = channels[target[k]]
            t = ts[row] + ch.delay
            ready = ready and ch.count < ch.room
            if not fits(ch, t, value[row], rev[row], state) and not _too_late(entries, ch, t):
                ready = refit(entries, ch, t, value[row], rev[row], state) and ready  # all are widened at once
        if not ready:
            return row
        for k in range(source.targets, source.targets_stop):
            ch = channels[target[k]]
            _insert(entries, ch, ts[row] + ch.delay, value[row], rev[row], state)
        row += 1
    return row


@kernel
def relocate(entries: Any, channels: Any, arena: Any, placed: Any, which: I64) -> None:
    """Copy the kept readings of the channels which[k] to where, and as, placed[k] has them; in one arena elsewhere."""
    for k in range(len(which)):
        rewrite(entries, channels[which[k]], arena, placed[k])
        placed[k].widen = 0


@kernel
def narrow_all(entries: Any, placed: Any) -> None:
    """Find the channels that need no four words a reading any more: what they have now is to be rewritten so."""
    for c in range(len(placed)):
        ch = placed[c]
        if ch.width == FULL and ch.count > 0 and ch.widen == 0 and not long(entries, ch):
            first, value = ts_of(entries, ch, 0), value_of(entries, ch, 0)
            ch.width = FULL if wide(entries, ch, first, value, 0) else LEAN
