"""`PageContext`: all that the page, the API and the metrics know of the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from greengauge.history import History
from greengauge.live import Live
from greengauge.rewinding import Rewound
from ingest.clock import Clock
from scoring.results import Alarm, ChannelSum, Energy
from scoring.why import Why


@dataclass(frozen=True, slots=True)
class PageContext:
    """Built by the service; the page reads it and asks `command` to change anything."""

    live: Live
    history: History
    command: Callable[[dict[str, Any]], Awaitable[Alarm | None]]
    """{"scope", "id", "do", "user", "comment", "for_ms"} → the alarm as it then is (None: a backlog comes first).
    Raises GreengaugeError."""
    sums: Callable[[int | None, Sequence[int], Sequence[int]], Awaitable[list[ChannelSum]]]
    """Sums at that ms (None: now), over windows, of channels (rows)."""
    why: Callable[[str, str, str, int | None, int | None], Awaitable[Why]]
    """(scope, degree, window, later ms, earlier ms) → why the degree moved. ConfigurationError if it cannot be said."""
    energies: Callable[[], Awaitable[list[Energy]]]
    """The specific energies of the open step."""
    ready: Callable[[], tuple[bool, dict[str, Any]]]
    """Whether readings can be taken in, and the parts' states."""
    clock: Clock
    accept_clock: Callable[[], Awaitable[int]]
    """The wall clock is right though it jumped, by how many ms (0: it had not). Raises EnvironmentFailure."""
    rewind: Callable[[int], Awaitable[Rewound]]
    """Everything received at that ms or later goes to the store again. Raises GreengaugeError."""
    token: str | None
    """None: only loopback names are answered, without a token."""
    version: str

    def now(self) -> int:
        """The time that ages are told against, ms: the trusted clock's, or event time where that is the engine's."""
        if self.live.plant.intake.history and self.live.clock:
            return self.live.clock
        return self.clock.now()
