"""The seam between the wire and everything above it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol

from ingest.session.state import SessionState


@dataclass(frozen=True, slots=True)
class Chunk:
    """Frames that arrived together, to be made durable and then acknowledged."""

    frames: bytes  # PUBLISH frames back to back, in arrival order
    mqtt: int  # protocol level of the connection: 5, or 4 (3.1.1)
    count: int
    generation: int  # the connection they came over
    acknowledge: Callable[[], bool]
    """Send all PUBACKs of the chunk, in arrival order. Chunks are acknowledged in the order they were given.
    False, and nothing sent, if the connection is not the one they came over: the broker will send them again."""


class Intake(Protocol):
    """A wire. What is behind it may change; nothing above knows MQTT's packets."""

    state: SessionState

    async def run(self) -> None:
        """Hold the session until cancelled: connect, subscribe, reconnect. Fails for no broker's sake."""
        ...

    def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Chunks as they come. Not asking for the next one is back-pressure: reading stops, the link is kept."""
        ...
