"""`Readings`: many readings as columns. The one shape in which readings travel between rooms.

One row is one value of one channel. Every column has the same length n. Rows stand in arrival
(log) order. Amounts are exact: `value` is an integer count of the channel's `step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

NORMAL = ord("N")
"""The HJ 212 letter of a normal reading; the default of `letter`."""


class Mark(IntFlag):
    """What is remarkable about one reading (column `mark`)."""

    NONE = 0
    OUT_OF_RANGE = 1  # outside the channel's range, or not representable in steps: stored, never scored
    RECEIVE_TIME = 2  # the payload had no time: ts is the logged receive time
    RETAINED = 4
    UNGUARANTEED = 8  # published at QoS 0
    REDELIVERED = 16


@dataclass(frozen=True, slots=True)
class Readings:
    """A batch of readings as columns of length n.

    channel  int32  row of `Plant.channels`
    ts       int64  event time, ms since 1970 UTC
    value    int64  integer count of the channel's step (half-even from the decimal text); 0 where OUT_OF_RANGE
    rev      int64  declared revision; 0 where none
    letter   uint8  HJ 212 quality letter as ASCII; `NORMAL` where none
    mark     uint8  `Mark` bits
    received int64  logged receive time, ms since 1970 UTC
    position int64  log position of the frame the reading came in
    start, stop int32  the number's own text is `text[start:stop]`: what the store keeps, digit for digit
    """

    channel: I32
    ts: I64
    value: I64
    rev: I64
    letter: U8
    mark: U8
    received: I64
    position: I64
    start: I32
    stop: I32
    text: bytes

    def __len__(self) -> int:
        return len(self.channel)

    def number(self, row: int) -> bytes:
        """The decimal text of one row, as it stood in the payload."""
        return self.text[int(self.start[row]) : int(self.stop[row])]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Readings:
        """The chosen rows, as a batch of their own (the text is shared)."""
        return Readings(**{name: getattr(self, name)[rows] for name in _COLUMNS}, text=self.text)

    @classmethod
    def empty(cls) -> Readings:
        """No readings."""
        return cls.of([], [], [])

    @classmethod
    def of(
        cls,
        channel: Sequence[int] | I32,
        ts: Sequence[int] | I64,
        value: Sequence[int] | I64,
        *,
        rev: Sequence[int] | I64 | None = None,
        letter: Sequence[int] | U8 | None = None,
        mark: Sequence[int] | U8 | None = None,
        received: Sequence[int] | I64 | None = None,
        position: Sequence[int] | I64 | None = None,
        numbers: Sequence[bytes] | None = None,
    ) -> Readings:
        """A batch from plain sequences; what is not given takes its default (`received` = the greatest ts so far)."""
        n = len(channel)
        times = np.asarray(ts, np.int64)
        stops = np.cumsum([len(t) for t in numbers], dtype=np.int32) if numbers else np.zeros(n, np.int32)
        starts = np.concatenate([np.zeros(1, np.int32), stops[:-1]]) if n and numbers else np.zeros(n, np.int32)
        return cls(
            channel=np.asarray(channel, np.int32),
            ts=times,
            value=np.asarray(value, np.int64),
            rev=np.zeros(n, np.int64) if rev is None else np.asarray(rev, np.int64),
            letter=np.full(n, NORMAL, np.uint8) if letter is None else np.asarray(letter, np.uint8),
            mark=np.zeros(n, np.uint8) if mark is None else np.asarray(mark, np.uint8),
            received=np.maximum.accumulate(times) if received is None else np.asarray(received, np.int64),
            position=np.zeros(n, np.int64) if position is None else np.asarray(position, np.int64),
            start=starts.astype(np.int32),
            stop=stops.astype(np.int32),
            text=b"".join(numbers) if numbers else b"",
        )

    @classmethod
    def concat(cls, batches: Sequence[Readings]) -> Readings:
        """Several batches as one, in their order."""
        kept = [b for b in batches if len(b)]
        if len(kept) <= 1:
            return kept[0] if kept else cls.empty()
        offsets = np.cumsum([0, *(len(b.text) for b in kept[:-1])])
        shifted = {
            name: np.concatenate([getattr(b, name) + np.int32(o) for b, o in zip(kept, offsets, strict=True)])
            for name in ("start", "stop")
        }
        return cls(
            **{
                name: shifted[name] if name in shifted else np.concatenate([getattr(b, name) for b in kept])
                for name in _COLUMNS
            },
            text=b"".join(b.text for b in kept),
        )


_COLUMNS = ("channel", "ts", "value", "rev", "letter", "mark", "received", "position", "start", "stop")
