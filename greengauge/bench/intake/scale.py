"""How much of everything a run sends, and where it works."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers of a run. The rivals get the first so many of the same messages: a cost per message needs no more."""

    messages: int = 1_000_000
    rival: int = 300_000
    script: int = 50_000
    arrays: int = 40_000  # messages of fifty objects
    broker: int = 300_000  # through a real one
    meters: int = 1_000
    many_meters: int = 100_000
    channels: int = 100_000
    channels_s: float = 120.0
    steady_s: float = 60.0
    readings: int = 5_000_000  # recovered

    def at_most(self, messages: int) -> Scale:
        """The same with so many messages in a backlog, and no rival getting more."""
        return replace(
            self,
            messages=messages,
            rival=min(self.rival, messages),
            script=min(self.script, messages),
            arrays=min(self.arrays, max(1, messages // 25)),
            broker=min(self.broker, messages),
            readings=min(self.readings, 5 * messages),
        )

    @property
    def warm(self) -> int:
        """Messages that go before, through every stage: kernels, caches, first steps."""
        return max(self.meters, self.messages // 50)


QUICK = Scale(
    messages=4_000,
    rival=4_000,
    script=2_000,
    arrays=200,
    broker=4_000,
    meters=100,
    many_meters=1_000,
    channels=3_000,
    channels_s=4.0,
    steady_s=5.0,
    readings=12_000,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder for everything, and the scale."""

    folder: Path
    scale: Scale

    def new(self, name: str) -> Path:
        """A fresh folder in it."""
        made = self.folder / f"{len(list(self.folder.iterdir())):02d}-{name}"
        made.mkdir()
        return made
