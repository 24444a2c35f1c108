"""`Ruler`: what one number's text says on one channel: its count of steps, and whether it may be scored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Channel, Kind
from devices.quantise import INT64_MAX, Quantum
from devices.readings import I64, U8, Mark

RATE_MAX = 2**63 // 3_600_000
"""Greatest count of a rate or level: multiplied by the milliseconds of an hour it still fits 64 bits."""


class Ruler:
    """Reads numbers of one channel. The one place where text becomes an amount and range is judged."""

    __slots__ = ("high", "low", "quantum")

    def __init__(self, channel: Channel, *, written: Fraction = Fraction(1)) -> None:
        """`written` is how many of the channel's units one unit is in which the numbers are written."""
        self.quantum = Quantum(channel.step / written)
        most = RATE_MAX if channel.kind in (Kind.RATE, Kind.LEVEL) else INT64_MAX
        self.low = -most if channel.low is None else max(channel.low, -most)
        self.high = most if channel.high is None else min(channel.high, most)

    def read(self, text: bytes | str) -> tuple[int, int]:
        """(count of steps, `Mark` bits); the count is 0 where out of range. ValueError if it is no number."""
        count = self.quantum.count(text)
        if count is None or not self.low <= count <= self.high:
            return 0, int(Mark.OUT_OF_RANGE)
        return count, 0

    def read_many(self, texts: NDArray[np.bytes_]) -> tuple[I64, U8]:
        """`read` of many texts: the same answers. ValueError, with the row as its argument, at the first non-number."""
        count, known = self.quantum.count_many(texts)
        out = known & ((count < self.low) | (count > self.high))
        mark = np.where(out, np.uint8(Mark.OUT_OF_RANGE), np.uint8(0))
        count[out] = 0
        for row in np.flatnonzero(~known).tolist():
            try:
                count[row], mark[row] = self.read(bytes(texts[row]))
            except ValueError:
                raise ValueError(row) from None
        return count, mark


def rulers(channels: Iterable[Channel]) -> list[Ruler]:
    """The ruler of each channel; channels that count alike share one, and a large plant has few sorts of them."""
    made: dict[tuple[object, ...], Ruler] = {}
    found = []
    for c in channels:
        sort = c.kind, c.step.numerator, c.step.denominator, c.low, c.high
        ruler = made.get(sort)
        if ruler is None:
            ruler = made[sort] = Ruler(c)
        found.append(ruler)
    return found


def read_all(rulers: Sequence[Ruler | None], channel: NDArray[np.int32], texts: NDArray[np.bytes_]) -> tuple[I64, U8]:
    """Counts and marks of a column of texts, each by the ruler of its channel. ValueError(row) as `Ruler.read_many`."""
    value, mark = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.uint8)
    if not len(texts):
        return value, mark
    order = np.argsort(channel, kind="stable")
    used, first = np.unique(channel[order], return_index=True)
    for index, rows in zip(used.tolist(), np.split(order, first[1:]), strict=True):
        ruler = rulers[index]
        if ruler is None:
            raise ValueError(int(rows[0]))
        try:
            value[rows], mark[rows] = ruler.read_many(texts[rows])
        except ValueError as no_number:
            raise ValueError(int(rows[no_number.args[0]])) from None
    return value, mark
