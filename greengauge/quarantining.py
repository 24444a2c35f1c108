"""`Quarantining`: the task that keeps what decoding did not let in, and counts what sequence numbers miss."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import structlog

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from ingest.decode import internal, retry
from ingest.decode.result import Decoded, Reject
from ingest.decode.retry import Again
from ingest.decode.sequence import by_meter
from ingest.log.log import Log
from ingest.log.record import Record
from ingest.quarantine import Quarantine
from ingest.quarantine.resolving import Retried

log = structlog.get_logger()

READ_BYTES = 1 << 20
RETRY_S = 1.0
GATHER_S = 0.1
"""Nobody waits for what is bad: a look at each commit would cost more than keeping it."""
ALONE_S = 0.5
"""Where no other reader of the log moved for so long, it is not followed."""
FOLLOW_S = 0.02


class Quarantining:
    """Reads the log from its own cursor, which holds the segments until what is wrong in them is kept.

    In a backlog it goes behind the readers that work at it: ahead of them it would decode for itself alone, for by the
    time they come the decoded form is long gone.
    """

    def __init__(
        self,
        plant: Plant,
        records: Log,
        *,
        read: Callable[[int, int], list[Record]],
        more: Callable[[int], Awaitable[None]],
        decode: Callable[[Sequence[Record]], Decoded],
        quarantine: Quarantine,
        let_in: Callable[[Record], Sequence[tuple[Again, tuple[str, ...]]]],
        lead: Callable[[], int] = lambda: 0,
    ) -> None:
        """`read` and `more` are the gate's and the intake's: what is held is not judged. `let_in`: which messages of
        a retry came in, and which of their names go on waiting. `lead`: up to where any other reader has come.
        """
        self._plant, self._log, self._read, self._more, self._decode = plant, records, read, more, decode
        self._quarantine, self._let_in, self._lead = quarantine, let_in, lead
        self._led, self._led_at = 0, -math.inf  # where the others were, and when they were last seen moving
        self.failure: EnvironmentFailure | None = None
        """Why nothing can be kept now."""

    async def refuse(self, rejects: Sequence[Reject]) -> None:
        """Keep what the store will never take."""
        await asyncio.to_thread(self._quarantine.add, rejects)

    async def run(self) -> None:
        """Work until cancelled."""
        position = self._log.cursors.get("quarantine")
        followed = await asyncio.to_thread(lambda: self._quarantine.followed)
        if followed <= self._log.durable:  # what lies before it is kept: a kill came between it and the cursor
            position = max(position, followed)
        while True:
            if self._quarantine.renewed:  # its file was lost or damaged: the log tells it again
                self._quarantine.renewed, position = False, self._log.first
            try:
                end, gaps = await asyncio.to_thread(self._take, position)
            except EnvironmentFailure as failure:  # a full disk, say: the cursor holds the log, so nothing is lost
                if self.failure is None:
                    log.warning("quarantine.waits", cause=failure.cause, where=failure.where, mend=failure.mend)
                self.failure = failure
                await asyncio.sleep(RETRY_S)
                continue
            self.failure = None
            for meter, missing in gaps.items():
                log.warning("intake.sequence_gap", meter=meter, missing=missing)
            if end == position:
                await self._more(position)
                await asyncio.sleep(GATHER_S)
            else:
                await self._follow(end)
            position = end

    async def _follow(self, position: int) -> None:
        """Wait until another reader is beyond `position`, unless none of them moves."""
        while True:
            lead, now = self._lead(), time.monotonic()
            if lead != self._led:
                self._led, self._led_at = lead, now
            if lead > position or now - self._led_at >= ALONE_S:
                return
            await asyncio.sleep(FOLLOW_S)

    def _take(self, position: int) -> tuple[int, dict[str, int]]:
        """Read on from `position`, and keep: up to where, and which meters' messages are missing. Blocking."""
        records = self._read(position, READ_BYTES)
        return (records[-1].end, self._kept(records)) if records else (position, {})

    def _kept(self, records: Sequence[Record]) -> dict[str, int]:
        """See `_keep`. A mistake of ours costs the record that brings it out, and of it only what is not kept yet."""
        try:
            return self._keep(self._decode(records), records)
        except Exception as failure:
            if not internal.unexpected(failure):
                raise
            if len(records) == 1:
                self._quarantine.add(internal.record(records[0], failure).rejects)
                self._log.cursors.set("quarantine", records[0].end)
                return {}
        missing: Counter[str] = Counter()
        for record in records:
            missing.update(self._kept([record]))
        return dict(missing)

    def _keep(self, decoded: Decoded, records: Sequence[Record]) -> dict[str, int]:
        """Rejects, then retries, then sequences, then the cursor: after a kill in between each is told again and counts
        once.
        """
        end = records[-1].end
        if decoded.rejects:
            self._quarantine.add(decoded.rejects)
        for record in filter(retry.is_retry, records):  # whatever they let in came before them in the log
            self._quarantine.resolve(self._resolved(record), record.position)
        named = {self._plant.meters[meter].name: numbers for meter, numbers in by_meter(decoded.sequences).items()}
        gaps = self._quarantine.follow(named, end) if named else {}
        self._log.cursors.set("quarantine", end)
        return gaps

    def _resolved(self, record: Record) -> list[Retried]:
        return [Retried(one.position, one.item, one.reason, left) for one, left in self._let_in(record)]
