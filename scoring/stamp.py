"""What a score says about itself besides its numbers; known to the engine, not to the arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from scoring.results import Lifecycle


@dataclass(frozen=True, slots=True)
class Stamp:
    """Lifecycle, revision and when it became known (ms)."""

    lifecycle: Lifecycle
    revision: int
    known_at: int
