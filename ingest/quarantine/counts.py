"""What the quarantine tells in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PendingName:
    """A meter's topic or "meter.field" that awaits approval."""

    name: str
    messages: int
    first_received: int  # ms
    last_received: int


@dataclass(frozen=True, slots=True)
class Fill:
    """How full it is."""

    rows: int
    bytes: int  # of payloads
    payloads_gone: int
    rows_gone: int
    names_refused: int  # sightings of pending names beyond the limit
    share: float  # of the nearer quota; 1 and more: something has been forgotten
