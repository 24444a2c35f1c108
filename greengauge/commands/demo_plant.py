"""`DemoPlant`: the demo's plant as two tasks: one publishes yesterday and then today, one tells how far that is."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

from devices import times
from devices.durations import DAY, HOUR, MINUTE
from devices.simulator.publisher import Simulator
from greengauge.service import Service
from greengauge.terminal import Progress, say

ARRIVAL_S = 10.0
"""How long the gauges wait at most for the end of yesterday."""


class DemoPlant:
    """Made before the service runs, so that its scorer takes yesterday in before it shows the first gauge."""

    def __init__(self, service: Service, url: str, seed: int, start: int | None, excursion_s: float) -> None:
        """`start` is the event time at which the plant is live, None for now; a known plant goes on instead."""
        self._service = service
        known = service.log.received if start is None else service.scorer.engine.clock
        if start is not None:
            start = max(start, known)
        self._simulator = Simulator(service.plant, url, seed=seed, start=start, excursion_s=excursion_s)
        self._since = max(known, self._simulator.start - DAY)
        self._published = asyncio.Event()
        self._what = f"{_span(self._simulator.start - self._since)} of the simulated plant"
        service.scorer.filled.clear()
        self._told("reading", 0, 1)

    async def run(self) -> None:
        """Publish: what lies before the start, then live, in a thread of its own."""
        loop = asyncio.get_running_loop()

        def progress(done: int, total: int) -> None:
            loop.call_soon_threadsafe(self._told, "reading", done, total)

        def work() -> None:
            self._simulator.backfill(progress=progress, since=self._since)
            loop.call_soon_threadsafe(self._published.set)
            self._simulator.run()

        try:
            # A broker keeps nothing for a session that it has not met: what is published earlier is lost.
            while not self._service.intake.session.state.connected:  # noqa: ASYNC110 - a status, not an event
                await asyncio.sleep(0.01)
            await asyncio.to_thread(work)
        finally:
            self._simulator.stop()

    async def tell(self) -> None:
        """Follow it until every step is scored, on the page and at the terminal; then say which alarms come."""
        began = time.monotonic()
        line = Progress(sys.stdout)
        scorer, live = self._service.scorer, self._service.live
        showing = asyncio.create_task(self._show(line), name="progress line")
        try:
            await self._published.wait()
            last = self._simulator.start // MINUTE * MINUTE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ARRIVAL_S):
                    while await scorer.heard() < last:
                        await self._service.intake.wait(self._service.log.durable)
            scorer.filled.set()
            most = behind = await scorer.behind()
            while behind:
                most = max(most, behind)
                self._told("scoring", most - behind, most)
                await asyncio.sleep(0.2)
                behind = await scorer.behind()
        finally:
            live.progress = None
            showing.cancel()
            line.clear()
        say(("ready", f"{self._what} scored in {time.monotonic() - began:.0f} s"))
        await self._alarms()

    async def _alarms(self) -> None:
        """One row for each alarm that nobody acknowledged yet, when it comes."""
        live, seq = self._service.live, 0
        said: dict[tuple[str, str], int] = {}
        while True:
            for alarm in live.alarms():
                key = (alarm.scope, alarm.id)
                if alarm.state == "unacknowledged" and said.get(key) != alarm.since:
                    said[key] = alarm.since
                    level = f"{alarm.value:g} {alarm.unit}, limit {alarm.limit:g}" if alarm.value is not None else ""
                    say(("alarm", f"{times.format(alarm.since)} {alarm.id} on {alarm.scope}: {level}"))
            seq = live.seq
            await live.wait(seq)

    async def _show(self, line: Progress) -> None:
        while True:
            if told := self._service.live.progress:
                line.show(told["what"].split()[0], self._what, told["done"], told["total"])
            await asyncio.sleep(0.1)

    def _told(self, doing: str, done: int, total: int) -> None:
        """Stands until all is scored (`tell`): in between, what is not there yet is no trouble of the plant's."""
        self._service.live.progress = {"what": f"{doing} {self._what}", "done": done, "total": total}


def _span(ms: int) -> str:
    return f"{ms / HOUR:.0f} hours" if ms >= 90 * MINUTE else f"{ms / MINUTE:.0f} minutes"
