"""Rows of a batch that may not be the first of their key, sorted and compared by arrays.

After a rewind every row is such a row, and on a large plant a gap that is filled in is: what nothing speaks against
has to cost no Python of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.readings import I32, I64, Readings
from ingest.store.base import Series, Span

GAP_MS = 60_000
"""Late readings of one channel closer than this are asked for in one span."""

Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Keys:
    """Doubtful rows by their (channel, ts), in this order; k keys, n rows."""

    channel: I32  # [k]
    ts: I64  # [k]
    late: Bools  # [k]: may have been sent before
    rows: Rows  # [n]: rows of the batch; those of one key in log order
    begins: Rows  # [k + 1]: of each key, in `rows`

    @classmethod
    def of(cls, readings: Readings, doubtful: Rows, late: Bools) -> Keys:
        """`doubtful`: rows of the batch, ascending; `late`: of all its rows."""
        rows = doubtful[np.lexsort((readings.ts[doubtful], readings.channel[doubtful]))]
        channel, ts = readings.channel[rows], readings.ts[rows]
        first = np.flatnonzero(_new(channel, ts))
        begins = np.append(first, len(rows))
        return cls(channel[first], ts[first], late[rows[first]], rows, begins)

    def __len__(self) -> int:
        return len(self.channel)

    def rows_of(self, key: int) -> list[int]:
        """The rows of one key in log order."""
        found: list[int] = self.rows[self.begins[key] : self.begins[key + 1]].tolist()
        return found

    @property
    def first(self) -> Rows:
        """[k]: the first row of each key."""
        return self.rows[self.begins[:-1]]

    @property
    def alone(self) -> Bools:
        """[k]: keys that have one row."""
        alone: Bools = np.diff(self.begins) == 1
        return alone

    def spans(self, wanted: Bools, series: Callable[[int], Series]) -> tuple[list[Span], list[int]]:
        """What to ask a store to learn what it holds of these keys; and of which channel each span is."""
        channel, ts = self.channel[wanted], self.ts[wanted]
        begins = _new(channel, ts, GAP_MS)
        ends = np.append(begins[1:], True) if len(ts) else begins
        asked = channel[begins].tolist()
        times = zip(asked, ts[begins].tolist(), ts[ends].tolist(), strict=True)
        return [Span(series(one), first, last) for one, first, last in times], asked

    def held(
        self, asked: Sequence[int], answers: Sequence[Mapping[int, float | str]]
    ) -> tuple[Bools, NDArray[np.float64]]:
        """([k]: whether a store holds a number of this key, [k]: which), from its answer to each span."""
        told = [{ts: v for ts, v in answer.items() if not isinstance(v, str)} for answer in answers]
        sizes = [len(one) for one in told]
        n, k = sum(sizes), len(self)
        ts = np.fromiter((t for one in told for t in one), np.int64, n)
        values = np.fromiter((v for one in told for v in one.values()), np.float64, n)
        channel = np.repeat(np.array(asked, np.int32), sizes)
        # A key that is held stands right behind what is held of it, once both are sorted together.
        channels, times = np.concatenate([channel, self.channel]), np.concatenate([ts, self.ts])
        order = np.lexsort((np.arange(n + k) >= n, times, channels))
        found = ~_new(channels[order], times[order])
        there, value = np.zeros(k, np.bool_), np.zeros(k)
        keys = order[found] - n
        there[keys], value[keys] = True, values[order[np.flatnonzero(found) - 1]]
        return there, value


def _new(channel: I32, ts: I64, gap: int = 0) -> Bools:
    """[n]: rows, sorted, on another channel than the one before or more than `gap` ms behind it; the first is."""
    new = np.ones(len(ts), np.bool_)
    new[1:] = (channel[1:] != channel[:-1]) | (ts[1:] - ts[:-1] > gap)
    return new
