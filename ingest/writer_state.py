"""How the store writer is doing: what the page shows, and its side of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LATE_MS = 5_000
"""Unwritten readings older than this make the store "late"."""
BLIND = "; the token may not read: late readings go in as they come, whatever the store holds of them"


@dataclass(slots=True)
class WriterState:
    """What the page shows of the store. Times in ms."""

    condition: Literal["ok", "down", "paused"] = "ok"  # paused: a person is needed; it goes on by itself once mended
    since: int = 0  # of the condition
    words: str = ""  # the store's own, or ours about it
    oldest: int | None = None  # receive time of the oldest unwritten reading; None: all is written
    blind: bool = False  # the store may not be asked: late readings are written in log order

    def late_s(self, now: int) -> float:
        """Seconds by which the store is behind; 0 while it keeps up."""
        behind = 0 if self.oldest is None else now - self.oldest
        return behind / 1000 if behind >= LATE_MS else 0.0

    def text(self, now: int) -> str:
        """A line for people."""
        late = self.late_s(now)
        if self.condition == "paused":
            return f"PAUSED: {self.words}"
        if self.condition == "down":
            return f"DOWN since {(now - self.since) // 1000} s: {self.words}"
        return (f"LATE {late:.0f}s" if late else "ok") + (BLIND if self.blind else "")


@dataclass(slots=True)
class WriterCounts:
    """The store's side of the ledger, in values, since the start of the process."""

    read: int = 0
    stored: int = 0
    duplicate: int = 0
    superseded: int = 0
    refused: int = 0
    lines: int = 0
    writes: int = 0
    failures: int = 0
