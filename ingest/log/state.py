"""What is told of the log: how it stands, and where it was found damaged."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.log.reader import Damage

KEPT_DAMAGES = 1000
NAMED_DAMAGES = 10


@dataclass(frozen=True, slots=True)
class LogState:
    """The log as page and metrics show it."""

    first: int
    durable: int
    received: int  # ms, of the newest record
    segments: int
    bytes: int  # on disk
    unhandled: int  # bytes that some reader still needs
    slowest: str  # the cursor that is farthest behind
    pressure: float
    damages: int  # places where something durable may have been lost
    clamped: int  # entries whose clock was behind the log's
    clamped_ms: int  # by how much the last of them was
    undeletable: str  # why the oldest segment cannot be deleted; empty: it can
    damaged: tuple[Damage, ...] = ()  # the newest of the damages
    disk_full: bool = False  # the reserve is given up: what reads the log goes on, nothing more is taken in


class Damages:
    """Every damage met so far, the newest `KEPT_DAMAGES`, each once. For any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, int], Damage] = {}

    def note(self, damages: Sequence[Damage]) -> None:
        """These were met."""
        with self._lock:
            for damage in damages:
                self._kept[damage.segment, damage.start] = damage
            while len(self._kept) > KEPT_DAMAGES:
                del self._kept[next(iter(self._kept))]

    def all(self) -> list[Damage]:
        """In the order in which they were first met."""
        with self._lock:
            return list(self._kept.values())

    def lost(self) -> list[Damage]:
        """Those by which something durable may be lost."""
        return [damage for damage in self.all() if damage.lost]
