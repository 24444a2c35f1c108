"""Each channel's newest time so far, and with it which rows of a batch are certainly the first of their key.

A row beyond all that came before it on its channel is the first of its (channel, ts): nearly all rows are. Compiled
once the kernels are there (one walk), sorted in NumPy until then; both give the same answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64, Readings
from ingest import kernels

NEVER = np.iinfo(np.int64).min


class Newest:
    """Newest ts (ms) of each channel, and which channels moved since `saved`."""

    def __init__(self, channels: int) -> None:
        self.ts: I64 = np.full(channels, NEVER, np.int64)
        self._moved = np.zeros(channels, np.bool_)

    def sort_out(self, readings: Readings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which rows are not beyond what came in earlier batches, and which are certain; then all is remembered.

        Certain is a row without `rev` that alone has its key, here and in all batches before.
        """
        channel, ts = readings.channel, readings.ts
        late, odd = np.empty(len(ts), np.bool_), np.ones(len(ts), np.bool_)
        self._moved[channel] = True
        if kernels.ready():
            from ingest import newest_kernel  # it imports numba, which only whoever is ready has

            if not newest_kernel.advance(channel, ts, readings.rev, self.ts, late, odd):
                return late, ~odd
        else:
            np.less_equal(ts, self.ts[channel], out=late)
            np.maximum.at(self.ts, channel, ts)
        # Two of one key stand on a channel that has an odd row: only such channels are sorted.
        some = np.zeros(len(self.ts), np.bool_)
        some[channel[odd]] = True
        rows = np.flatnonzero(some[channel])
        rows = rows[np.lexsort((ts[rows], channel[rows]))]
        again = (np.diff(channel[rows]) == 0) & (np.diff(ts[rows]) == 0)
        certain = ~late & (readings.rev == 0)
        certain[rows[1:][again]] = certain[rows[:-1][again]] = False
        return late, certain

    def moved(self) -> list[int]:
        """Channels that moved since `saved`."""
        found: list[int] = np.flatnonzero(self._moved).tolist()
        return found

    def saved(self) -> None:
        """All of them are on disk."""
        self._moved[:] = False
