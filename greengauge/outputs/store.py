"""Closed scores, blocks and alarm events on their way from the history into the store (InfluxDB).

The history is durable and numbered, so the way out may be down for as long as it likes: delivery goes
on after the last row that the store took, and writing a row again is harmless (same key, same point).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from greengauge.history import History
from greengauge.live import Live
from greengauge.outputs.points import Points, alarm_point
from ingest.store.base import BadPoint, Store, StoreDown
from ingest.store.patience import pause_s

log = structlog.get_logger()

BATCH = 5_000
KINDS = 20
"""Reasons of refusals that are told apart."""
OTHER = "other"


class Outputs:
    """The task that delivers what scoring made known to the store."""

    def __init__(self, plant: Plant, history: History, store: Store, live: Live) -> None:
        self._points, self._history, self._store, self._live = Points(plant), history, store, live
        self._again: int | None = None
        self.refused: Counter[str] = Counter()
        """Why the store will never take a point → how many so far. The history keeps them."""

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
            self._live.put_system("store outputs", self._state(pending))
            if not moved:
                await asyncio.sleep(1.0)

    async def _deliver(self, what: str, fetch: Callable[[], tuple[list[bytes], int]]) -> int:
        lines, row = await asyncio.to_thread(fetch)
        if not lines:
            return 0
        refused = await self._store.write(lines)
        if refused:
            self._refused(lines, refused)
        await asyncio.to_thread(self._history.mark_delivered, what, row)
        return len(lines)

    def _refused(self, lines: list[bytes], refused: list[BadPoint]) -> None:
        """Count them by reason, each point once, and say so in one line however many they are."""
        reasons: Counter[str] = Counter()
        for _, kind in dict.fromkeys((bad.line, _kind(bad.reason)) for bad in refused):
            known = kind in self.refused or len(self.refused) < KINDS
            reasons[kind if known else OTHER] += 1
            self.refused[kind if known else OTHER] += 1
        first = refused[0]
        log.error(
            "outputs.points_refused",
            points=len({bad.line for bad in refused}),
            reasons=dict(reasons),
            first=first.reason,
            point=lines[first.line].decode(errors="replace"),
        )

    def _state(self, pending: int) -> dict[str, Any]:
        refused = self.refused.total()
        text = f"{pending} scores on their way" if pending > BATCH else "ok"
        if refused:
            text = f"{refused} points refused by the store" + (f", {text}" if pending > BATCH else "")
        return {"state": "ok", "pending": pending, "refused": dict(self.refused), "text": text}

    def _steps(self) -> tuple[list[bytes], int]:
        rows, last = self._history.frozen(BATCH)
        return [self._points.line(row, simulated=self._live.simulated) for row in rows], last

    def _alarms(self) -> tuple[list[bytes], int]:
        events, row = self._history.undelivered_alarms(BATCH)
        return [alarm_point(event) for event in events], row


def _kind(reason: str) -> str:
    """What stands before the store's particulars."""
    return reason.partition(":")[0].strip()[:60] or OTHER
