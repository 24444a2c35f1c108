"""What a replay has read so far, as the past that restating reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from devices.durations import HOUR
from devices.readings import Readings
from scoring.restate import Past


class ReplayPast(Past):
    """All readings in memory, without their texts: about 40 bytes each. Sorted when it is first asked."""

    def __init__(self) -> None:
        self._batches: list[Readings] = []
        self._sorted = Readings.empty()

    def add(self, readings: Readings) -> None:
        """Rows came in, in the order of the file."""
        none = np.zeros(len(readings), np.int32)
        self._batches.append(
            Readings(
                readings.channel, readings.ts, readings.value, readings.rev, readings.letter, readings.mark,
                readings.received, readings.ts, none, none, b"",
            )
        )  # fmt: skip

    def read(self, start: int, end: int) -> Iterator[Readings]:
        """See `Past`; an hour at a time. Rows of one time stay in the order of the file."""
        if self._batches:
            found = Readings.concat([self._sorted, *self._batches])
            self._sorted = found.take(np.argsort(found.ts, kind="stable"))
            self._batches = []
        ts = self._sorted.ts
        low, high = np.searchsorted(ts, [start, end], side="right").tolist()
        if low == high:
            return
        hours = np.arange(int(ts[low]) // HOUR + 1, int(ts[high - 1]) // HOUR + 1) * HOUR
        cuts = [low, *(low + np.searchsorted(ts[low:high], hours, side="left")).tolist(), high]
        for a, b in pairwise(cuts):
            if b > a:
                yield self._sorted.take(slice(a, b))
