"""`Service`: the only module that builds everything. One TaskGroup, every task named.

    intake   session → log → PUBACK             writer      log → store (cursor: store)
    scorer   log → engine → live, history       quarantine  log → quarantine (cursor: quarantine)
    page     HTTP and WebSocket                 outputs     history → store;  mqtt-out  live → broker
    keeper   tells the page what state everything is in;  requests  `recompute` → log

Each reads the log from its own cursor; none waits for another.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Coroutine
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import structlog

from devices import topics
from devices.errors import ConfigurationError, EnvironmentFailure
from devices.plant.model import Plant
from greengauge.history import History
from greengauge.keeper import Keeper
from greengauge.live import Live
from greengauge.operations import Operations, silent_places
from greengauge.outputs.mqtt import MqttOut, connector
from greengauge.outputs.retained import Retained
from greengauge.outputs.store import Outputs
from greengauge.page.app import build
from greengauge.page.context import PageContext
from greengauge.page.server import PageServer
from greengauge.parts import StoreCursor, influx_token, log_of, store_of
from greengauge.past import past_of
from greengauge.plant_cache import plant_of
from greengauge.quarantining import Quarantining
from greengauge.remembered import folder_of, remember
from greengauge.restating.requests import Requests, Taker
from greengauge.retrying import choose
from greengauge.rewinding import Rewound, place
from greengauge.running import StartAgain, run_until_told
from greengauge.scorer import snapshots
from greengauge.scorer.scorer import Scorer
from greengauge.settings import Settings
from greengauge.standing import Standing
from greengauge.terminal import say
from greengauge.versions import Decoders
from ingest.clock import TOLERANCE_MS, Clock
from ingest.clock_shifts import ClockShifts
from ingest.decode import retry
from ingest.gate import Gate
from ingest.intake import Intaker
from ingest.log.lock import DataLock
from ingest.quarantine import Quarantine
from ingest.session.options import client_id
from ingest.session.session import MqttSession
from ingest.store.influx import InfluxStore
from ingest.winners import Winners
from ingest.writer import StoreWriter, series_of
from scoring.compiling import help_compiling
from scoring.results import Alarm

log = structlog.get_logger()

APPLYING_S = 5.0
"""How long whoever gave a command waits for its effect."""
ANSWER_S = 0.5
"""How long whoever made the service start again has to be told so."""
GARBAGE = 20_000, 20, 20
"""Python's own 700, 10, 10 would look through all gauges every few seconds (30 to 100 ms in which nobody is served) and
find nothing: what they leave is freed by its reference counts."""
VERSION = package_version("greengauge")


class Service:
    """Everything, built and run once."""

    def __init__(
        self, plant: Plant, source: Path, settings: Settings, *, simulated: bool, page: PageServer, lock: DataLock
    ) -> None:
        """`source` is the registry's file; `page` is already bound, so that its address could be printed first.
        `lock` holds the data folder; it is let go when `run` ends.
        """
        self.plant, self.settings, self.page = plant, settings, page
        folder = settings.data
        self._lock = lock
        self._again = asyncio.Event()
        self.log = log_of(settings)
        self.live = Live(plant, simulated=simulated)
        self.history = History(folder / "history.db")
        self.quarantine = Quarantine(folder / "quarantine.db")
        self.decoders = Decoders(plant, folder_of(folder), source)
        remember(folder, source, plant.version)
        self.broker = settings.address()
        self.client_id = client_id(folder)
        self.shifts = ClockShifts(folder / "clock-shifts.json")
        ahead = self.shifts.ahead
        seen = max(0, self.log.received - ahead)
        self.clock = Clock(floor=seen, ahead=ahead)
        session = MqttSession(self.broker, self.client_id, topics.filters(plant), seen=seen)
        gate = Gate(self.log, self.shifts)
        self.intake = Intaker(self.log, session, plant.version, self.clock, gate=gate)
        self.quarantining = Quarantining(
            plant,
            self.log,
            read=self.intake.gate.read,
            more=self.intake.wait,
            decode=self.decoders.decode,
            quarantine=self.quarantine,
            let_in=self.decoders.let_in,
            lead=lambda: max(self.writer.position, self.scorer.position),
        )
        self.store = store_of(settings)
        self.writer = StoreWriter(
            read=self.intake.gate.read,
            more=self.intake.wait,
            decode=self.decoders.decode,
            plant=plant,
            store=self.store,
            cursor=StoreCursor(self.log),
            winners=Winners(folder / "winners.db", plant, series_of(plant)),
            quarantine=self.quarantining.refuse,
        )
        self.scorer = Scorer(
            plant,
            read=self.intake.gate.read,
            more=self.intake.wait,
            durable=lambda: self.log.durable,
            decode=self.decoders.decode,
            start=self.log.first,
            history=self.history,
            live=self.live,
            past=past_of(plant, self.log, self.shifts, self.decoders, self.store, asyncio.get_running_loop()),
            snapshot_path=folder / snapshots.NAME,
            latest=None if plant.intake.history else self.clock.now() + TOLERANCE_MS,
            moved=self._scored,
            snapshot_every_s=settings.snapshot_seconds,
            snapshot_every_bytes=settings.log_quota // 4,
        )
        self.delivers = isinstance(self.store, InfluxStore)  # else the history is the place
        self.outputs = Outputs(plant, self.history, self.store, self.live) if self.delivers else None
        self.operations = Operations(folder / "operations.json", silent_places(plant), session.state)
        self.retained = Retained(folder / "retained.json", plant)
        self.standing = Standing()
        self.keeper = Keeper(self)
        page.serve(
            build(
                PageContext(
                    live=self.live,
                    history=self.history,
                    command=self.command,
                    sums=self.scorer.sums,
                    why=self.scorer.why,
                    energies=self.scorer.energies,
                    ready=self.keeper.ready,
                    clock=self.clock,
                    accept_clock=self.accept_clock,
                    rewind=self.rewind,
                    token=None if settings.page_token is None else settings.page_token.get_secret_value(),
                    version=VERSION,
                )
            )
        )

    async def run(self, *more: tuple[str, Coroutine[Any, Any, None]]) -> None:
        """Work until cancelled. `more` are further named tasks (the demo's simulator)."""
        tasks: list[tuple[str, Coroutine[Any, Any, None]]] = [
            ("intake", self.intake.run()),
            *self._readers(),
            ("keeper", self.keeper.run()),
            ("page", self.page.run()),
            ("mqtt-out", self.standing.alone("outputs", self._mqtt_out().run())),
            ("again", self._start_again()),
            ("requests", Requests(self.settings.data, self._takers()).run()),
            *more,
        ]
        if self.outputs is not None:
            tasks.append(("outputs", self.standing.alone("store outputs", self.outputs.run())))
        try:
            async with asyncio.TaskGroup() as group:
                for name, task in tasks:
                    group.create_task(task, name=name)
        finally:
            await self.store.close()
            self.quarantine.close()
            self.history.close()
            self.log.close()
            self._lock.close()

    async def command(self, asked: dict[str, Any]) -> Alarm | None:
        """An operator's command: logged, applied, and the alarm as it then is. GreengaugeError if refused.

        None where a backlog has to be scored first: it is logged, and takes its turn.
        """
        key = asked["scope"], asked["id"]
        where = f"alarm {key[0]}/{key[1]}"
        if self.operations.knows(*key):
            await self.keeper.keep(self.operations.command(self.clock.now(), asked))
            return next(a for a in self.operations.alarms() if (a.scope, a.id) == key)
        if not any((a.scope, a.id) == key for a in self.live.alarms()):
            raise ConfigurationError("there is no such alarm", where=where, mend="see GET /api/v1/alarms")
        position = await self.intake.submit(json.dumps(asked).encode())
        try:
            async with asyncio.timeout(APPLYING_S):
                refusal = await self.scorer.passed(position)
        except TimeoutError:
            return None
        if refusal is not None:
            raise ConfigurationError(refusal, where=where, mend="look at the alarm's present state")
        return next(a for a in await self.scorer.alarms() if (a.scope, a.id) == key)

    async def accept_clock(self) -> int:
        """See `Intaker.accept_clock`. Where all has to be judged anew the service starts again, in a moment."""
        offset = await self.intake.accept_clock()
        if offset < 0:
            self._again.set()
        return offset

    async def rewind(self, to: int) -> Rewound:
        """Everything received at `to` (ms) or later goes to the store again; returns once the cursor is back there.

        The one writer does it between two writes. Raises ConfigurationError, and EnvironmentFailure where it takes
        longer than a moment: then it is still to be done.
        """
        rewound = await asyncio.to_thread(place, self.log, to)
        self.writer.rewind(rewound.position)
        if self.outputs is not None:
            self.outputs.deliver_again(to)
        until = time.monotonic() + APPLYING_S
        while self.writer.rewinding:
            if time.monotonic() > until:
                raise EnvironmentFailure(
                    "the store does not answer: the cursor goes back as soon as it does",
                    where=self.store.name,
                    mend="nothing needs to be done",
                )
            await asyncio.sleep(0.02)
        log.warning("store.rewound", position=rewound.position, to=rewound.to, bytes=rewound.bytes)
        return rewound

    # --- inside ---------------------------------------------------------------------------------

    async def _retry(self, positions: list[int]) -> None:
        """Messages of the quarantine, tried again under this registry: a command of the log."""
        chosen = await asyncio.to_thread(
            choose, self.plant, self.quarantine, self.log, set(positions), self.shifts.apply
        )
        for body in retry.bodies(chosen.messages):
            await self.intake.submit(body)

    def _takers(self) -> dict[str, Taker]:
        """Who does what commands ask through the data folder."""
        return {
            "recompute": lambda _asked, body: self.intake.submit(body),
            "rewind": lambda asked, _body: self.rewind(asked["to"]),
            "retry": lambda asked, _body: self._retry(asked["positions"]),
        }

    def _readers(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Who reads the log. The setting `stages` leaves the later ones out: what they cost is the difference."""
        readers: tuple[tuple[str, str, Callable[[], Coroutine[Any, Any, None]]], ...] = (
            ("quarantine", "quarantine", lambda: self._later(self.quarantining.run)),
            ("writer", "store", lambda: self._later(self.writer.run)),
            ("scorer", "scoring", self.scorer.run),
        )
        far = ("durable", "decoded", "stored", "scored").index(self.settings.stages)
        return [(name, self.standing.alone(part, start())) for name, part, start in readers[:far]]

    async def _later(self, task: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """What may wait for the first gauge: its cursor holds the log."""
        await self.scorer.filled.wait()
        await task()

    async def _start_again(self) -> None:
        await self._again.wait()
        await asyncio.sleep(ANSWER_S)
        log.warning("service.starts_again", cause="the log's clock was ahead: what came then is judged anew")
        raise StartAgain

    def _scored(self, position: int) -> None:
        self.log.cursors.set("scores", position)
        self.log.cursors.set("outputs", position)  # the history keeps them from here on (ARCHITECTURE.md)

    def _mqtt_out(self) -> MqttOut:
        return MqttOut(self.live, connector(self.broker, f"{self.client_id}-out"), VERSION, self.retained)


def run(registry: Path, settings: Settings) -> None:
    """`greengauge run`: until Ctrl-C or SIGTERM."""
    gc.disable()  # while a large plant is built nothing is garbage, and looking for it takes half of the time
    plant = plant_of(registry, settings.data)
    settings.address()  # what is wrong with this, or the next, is said before anything starts
    influx_token(settings)
    lock = DataLock(settings.data)
    page = PageServer(settings.host, settings.port)

    async def main() -> None:
        service = Service(plant, registry, settings, simulated=plant.intake.simulated, page=page, lock=lock)
        gc.freeze()  # what stands now stands to the end: never looked through again
        gc.set_threshold(*GARBAGE)
        gc.enable()
        say(
            ("broker", settings.broker),
            ("store", service.store.name),
            ("data", str(settings.data)),
            ("plant", f"{len(plant.lines)} lines, {len(plant.stacks)} stacks, {len(plant.meters)} meters"),
        )
        await service.run()

    sys.stdout.write(f"page {page.url}\n")
    sys.stdout.flush()
    helper = help_compiling(registry)
    try:
        run_until_told(main, settings.log_level)
    finally:
        if helper is not None:
            helper.kill()
