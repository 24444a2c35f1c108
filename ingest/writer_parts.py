"""What the store writer has in hand: batches, writes that are out, and what of them the store will never take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from devices.readings import Readings
from ingest.decode.result import Reject
from ingest.lines import Lines
from ingest.store.base import BadPoint, StoreDown
from ingest.winners import Choice, Plan

REFUSED_ITEM = 1 << 20
"""A reading refused by the store is quarantined under its frame's position and this plus its place in the frame."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One read of the log on its way."""

    end: int
    oldest: int  # receive time, ms
    plan: Plan | None  # None: nothing to store in it


@dataclass(slots=True)
class Flight:
    """One write that is out."""

    task: asyncio.Task[list[BadPoint]]
    part: Sequence[bytes]
    at: int  # of its first line in the batch
    lines: Lines
    choice: Choice
    oldest: int  # receive time, ms
    rows: int  # of its batch
    end: int | None  # log position that is reached with it; None: more of its batch is behind it
    seen: bool = False  # its failure was waited out

    @property
    def failure(self) -> StoreDown | EnvironmentFailure | None:
        """Why it must be tried again; None once it is written. Raises what is no failure of the world."""
        failure = self.task.exception()
        if failure is None or isinstance(failure, StoreDown | EnvironmentFailure):
            return failure
        raise failure


def rejects_of(bad: Sequence[BadPoint], lines: Lines, readings: Readings, plant: Plant, store: str) -> list[Reject]:
    """What the store will never take, one by one, for the quarantine."""
    refused: dict[int, tuple[int, str]] = {}  # row -> its line, the store's words
    for point in bad:
        for row in range(lines.first[point.line], lines.first[point.line + 1]):
            name = plant.channels[int(readings.channel[row])].name
            if point.field in ("", name, f"{name}_q"):
                refused[row] = (point.line, point.reason)
    return [_reject(row, lines.lines[at], why, readings, plant, store) for row, (at, why) in refused.items()]


def _reject(row: int, line: bytes, why: str, readings: Readings, plant: Plant, store: str) -> Reject:
    channel = plant.channels[int(readings.channel[row])]
    meter = plant.meters[channel.meter]
    position = int(readings.position[row])
    return Reject(
        position=position,
        item=REFUSED_ITEM + row - int((readings.position == position).argmax()),
        received=int(readings.received[row]),
        topic=meter.topic,
        outcome="quarantined",
        reason="store-refused",
        cause=f"{store} will not take it: {why}",
        where=f"meter {meter.name}, channel {channel.name}",
        mend="mend the store (another type or retention), then `greengauge rewind --to` a time before this",
        size=len(line),
        payload=line[:4096],
        values=1,
    )
