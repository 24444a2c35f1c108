"""Where scoring goes on after a start: from a snapshot that fits the registry, program and log, else from the log.

A registry that changed the plant's shape (meters, channels, windows …) is scored anew from what the log holds. The
alarms stand as they stood all the same: their book is taken over where the log reaches the snapshot's position.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from devices.plant.model import Plant
from greengauge.scorer import snapshots
from greengauge.scorer.snapshots import Kept
from scoring.engine import Engine

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Start:
    """Where and with what."""

    position: int
    engine: Engine
    alarms: Kept | None = None  # the alarms are to stand as in its state once its position is reached


def start_of(plant: Plant, path: Path, first: int, durable: int, *, anew: bool, latest: int | None = None) -> Start:
    """The start; `first` and `durable` bound the log. With `anew` all that it holds is told again.

    `latest`: a state whose clock is after it (ms) was made while the machine's clock was wrong.
    """
    kept = [found for found in (snapshots.load(path), snapshots.load(snapshots.previous(path))) if found is not None]
    if anew and kept:
        log.warning("scores.history_is_new", mend="what the log holds is scored anew")
    begin: Start | None = None
    for found in () if anew else kept:
        why = "it is of another log"
        if first <= found.position <= durable:
            try:
                engine = Engine.restore(plant, found.state)
                if latest is None or engine.clock <= latest:
                    begin = Start(found.position, engine)
                    break
                why, anew = "it is of a time that is still to come", True
            except ValueError as other:
                why = str(other)
        log.warning("scores.snapshot_unusable", cause=why, mend="what the log holds is scored anew")
    begin = begin or Start(first, Engine(plant))
    ahead = [found for found in kept if begin.position < found.position <= durable]
    return Start(begin.position, begin.engine, ahead[0] if ahead and not anew else None)
