"""`greengauge quarantine retry`: by the service that runs or, without one, into the log for when it starts."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection
from pathlib import Path

from devices.errors import ConfigurationError
from devices.plant import load
from greengauge import settings
from greengauge.parts import lock_of, log_now, log_of
from greengauge.remembered import remembered
from greengauge.restating.requests import ask
from greengauge.retrying import NEVER, Chosen, choose
from greengauge.terminal import say_line
from ingest.clock_shifts import ClockShifts
from ingest.decode import retry
from ingest.log.record import Entry, RecordKind
from ingest.log.view import LogView
from ingest.quarantine import Quarantine

SEEN_S = 10.0
"""How long the command waits for the quarantine to let go of what came in."""


def run(positions: Collection[int], data: Path | None, *, as_json: bool) -> int:
    """Retry the messages at `positions` (none: all); exit code 1 where some of them are still not let in."""
    chosen = settings.load(data=data)
    folder = chosen.data
    known = remembered(folder)
    if not (folder / "quarantine.db").exists():
        raise ConfigurationError(
            "no quarantine is kept here", where=str(folder), mend="name the service's folder with --data"
        )
    lock = lock_of(folder)
    runs = lock is None and known.kept.exists()
    plant = load(known.kept if runs else known.source)  # without a service: what starts next
    apply = ClockShifts(folder / "clock-shifts.json").apply
    with Quarantine.open_read_only(folder / "quarantine.db") as quarantine:
        told = choose(plant, quarantine, LogView(folder / "log"), set(positions) or None, apply)
        if positions and not told.messages and not told.still:
            raise ConfigurationError(
                "nothing is quarantined there", where=f"position {min(positions)}", mend="see `quarantine list`"
            )
        if lock is None:
            if told.messages:
                ask(folder, {"do": "retry", "positions": sorted({m.position for m in told.messages})})
                _until_gone(quarantine, told)
        else:
            with lock:
                _here(chosen, plant.version, told)
    _print(told, running=lock is None, as_json=as_json)
    return 1 if told.still else 0


def _until_gone(quarantine: Quarantine, told: Chosen) -> None:
    until = time.monotonic() + SEEN_S
    last = told.messages[-1]
    while time.monotonic() < until and not quarantine.retried(last.position):
        time.sleep(0.1)


def _here(chosen: settings.Settings, version: int, told: Chosen) -> None:
    """Without a service: into the log, whose folder's lock is held."""
    log = log_of(chosen)
    try:
        now = log_now(log)
        log.append([Entry(RecordKind.COMMAND, body, now, version, 0) for body in retry.bodies(told.messages)])
    finally:
        log.close()


def _print(told: Chosen, *, running: bool, as_json: bool) -> None:
    if as_json:
        body = {"messages": len(told.messages), "values": told.values, "still": dict(told.still), "running": running}
        sys.stdout.write(json.dumps(body) + "\n")
        return
    say_line(f"{len(told.messages):,} messages let in, {told.values:,} values")
    for reason, count in told.still.most_common():
        why = NEVER.get(reason, "see `quarantine list`") if reason != "gone" else "neither log nor quarantine has it"
        say_line(f"{count:,} still not: {reason} ({why})")
    if not running and told.messages:
        sys.stdout.write("No service runs here: they come in when one starts with that registry\n")
