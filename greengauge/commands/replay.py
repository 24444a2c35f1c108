"""`greengauge replay`: a readings file through the service's own engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devices import durations, times
from devices.errors import ConfigurationError
from devices.plant import load
from devices.readings import Readings
from devices.readings_file import read
from greengauge.commands.given import given
from greengauge.replay.replay import replay


def run(
    registry: Path,
    readings: Path,
    *,
    every: str | None,
    final: bool,
    sums: bool,
    as_json: bool,
    why: str | None = None,
    known_at: str | None = None,
    energy: bool = False,
) -> None:
    """Print what the readings amount to: NDJSON, or a line for people."""
    if every is not None and final:
        raise ConfigurationError("--every and --final exclude each other", where="replay", mend="choose one")
    if sums and (why is not None or energy):
        other = "--energy" if why is None else "--why"
        cause = f"--sums gives channel sums instead of scores: {other} says nothing about them"
        raise ConfigurationError(cause, where="replay", mend=f"ask for {other} without --sums")
    plant = load(registry)
    if why is not None and why not in plant.windows:
        raise ConfigurationError(
            f"there is no window `{why}`", where="--why", mend=f"use one of {', '.join(plant.windows)}"
        )
    every_ms = None if every is None else given("--every", every, durations.parse)
    if every_ms is not None and (every_ms <= 0 or every_ms % durations.SECOND):
        raise ConfigurationError(
            f"`{every}` is no period of whole seconds",
            where="--every",
            mend="windows move by the second: write 1s or more",
        )
    known = None if known_at is None else given("--known-at", known_at, times.instant)
    rows = 0

    def counted() -> Iterator[Readings]:
        nonlocal rows
        for batch in read(readings, plant):
            rows += len(batch)
            yield batch

    for thing in replay(
        plant, counted(), every_ms=every_ms, final=final, sums=sums, why=why, known_at=known, energy=energy
    ):
        sys.stdout.write((json.dumps(thing, ensure_ascii=False) if as_json else _line(thing)) + "\n")
    if not rows:
        sys.stderr.write(f"{readings.name} holds no readings: there is nothing to score\n")


def _line(thing: dict[str, Any]) -> str:
    at = times.format(thing["ts"])
    if "channel" in thing:
        return f"{at}  {thing['meter']}.{thing['channel']}  {thing['window']}  {thing['sum']} {thing['unit']}"
    if "causes" in thing:
        return f"{at}  {thing['scope']}  {thing['degree']} {thing['window']}  {thing['text']}"
    what = thing.get("degree") or thing.get("pollutant") or f"{thing['energy']} of {thing['product']}"
    span = thing.get("window") or thing.get("average")
    value = "withheld" if thing["value"] is None else f"{thing['value']:.6g}"
    reason = f"  ({thing['reason']})" if thing["reason"] else ""
    state = thing["lifecycle"] + (f" {thing['revision']}" if thing["revision"] else "")
    return f"{at}  {thing['scope']}  {what} {span}  {value}  {state} {thing['quality']}{reason}"
