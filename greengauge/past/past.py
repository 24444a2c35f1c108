"""`LoggedPast`: all readings of a stretch of event time, wherever they are kept by now."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator, Sequence

from devices.durations import HOUR
from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from devices.readings import Readings
from greengauge.past.index import STRETCH_MS, LogIndex, ReadableLog
from greengauge.past.stored import StoredPast
from greengauge.versions import Decoders
from ingest.clock_shifts import ClockShifts
from ingest.log.log import Log
from ingest.log.record import Record
from ingest.store.base import Store

SKEW_MS = HOUR
"""How much later than its event time a reading may be received and be told apart from an older one's: more than any
registry's `future`."""


class LoggedPast:
    """`scoring`'s Past over the durable log and, beyond its retention, the store.

    The log is complete for event times after its first receive time (and for all, while nothing was ever pruned).
    Earlier ones come from the store, late arrivals included: it is asked once its writer has passed them.
    """

    def __init__(
        self,
        plant: Plant,
        log: ReadableLog,
        decode: Callable[[Sequence[Record]], Readings],
        stored: StoredPast,
        store_position: Callable[[], int],
    ) -> None:
        """`decode` decodes frames of records in today's words; `store_position` is the store cursor."""
        self._plant, self._log = plant, log
        self._index = LogIndex(log, decode)
        self._stored, self._store_position = stored, store_position
        self._awaited: int | None = None  # what the store must hold before it is asked

    def read(self, start: int, end: int) -> Iterator[Readings]:
        """Readings with start < ts <= end: pieces in time order, each in log order; some may be empty.

        Raises EnvironmentFailure while the store would be needed and cannot tell: ask again later.
        """
        known = self._logged_after()
        if start < known:
            border = min(end, -(-known // STRETCH_MS) * STRETCH_MS)
            self._wait_for_the_store()
            yield from self._stored.read(start, border)
            start = border
        if start >= end:
            return
        for _ in self._index.cover(self._log.since(start - SKEW_MS)):
            yield Readings.empty()
        for stretch in self._index.stretches(start, end):
            yield self._index.read(stretch, start, end)

    def _wait_for_the_store(self) -> None:
        """What is durable when it is first asked must be written; what comes later touches what it touches."""
        if self._awaited is None:
            self._awaited = self._log.durable
        if self._store_position() < self._awaited:
            raise EnvironmentFailure(
                "the store has not got everything yet",
                where="readings that the log holds no longer",
                mend="it goes on by itself once the store has caught up",
            )
        self._awaited = None

    def _logged_after(self) -> int:
        """Of later event times the log holds every reading."""
        began = self._log.began()
        if self._log.first == 0:
            return -(1 << 62)
        return (1 << 62) if began is None else began + SKEW_MS


def past_of(
    plant: Plant, log: Log, shifts: ClockShifts, decoders: Decoders, store: Store, loop: AbstractEventLoop
) -> LoggedPast:
    """The past of a data folder; the store is asked on `loop`, and its answers are looked for, not waited for."""

    def decode(records: Sequence[Record]) -> Readings:
        return decoders.decode_past(shifts.apply(records))

    stored = StoredPast(plant, lambda spans: asyncio.run_coroutine_threadsafe(store.look_up(spans), loop))
    return LoggedPast(plant, log, decode, stored, lambda: log.cursors.get("store"))
