"""The kept readings: per channel one slot of a shared arena, sorted by event time.

    slot of channel c:  [begin[c], begin[c] + count[c])  of  room[c]  entries

Readings of one key (channel, ts) stand side by side, the winner last. So the entry before another
time's first is always a winner, and so is every entry whose successor has another time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.windows.kernel import BAD_LETTER, COUNTER, OUTSIDE, kernel
from scoring.windows.rules import Rules

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

FIRST_ROOM = 32
NONE = -(1 << 62)
"""Event time of what never was."""


class Kept(NamedTuple):
    """The arena and, one row per channel, what is known of it."""

    ts: I64  # arena: event time, ms
    value: I64  # arena: steps
    rev: I64  # arena
    state: U8  # arena: bits of scoring.windows.kernel
    begin: I64
    count: I64
    room: I64
    newest: I64  # greatest ts
    low: I64  # event times touched since the cells were last brought up to date: [low, high]
    high: I64
    floor: I64  # the cells up to here are frozen: readings before it are gone but the last one
    settled: I64  # greatest ts when the cells were last brought up to date
    run: I64  # counters: ts at which the run of equal values of the newest reading began
    duplicates: I64
    late: I64  # came after their horizon: not counted

    @classmethod
    def empty(cls, channels: int) -> Kept:
        """No readings yet."""
        n = channels * FIRST_ROOM
        never = np.full(channels, NONE, np.int64)
        zero = np.zeros(channels, np.int64)
        return cls(
            ts=np.zeros(n, np.int64),
            value=np.zeros(n, np.int64),
            rev=np.zeros(n, np.int64),
            state=np.zeros(n, np.uint8),
            begin=np.arange(channels, dtype=np.int64) * FIRST_ROOM,
            count=zero.copy(),
            room=np.full(channels, FIRST_ROOM, np.int64),
            newest=never.copy(),
            low=-never,
            high=never.copy(),
            floor=never.copy(),
            settled=never.copy(),
            run=never.copy(),
            duplicates=zero.copy(),
            late=zero.copy(),
        )


@kernel
def search(kept: Kept, c: int, t: int) -> int:
    """How many entries of channel c have a time of at most t."""
    begin = kept.begin[c]
    low = 0
    high = kept.count[c]
    while low < high:
        middle = (low + high) // 2
        if kept.ts[begin + middle] <= t:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def won(kept: Kept, c: int, i: int) -> bool:
    """Whether entry i of channel c is the winner of its key."""
    at = kept.begin[c] + i
    return bool(i == kept.count[c] - 1 or kept.ts[at + 1] != kept.ts[at])


@kernel
def _insert(kept: Kept, rules: Rules, c: int, t: int, value: int, rev: int, state: int) -> None:
    begin = kept.begin[c]
    n = kept.count[c]
    if n and t < kept.newest[c] - rules.keep[c]:
        kept.late[c] += 1
        return
    at = n
    if n and t <= kept.newest[c]:
        last = search(kept, c, t)
        first = last
        while first > 0 and kept.ts[begin + first - 1] == t:
            first -= 1
            i = begin + first
            if kept.value[i] == value and kept.rev[i] == rev and (kept.state[i] & OUTSIDE) == (state & OUTSIDE):
                kept.duplicates[c] += 1
                return
        at = last if first == last or rev >= kept.rev[begin + last - 1] else first
        for i in range(begin + n, begin + at, -1):
            kept.ts[i] = kept.ts[i - 1]
            kept.value[i] = kept.value[i - 1]
            kept.rev[i] = kept.rev[i - 1]
            kept.state[i] = kept.state[i - 1]
    kept.ts[begin + at] = t
    kept.value[begin + at] = value
    kept.rev[begin + at] = rev
    kept.state[begin + at] = state
    kept.count[c] = n + 1
    kept.newest[c] = max(kept.newest[c], t)
    kept.low[c] = min(kept.low[c], t)
    kept.high[c] = max(kept.high[c], t)


@kernel
def take_in(
    kept: Kept, rules: Rules, channel: NDArray[np.int32], ts: I64, value: I64, rev: I64, letter: U8, outside: U8, row: int
) -> int:
    """Take rows in from `row` on, each with the channels derived from it, and tell how many are in: fewer than all if a
    channel's slot (that of the row which is next, or one derived from it) must first get room."""
    while row < len(channel):
        c = channel[row]
        first = rules.heirs[c]
        stop = rules.heirs[c + 1]
        if kept.count[c] == kept.room[c]:
            return row
        for h in range(first, stop):
            if kept.count[rules.heir[h]] == kept.room[rules.heir[h]]:
                return row
        state = 0
        if letter[row] != 78 and letter[row] != 83:  # N, S
            state |= BAD_LETTER
        if outside[row] or (rules.kind[c] == COUNTER and not -(1 << 62) < value[row] < 1 << 62):  # a pair's rise must fit
            state |= OUTSIDE
        _insert(kept, rules, c, ts[row], value[row], rev[row], state)
        for h in range(first, stop):
            d = rules.heir[h]
            _insert(kept, rules, d, ts[row] + rules.delay[d], value[row], rev[row], state)
        row += 1
    return row
