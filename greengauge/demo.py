"""`greengauge demo`: a simulated plant with everything embedded, and a guided fault.

A first start scores the 24 hours before `start` at one-minute readings, through broker and log like any
other reading; a later start goes on where the last one was. Each seed (and start) has its own data folder.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import devices.simulator
from devices.errors import ConfigurationError
from devices import times
from greengauge import settings as settings_
from greengauge.page.server import PageServer

REGISTRY = Path(devices.simulator.__file__).parent / "demo.toml"
HOURS = 24.0
EXCURSION_S = 15.0


@dataclass(frozen=True, slots=True)
class Begin:
    """When the simulated plant starts, ms; `fixed` if the user chose it (then event time is the clock)."""

    at: int
    fixed: bool


def run(*, seed: int, start: str | None, port: int | None) -> None:
    """Run until Ctrl-C."""
    begin = _begin(start)
    folder = settings_.default_data() / "demo" / (f"seed-{seed}-start-{begin.at}" if begin.fixed else f"seed-{seed}")
    settings = settings_.load(data=folder, port=port, store="embedded")
    page = PageServer(settings.host, settings.port)
    sys.stdout.write(f"page {page.url}\n")
    sys.stdout.flush()
    _serve(settings, seed, begin, page)


def _begin(start: str | None) -> Begin:
    if start is None:
        return Begin(time.time_ns() // 1_000_000, fixed=False)
    return Begin(times.parse(start), fixed=True)


def _serve(settings: settings_.Settings, seed: int, begin: Begin, page: PageServer) -> None:
    """Heavy imports happen here, after the address was printed."""
    from greengauge.broker import EmbeddedBroker
    from greengauge.service import Service, run_until_told, say

    broker = EmbeddedBroker(settings.data)
    starting = threading.Thread(target=broker.start, name="broker start")
    starting.start()
    registry = _registry(settings.data, begin)
    from devices.plant import load

    plant = load(registry)
    starting.join()
    if not broker.running:
        broker.start()  # says what is wrong

    async def main() -> None:
        chosen = settings.model_copy(update={"broker": broker.url})
        service = Service(plant, registry, chosen, simulated=True, page=page)
        say(
            ("plant", f"SIMULATED, seed {seed}: {len(plant.lines)} lines, {len(plant.stacks)} stacks"),
            ("broker", f"{broker.url} ({broker.kind.name}, embedded)"),
            ("store", service.store.name),
            ("data", str(settings.data)),
            (
                "fault",
                f"a NOx excursion {EXCURSION_S:.0f} s after the plant is live: watch the alarm, press A in the page",
            ),
            ("stop", "Ctrl-C; the next start goes on where this one was. Not a safety system."),
        )
        await service.run(("plant", _plant(service, broker.url, seed, begin)))

    try:
        run_until_told(main)
    finally:
        broker.stop()


async def _plant(service: object, url: str, seed: int, begin: Begin) -> None:
    """Backfill, then live, in a thread of its own."""
    from devices.simulator.publisher import Simulator
    from greengauge.service import Service

    assert isinstance(service, Service)
    known = service.scorer.engine.clock if begin.fixed else service.log.received
    start = max(begin.at, known + 1000) if begin.fixed else begin.at
    gap_h = HOURS if not known else min(HOURS, max(0, start - known) / 3_600_000)
    simulator = Simulator(service.plant, url, seed=seed, start=start, excursion_s=EXCURSION_S)
    live = service.live
    loop = asyncio.get_running_loop()

    def progress(done: int, total: int) -> None:
        told = {"what": f"scoring {gap_h:.1f} simulated hours", "done": done, "total": total}
        loop.call_soon_threadsafe(_tell, live, told if done < total else None)

    def work() -> None:
        simulator.backfill(gap_h, progress=progress)
        simulator.run()

    try:
        await asyncio.to_thread(work)
    finally:
        simulator.stop()


def _tell(live: object, progress: dict[str, object] | None) -> None:
    live.progress = progress  # type: ignore[attr-defined] # a Live, imported late


def _registry(folder: Path, begin: Begin) -> Path:
    """The demo's registry; with a chosen start, event time is the clock."""
    if not begin.fixed:
        return REGISTRY
    text = REGISTRY.read_text()
    if "[intake]\n" not in text:
        raise ConfigurationError(
            "the demo's registry has no [intake]", where=str(REGISTRY), mend="reinstall greengauge"
        )
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / "demo.toml"
    own.write_text(text.replace("[intake]\n", "[intake]\nhistory = true\n", 1))
    return own
