"""`greengauge demo`: a simulated plant with everything embedded, and a guided fault.

A first start scores the 24 hours before `start` at one-minute readings, through broker and log like any
other reading; a later start goes on where the last one was. Each seed (and start) has its own data folder.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devices import times
from devices.errors import ConfigurationError, EnvironmentFailure
from devices.simulator import DEMO
from greengauge import settings as settings_
from greengauge.commands.given import given
from greengauge.page.server import PageServer
from ingest.log.lock import DataLock, InUse
from scoring.compiling import help_compiling

EXCURSION_S = 10.0
EARLIEST, LATEST = "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Begin:
    """When the simulated plant starts, ms; `fixed` if the user chose it (then event time is the clock)."""

    at: int = 0
    fixed: bool = False


def run(*, seed: int, start: str | None, port: int | None) -> None:
    """Run until Ctrl-C."""
    begin = _begin(start)
    base = settings_.load(port=port, store="embedded")
    name = f"seed-{seed}-start-{begin.at}" if begin.fixed else f"seed-{seed}"
    settings = base.model_copy(update={"data": base.data / "demo" / name})
    try:
        lock = DataLock(settings.data)
    except EnvironmentFailure as failure:
        held = isinstance(failure, InUse)
        mend = "stop that demo, or choose another --seed" if held else "name a folder you may write in GREENGAUGE_DATA"
        raise EnvironmentFailure(failure.cause, where=failure.where, mend=mend) from None
    page = PageServer(settings.host, settings.port)
    sys.stdout.write(f"page {page.url}\n")
    sys.stdout.flush()
    _serve(settings, lock, seed, begin, page)


def _begin(start: str | None) -> Begin:
    if start is None:
        return Begin()
    at = given("--start", start, times.parse)
    if not times.parse(EARLIEST) <= at < times.parse(LATEST):
        raise ConfigurationError(
            f"`{start}` is no time for a plant", where="--start", mend=f"between {EARLIEST} and {LATEST}"
        )
    return Begin(at, fixed=True)


def _serve(settings: settings_.Settings, lock: DataLock, seed: int, begin: Begin, page: PageServer) -> None:
    """Heavy imports happen here, after the address was printed and while the broker starts."""
    from greengauge.broker import EmbeddedBroker

    helper = help_compiling(DEMO)
    broker = EmbeddedBroker(settings.data)
    with ThreadPoolExecutor(1, "broker start") as aside:
        started = aside.submit(broker.start)
        from devices.plant import load
        from greengauge.commands.demo_plant import DemoPlant
        from greengauge.running import run_until_told
        from greengauge.service import Service
        from greengauge.terminal import say

        registry = _registry(settings.data, begin)
        plant = load(registry)
        url = started.result()

    async def main() -> None:
        service = Service(
            plant, registry, settings.model_copy(update={"broker": url}), simulated=True, page=page, lock=lock
        )
        simulated = DemoPlant(service, url, seed, begin.at if begin.fixed else None, EXCURSION_S)
        say(
            ("plant", f"SIMULATED, seed {seed}: {len(plant.lines)} lines, {len(plant.stacks)} stacks"),
            ("broker", f"{url} ({broker.kind.name}, embedded)"),
            ("data", f"{settings.data} (the next start goes on from there)"),
            ("soon", f"{EXCURSION_S:.0f} s after the plant is live, NOx rises: the page alarms, acknowledge it with A"),
            ("stop", "Ctrl-C. This is not a safety system."),
        )
        await service.run(("plant", simulated.run()), ("progress", simulated.tell()))

    try:
        run_until_told(main, settings.log_level)
    finally:
        broker.stop()
        if helper is not None:
            helper.kill()


def _registry(folder: Path, begin: Begin) -> Path:
    """The demo's registry; with a chosen start, event time is the clock."""
    if not begin.fixed:
        return DEMO
    text = DEMO.read_text()
    if "[intake]\n" not in text:
        raise ConfigurationError("the demo's registry has no [intake]", where=str(DEMO), mend="reinstall greengauge")
    own = folder / "demo.toml"
    own.write_text(text.replace("[intake]\n", "[intake]\nhistory = true\n", 1))
    return own
