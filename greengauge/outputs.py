"""Closed scores, blocks and alarm events on their way from the history into the store (InfluxDB).

The history is durable and numbered, so the way out may be down for as long as it likes: delivery goes
on after the last row that the store took, and writing a row again is harmless (same key, same point).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from greengauge.history import History
from greengauge.live import Live
from greengauge.points import alarm_point, degree_point, emission_point, energy_point
from ingest.store.base import Store, StoreDown
from ingest.store.patience import pause_s
from scoring.results import Emission, Energy, Score

log = structlog.get_logger()

BATCH = 5_000


class Outputs:
    """The task that delivers what scoring made known to the store."""

    def __init__(self, plant: Plant, history: History, store: Store, live: Live) -> None:
        self._plant, self._history, self._store, self._live = plant, history, store, live
        self._again: int | None = None

    def deliver_again(self, since: int) -> None:
        """Deliver what was told at `since` (ms) or later once more, in its turn: a store that lost it."""
        self._again = since if self._again is None else min(since, self._again)

    async def run(self) -> None:
        """Deliver until cancelled; while the store is down, wait for it as patiently as the writer of readings."""
        failures = 0
        while True:
            try:
                if self._again is not None:  # between two deliveries, so that none marks what is to go again
                    since = self._again
                    await asyncio.to_thread(self._history.deliver_again, since)
                    self._again = None if self._again == since else self._again
                moved = await self._deliver("step", self._steps) + await self._deliver("alarm", self._alarms)
                pending = await asyncio.to_thread(self._history.pending)
            except StoreDown as down:
                self._live.put_system("store outputs", {"state": "down", "text": down.cause})
                failures += 1
                await asyncio.sleep(pause_s(down, failures))
                continue
            except EnvironmentFailure as failure:  # of the history: what was delivered and not marked goes again
                self._live.put_system("store outputs", {"state": "down", "text": failure.cause})
                await asyncio.sleep(1.0)
                continue
            failures = 0
            text = f"{pending} scores on their way" if pending > BATCH else "ok"
            self._live.put_system("store outputs", {"state": "ok", "pending": pending, "text": text})
            if not moved:
                await asyncio.sleep(1.0)

    async def _deliver(self, what: str, fetch: Callable[[], tuple[list[bytes], int]]) -> int:
        lines, row = await asyncio.to_thread(fetch)
        if not lines:
            return 0
        for bad in await self._store.write(lines):
            log.error("outputs.point_refused", store=bad.reason, point=lines[bad.line].decode(errors="replace"))
        await asyncio.to_thread(self._history.mark_delivered, what, row)
        return len(lines)

    def _steps(self) -> tuple[list[bytes], int]:
        things, row = self._history.undelivered(BATCH)
        return [self._point(thing) for thing in things], row

    def _point(self, thing: Score | Emission | Energy) -> bytes:
        simulated = self._live.simulated
        if isinstance(thing, Score):
            return degree_point(thing, self._plant, simulated=simulated)
        if isinstance(thing, Energy):
            return energy_point(thing, self._plant, simulated=simulated)
        return emission_point(thing, self._plant, simulated=simulated)

    def _alarms(self) -> tuple[list[bytes], int]:
        events, row = self._history.undelivered_alarms(BATCH)
        return [alarm_point(event) for event in events], row
