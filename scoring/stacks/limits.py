"""Which regime a stack is under on a local date, and which of its averages the limits are written for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache

from devices.plant.averages import MINUTE, NAMES, Average, Kind, average
from devices.plant.model import Regime
from scoring.stacks.localtime import HOUR
from scoring.stacks.minutes import frame
from scoring.stacks.normalise import Frame


@dataclass(frozen=True, slots=True)
class InForce:
    """A regime on one date."""

    regime: Regime
    frame: Frame
    limited: bool  # False: the regime is not in force yet, so its limits don't hold
    note: str | None  # what is remarkable about it

    def limit(self, pollutant: str, average: str) -> Fraction | None:
        """mg/m3; None where there is none. The rolling minute is shown against it too, as an early warning."""
        own = self.regime.average_limits.get(average, {}).get(pollutant)
        if not self.limited or (average != MINUTE and own is None and average not in self.regime.averages):
            return None
        return self.regime.limits.get(pollutant) if own is None else own

    @property
    def block(self) -> str:
        """How the regime writes the average of a block: an hour, or half of one."""
        return self._written("hour" if self.regime.block_ms == HOUR else "half-hour")

    @property
    def day(self) -> str:
        """How the regime writes the day average."""
        return self._written("day")

    @property
    def month(self) -> str | None:
        """How the regime writes the month average; None where it wants none."""
        wanted = self.regime.month_share is not None or NAMES["month"] in self.regime.written
        return NAMES["month"] if wanted else None

    @property
    def operating(self) -> tuple[Average, ...]:
        """The rolling averages over operating days that it lists."""
        return tuple(a for a in map(average, self.regime.written) if a.kind == "operating-days")

    def _written(self, kind: Kind) -> str:
        return next((a for a in self.regime.written if average(a).kind == kind), NAMES[kind])


class Regimes:
    """The dated entries of one regime: the later start wins from its day on; after its end it is used and marked."""

    def __init__(self, entries: Sequence[Regime]) -> None:
        self._entries = [(r, frame(r)) for r in sorted(entries, key=lambda r: r.start or date.min)]
        self.newest = self._entries[-1][0]
        """What cannot differ between entries (`block`, `hour_rule`, `flags`, `per`) is read here."""
        self.on = lru_cache(maxsize=64)(self._on)
        """The entry for a local date of the site; one object as long as nothing changes hands."""

    def _on(self, day: date) -> InForce:
        begun = [e for e in self._entries if e[0].start is None or e[0].start <= day]
        if not begun:
            first, how = self._entries[0]
            return InForce(first, how, limited=False, note=f"the limits hold from {first.start} on")
        regime, how = begun[-1]
        if regime.end is not None and regime.end < day:
            note = f"the limits expired on {regime.end} and are used until the next are set"
            return InForce(regime, how, limited=True, note=note)
        return InForce(regime, how, limited=True, note=None)
