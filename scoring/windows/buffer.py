"""The kept readings: per channel one slot of a shared arena, sorted by event time.

Readings of one key (channel, ts) stand side by side, the winner last. So the entry before another
time's first is always a winner, and so is every entry whose successor has another time.
"""

from __future__ import annotations

from typing import Any

from devices.plant.flags import LETTERS
from devices.readings import I32, I64, U8
from scoring.windows.kernel import BAD_LETTER, COUNTER, LETTER, OUTSIDE, SOLID, kernel
from scoring.windows.records import NONE

_LETTERS = tuple(ord(letter) for letter in LETTERS)


@kernel
def search(entries: Any, ch: Any, t: int) -> int:
    """How many entries of a channel have a time of at most t."""
    low = ch.begin
    high = ch.begin + ch.count
    if low == high or entries[high - 1].ts <= t:
        return int(high - low)
    if high - low > 16 and t >= entries[low].ts:  # meters keep time: look first where it should be
        oldest = entries[low].ts
        guess = low + int(float(t - oldest) * (high - low) / float(entries[high - 1].ts - oldest))
        if low + 2 < guess < high - 3:
            if entries[guess - 2].ts <= t:
                low = guess - 1
            else:
                high = guess - 2
            if high > guess + 2:
                if entries[guess + 2].ts > t:
                    high = guess + 2
                else:
                    low = guess + 3
    while low < high:
        middle = (low + high) >> 1
        if entries[middle].ts <= t:
            low = middle + 1
        else:
            high = middle
    return int(low - ch.begin)


@kernel
def won(entries: Any, ch: Any, i: int) -> bool:
    """Whether entry i of a channel is the winner of its key."""
    at = ch.begin + i
    return bool(i == ch.count - 1 or entries[at + 1].ts != entries[at].ts)


@kernel
def valid(entries: Any, ch: Any, i: int) -> bool:
    """Whether entry i of a level is a winner that says something: in range, its letter good."""
    return bool(won(entries, ch, i) and entries[ch.begin + i].state & (OUTSIDE | BAD_LETTER) == 0)


@kernel
def move(entries: Any, to: int, at: int) -> None:
    """Copy one entry of the arena."""
    entries[to].ts = entries[at].ts
    entries[to].value = entries[at].value
    entries[to].rev = entries[at].rev
    entries[to].state = entries[at].state


@kernel
def _mergeable(entries: Any, ch: Any, t: int) -> bool:
    """Whether all that a reading at the time t can touch is still kept, although it is older than that need be.

    Cells before `floor` are frozen; a counter's spikes may reach back before it.
    """
    if ch.kind != COUNTER:
        return bool(t - ch.period > ch.floor)
    after = search(entries, ch, t)
    return bool(ch.floor == NONE and (after == ch.count or entries[ch.begin + after].state & SOLID == 0))


@kernel
def _insert(entries: Any, ch: Any, t: int, value: int, rev: int, state: int) -> None:
    """Put a reading in its place, unless it is too late or already there."""
    n = ch.count
    at = ch.begin + n
    if n > 0 and t <= ch.newest:
        if t < ch.newest - ch.keep and not _mergeable(entries, ch, t):
            ch.late += 1
            ch.lost_low = min(ch.lost_low, t)
            ch.lost_high = max(ch.lost_high, t)
            return
        last = ch.begin + search(entries, ch, t)
        first = last
        while first > ch.begin and entries[first - 1].ts == t:
            first -= 1
            same = entries[first].value == value and entries[first].rev == rev
            if same and (entries[first].state ^ state) & OUTSIDE == 0:
                ch.duplicates += 1
                return
        wins = first == last or rev >= entries[last - 1].rev
        for i in range(at, last if wins else first, -1):
            move(entries, i, i - 1)
        at = last if wins else first
    entries[at].ts = t
    entries[at].value = value
    entries[at].rev = rev
    entries[at].state = state
    ch.count = n + 1
    ch.newest = max(ch.newest, t)
    ch.low = min(ch.low, t)
    ch.high = max(ch.high, t)


@kernel
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
        for k in range(source.targets, source.targets_stop):
            if channels[target[k]].count == channels[target[k]].room:
                return row
        place = _place(letter[row])
        state = place << LETTER
        if source.letters >> place & 1 == 0:
            state |= BAD_LETTER
        if outside[row] or (source.kind == COUNTER and not -(1 << 62) < value[row] < 1 << 62):  # a rise must fit
            state |= OUTSIDE
        for k in range(source.targets, source.targets_stop):
            ch = channels[target[k]]
            _insert(entries, ch, ts[row] + ch.delay, value[row], rev[row], state)
        row += 1
    return row


@kernel
def relocate(entries: Any, channels: Any, which: I64, room: I64, free: int) -> int:
    """Move the kept readings of some channels to the arena's free end, with `room` of all channels; its new end."""
    for c in which:
        ch = channels[c]
        for i in range(ch.count):
            move(entries, free + i, ch.begin + i)
        ch.begin = free
        free += room[c]
    return free


@kernel
def repack(entries: Any, channels: Any, arena: Any, placed: Any) -> None:
    """Copy the kept readings of all channels into another arena, where `placed` has them."""
    for c in range(len(channels)):
        at = channels[c].begin
        to = placed[c].begin
        for i in range(channels[c].count):
            arena[to + i].ts = entries[at + i].ts
            arena[to + i].value = entries[at + i].value
            arena[to + i].rev = entries[at + i].rev
            arena[to + i].state = entries[at + i].state
