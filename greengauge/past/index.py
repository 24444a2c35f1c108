"""`LogIndex`: in which stretches of the log the readings of each ten minutes stand.

Receive order and event time part ways as far as meters are late, so a stretch of event time lies scattered over
the log. One look through the log finds where; it is kept, and grows with the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from devices.readings import Readings
from ingest.log.record import Record

STRETCH_MS = 600_000
"""Event time that is read as one piece."""
BLOCK_BYTES = 256 << 10


Places = dict[int, list[tuple[int, int]]]
"""End of a stretch of event time / STRETCH_MS → positions of the log between which its readings stand."""


class ReadableLog(Protocol):
    """What of the log is needed (`ingest.log.Log`)."""

    @property
    def first(self) -> int: ...  # noqa: D102 - ingest.log.Log says it

    @property
    def durable(self) -> int: ...  # noqa: D102 - ingest.log.Log says it

    def read(self, start: int, max_bytes: int) -> Sequence[Record]: ...  # noqa: D102 - ingest.log.Log says it

    def since(self, received: int) -> int: ...  # noqa: D102 - ingest.log.Log says it

    def began(self) -> int | None: ...  # noqa: D102 - ingest.log.Log says it


class LogIndex:
    """Where to find what. Not thread-safe: one reader of the past at a time."""

    def __init__(self, log: ReadableLog, decode: Callable[[Sequence[Record]], Readings]) -> None:
        self._log, self._decode = log, decode
        self._from = self._to = 0  # looked through: from <= position < to
        self._places: Places = {}

    def cover(self, start: int) -> Iterator[None]:
        """Look through the log from position `start` to its present end, giving way after each block."""
        start = max(start, self._log.first)
        if not self._places:
            self._from = self._to = start
        if start < self._from:  # older than what is known: it goes before it
            older: Places = {}
            for _ in self._look(start, self._from, older):
                yield
            for stretch, places in self._places.items():
                older[stretch] = older.get(stretch, []) + places
            self._places, self._from = older, start
        for reached in self._look(self._to, self._log.durable, self._places):
            self._to = reached
            yield

    def stretches(self, start: int, end: int) -> list[int]:
        """Those in which readings with start < ts <= end stand, ascending; each named by its end / STRETCH_MS."""
        first, last = -(-(start + 1) // STRETCH_MS), -(-end // STRETCH_MS)
        return sorted(at for at in self._places if first <= at <= last)

    def read(self, stretch: int, start: int, end: int) -> Readings:
        """Its readings with start < ts <= end, in log order."""
        low, high = max(start, (stretch - 1) * STRETCH_MS), min(end, stretch * STRETCH_MS)
        parts: list[Readings] = []
        for at, stop in self._places[stretch]:
            while at < stop:
                records = [r for r in self._log.read(at, BLOCK_BYTES) if r.position < stop]
                if not records:
                    break  # pruned, or damaged since
                readings = self._decode(records)
                parts.append(readings.take((readings.ts > low) & (readings.ts <= high)))
                at = records[-1].end
        return Readings.concat(parts)

    def _look(self, start: int, end: int, into: Places) -> Iterator[int]:
        """Note where readings stand between two positions; how far, block by block."""
        while start < end:
            records = [r for r in self._log.read(start, BLOCK_BYTES) if r.position < end]
            if not records:
                return
            first, start = records[0].position, records[-1].end
            for stretch in np.unique(-(-self._decode(records).ts // STRETCH_MS)).tolist():
                places = into.setdefault(stretch, [])
                if places and places[-1][1] >= first:
                    places[-1] = places[-1][0], start
                else:
                    places.append((first, start))
            yield start
