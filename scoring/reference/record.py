"""All readings of a plant as curves: what every channel has summed up to by any instant.

A reading is a piece of amount over (t0, t1] (semantics §2): spread evenly and floored, so that parts add up. What
is held is value × ms over its time, an instant is a piece of one millisecond. The sum over (a, b] is the curve at b
less the curve at a. `sums.span` says the same without curves; a property test holds both equal.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache
from itertools import accumulate

from devices.plant.model import Kind, Plant
from devices.readings import Readings
from scoring.reference.counters import pairs
from scoring.reference.sums import invalid
from scoring.reference.winners import Winner, source, winners

Piece = tuple[int, int, int]
"""(t0, t1, amount)."""
Interval = tuple[int, int]


class Curve:
    """What pieces sum up to by an instant; their starts and their ends both ascend."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.pieces = list(pieces)
        self._ends = [t1 for _, t1, _ in self.pieces]
        self._before = [0, *accumulate(amount for _, _, amount in self.pieces)]

    def __call__(self, t: int) -> int:
        """The sum over all time up to `t`."""
        row = bisect_right(self._ends, t)
        found = self._before[row]
        while row < len(self.pieces) and self.pieces[row][0] < t:  # those that have begun and not ended
            t0, t1, amount = self.pieces[row]
            found += amount * (t - t0) // (t1 - t0)
            row += 1
        return found

    def over(self, start: int, end: int) -> int:
        """The sum over (start, end]."""
        return self(end) - self(start)


class Record:
    """A plant's readings."""

    def __init__(self, plant: Plant, readings: Readings) -> None:
        self.plant = plant
        self.winners = cache(lambda channel: winners(plant, readings, channel))
        self._times = cache(lambda channel: [w.ts for w in self.winners(channel)])
        self.total = cache(lambda channel: Curve(self._pieces(channel)))
        self.covered = cache(self._covered)
        self.time = cache(lambda channel: _time(self._whole_time(channel)))
        self.joint = cache(self._joint)

    def between(self, channel: int, start: int, end: int) -> list[Winner]:
        """The winning readings in [start, end)."""
        known, times = self.winners(channel), self._times(channel)
        return known[bisect_left(times, start) : bisect_left(times, end)]

    def held(self, channel: int) -> list[tuple[int, int, Winner]]:
        """Of a rate or level: (from, until, the reading) of all readings, valid or not."""
        known, gap = self.winners(channel), source(self.plant, channel)[0].max_gap_ms
        following = [*(w.ts for w in known[1:]), *([1 << 62] if known else [])]
        return [(w.ts, min(w.ts + gap, after), w) for w, after in zip(known, following, strict=True)]

    def _pieces(self, channel: int) -> list[Piece]:
        measured, _ = source(self.plant, channel)
        if measured.kind is Kind.COUNTER:
            return [(p.start, p.end, p.amount) for p in pairs(measured, self.winners(channel))[0]]
        if measured.kind is Kind.AMOUNT:
            length = measured.period_ms or 1
            return [(w.ts - length, w.ts, w.value) for w in self.winners(channel) if not w.outside]
        return [(a, b, w.value * (b - a)) for a, b, w in self.held(channel) if not invalid(w)]

    def _whole_time(self, channel: int) -> list[Interval]:
        """Where it is covered, estimated or not."""
        measured, _ = source(self.plant, channel)
        if measured.kind is Kind.COUNTER:
            return [(p.start, p.end) for p in pairs(measured, self.winners(channel))[0]]
        return self._covered(channel)

    def _covered(self, channel: int, above: int | None = None) -> list[Interval]:
        """Where it is covered and not estimated (and, if asked, its value above so many steps)."""
        measured, _ = source(self.plant, channel)
        if measured.kind is Kind.COUNTER:
            return [(p.start, p.end) for p in pairs(measured, self.winners(channel))[0] if not p.estimated]
        if measured.kind is Kind.AMOUNT:
            length = measured.period_ms
            return union((w.ts - length, w.ts) for w in self.winners(channel) if not w.outside and length)
        found = [(a, b, w) for a, b, w in self.held(channel) if not invalid(w)]
        return union((a, b) for a, b, w in found if above is None or w.value > above)

    def _joint(self, channels: tuple[int, ...], running: tuple[int, int] | None) -> Curve:
        """Time in which all these channels are covered while the line runs."""
        found: list[Interval] = [(-(1 << 62), 1 << 62)] if running is None else self.covered(*running)
        for channel in channels:
            found = _both(found, union(self.covered(channel)))
        return _time(found)


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in intervals that do not touch, ascending."""
    found: list[Interval] = []
    for a, b in sorted(intervals):
        if found and a <= found[-1][1]:
            found[-1] = found[-1][0], max(b, found[-1][1])
        else:
            found.append((a, b))
    return found


def _both(one: list[Interval], other: list[Interval]) -> list[Interval]:
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        a, b = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if a < b:
            found.append((a, b))
        i, j = (i + 1, j) if one[i][1] < other[j][1] else (i, j + 1)
    return found


def _time(intervals: Iterable[Interval]) -> Curve:
    return Curve((a, b, b - a) for a, b in intervals)
