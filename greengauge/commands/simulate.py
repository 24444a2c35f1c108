"""`greengauge simulate`: a registry's plant as its edge meters would publish it."""

from __future__ import annotations

import asyncio
import math
import sys
from pathlib import Path

from devices import times
from devices.errors import ConfigurationError
from devices.plant import load
from devices.simulator.publisher import Simulator
from greengauge.commands.given import given
from greengauge.running import run_until_told
from greengauge.settings import Settings
from greengauge.terminal import say_line


def run(registry: Path, settings: Settings, *, rate: float | None, seed: int, start: str | None, faults: str) -> None:
    """Publish until Ctrl-C."""
    if rate is not None and not (0 < rate < math.inf):
        raise ConfigurationError(
            f"{rate:g} is no rate", where="--rate", mend="say how many messages a second in all, like 50"
        )
    plant = load(registry)
    simulator = Simulator(
        plant,
        settings.address(),
        seed=seed,
        start=None if start is None else given("--start", start, times.parse),
        faults=[name.strip() for name in faults.split(",") if name.strip()],
        rate=rate,
    )
    say_line(f"simulating {len(plant.meters)} meters to {settings.broker}, seed {seed}; Ctrl-C ends it")
    sys.stdout.flush()

    async def main() -> None:
        try:
            await asyncio.to_thread(simulator.run)
        finally:
            simulator.stop()

    run_until_told(main, settings.log_level)
    say_line(f"{simulator.published:,} messages published")
