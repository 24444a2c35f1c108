"""`Engine`: readings in; scores, emissions and alarms out. Time enters as readings, receive times and ticks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from devices.plant.model import Plant
from devices.readings import Readings
from scoring.results import Alarm, Changes, ChannelSum, Emission, Score


@dataclass(frozen=True, slots=True)
class LineClose:
    """The line (or stack) of this meter is closed after the rows before `row` of the same push."""

    row: int
    meter: int
    received: int


@dataclass(frozen=True, slots=True)
class Command:
    """An operator's command, as logged."""

    received: int
    scope: str
    id: str
    do: str  # acknowledge | shelve | unshelve
    user: str
    comment: str = ""
    for_ms: int = 0


class Engine:
    """The scoring engine behind every output. Not thread-safe: one owner at a time."""

    def __init__(self, plant: Plant, *, event_clock: bool = False, steps: bool = True) -> None:
        """`event_clock`: the clock is the greatest event time, as with `history`. `steps` False: rolling windows
        are made only when asked for (`at`, `live`), `advance` and `finish` give blocks and alarms alone.
        """
        raise NotImplementedError

    def push(self, readings: Readings, closes: Iterable[LineClose] = ()) -> None:
        """Take a batch in log order: readings, then what their receive times make due (alarms)."""
        raise NotImplementedError

    def tick(self, received: int) -> None:
        """Time passed without readings."""
        raise NotImplementedError

    def command(self, command: Command) -> None:
        """Apply an operator's command; ValueError with a sentence for people if it does not fit the alarm's state."""
        raise NotImplementedError

    def advance(self, budget_s: float | None = None) -> Changes:
        """Close the steps and blocks that are due, oldest first, for at most `budget_s`; what became known."""
        raise NotImplementedError

    def behind(self) -> int:
        """Closed steps not yet evaluated (0 when caught up)."""
        raise NotImplementedError

    def finish(self) -> Changes:
        """The clock passes every grace: everything becomes final (the end of a readings file)."""
        raise NotImplementedError

    def at(self, ts: int) -> tuple[list[Score], list[Emission]]:
        """All rolling windows at the step `ts`, and the open blocks as they stood then."""
        raise NotImplementedError

    def live(self) -> tuple[list[Score], list[Emission]]:
        """The open step: what gauges show now."""
        raise NotImplementedError

    def sums(self, ts: int) -> list[ChannelSum]:
        """Every channel over every window at the step `ts`."""
        raise NotImplementedError

    def alarms(self) -> list[Alarm]:
        """Every alarm's present state."""
        raise NotImplementedError

    @property
    def clock(self) -> int:
        """The newest receive time (history: the greatest event time) seen; 0 before the first."""
        raise NotImplementedError

    def snapshot(self) -> bytes:
        """Everything needed to go on from here, bit-identical; versioned and checksummed by the caller."""
        raise NotImplementedError

    @classmethod
    def restore(cls, plant: Plant, state: bytes) -> Engine:
        """An engine that goes on from `snapshot`; ValueError if the state is of another plant version or format."""
        raise NotImplementedError
