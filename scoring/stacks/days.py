"""What one day adds to months, years and rolling operating days: a pure function of its blocks, exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, NamedTuple

from scoring.stacks import halfhours
from scoring.stacks.limits import InForce
from scoring.stacks.localtime import Block
from scoring.stacks.tally import Tally, plus, widen


class Sure(NamedTuple):
    """What the band of an average over blocks is made of: their sums, as in `Tally`."""

    micro: int = 0
    raw: tuple[tuple[int, int], ...] = ()
    wide: tuple[int, ...] = ()

    def plus(self, other: Sure) -> Sure:
        """Both together."""
        if not self.raw or not other.raw:
            return self if self.raw else other
        raw, wide = plus(self.raw, other.raw), widen(self.wide, other.wide)
        return Sure(self.micro + other.micro, tuple(raw), tuple(wide))


NOTHING = Sure()


@dataclass(frozen=True, slots=True)
class DaySum:
    """One pollutant's day. Sums of days add up."""

    blocks: int = 0  # valid hours (or half-hours)
    total: Fraction = Fraction(0)  # Σ of their means, mg/m3
    within: int = 0  # of them, those not above the block's limit
    discarded: int = 0  # blocks lost while a line ran
    lost: int = 0  # 1: more of them than the regime lets pass
    operated: int = 0  # blocks in which a line ran
    mass: int = 0  # µg measured
    substituted: int = 0  # µg that stand in
    of_product: Fraction = Fraction(0)  # µg in valid blocks, their running minutes without mass at their own mean
    product: Fraction = Fraction(0)  # t in the same blocks
    valid: int = 0  # minutes
    counted: int = 0  # of them, those of no half-hour that is discarded
    minutes: int = 0
    running: int = 0
    asked: int = 0  # quadrant rule: quarters in which a line ran, and of them those with a point
    got: int = 0
    flagged: int = 0  # blocks that are uncertain
    sure: Sure = NOTHING  # of the valid blocks

    @classmethod
    def of(cls, force: InForce, pollutant: str, blocks: Sequence[tuple[Block, Tally]]) -> DaySum:
        """The sum of a day's ended blocks; a day in work is one too."""
        regime, limit = force.regime, force.limit(pollutant, force.block)
        taken_off = halfhours.subtraction(force, pollutant)
        made = cls()
        discarded = 0
        may = regime.day_discarded is not None
        for _, tally in blocks:
            gone = halfhours.is_discarded(tally, regime)
            made += _block(tally, regime.hour_valid_ms, taken_off, limit)
            made += cls(counted=0 if may and gone else tally.valid)
            discarded += gone
        lost = regime.day_discarded is not None and discarded > regime.day_discarded
        return made + cls(discarded=discarded, lost=int(lost))

    def __add__(self, other: DaySum) -> DaySum:
        numbers = [getattr(self, name) + getattr(other, name) for name in _NUMBERS]
        return DaySum(*[*numbers, self.sure.plus(other.sure)])

    @property
    def mean(self) -> Fraction | None:
        """mg/m3: of the valid blocks, each weighing the same."""
        return self.total / self.blocks if self.blocks else None

    @property
    def tally(self) -> Tally:
        """Its minutes, as far as they count in a longer average's numbers, and its quality."""
        return Tally(valid=self.counted, minutes=self.minutes, running=self.running, flagged=bool(self.flagged))

    @property
    def share(self) -> float:
        """Completeness: of all that was measured, as a day's; what is discarded was measured too."""
        return Tally(valid=self.valid, running=self.running, asked=self.asked, got=self.got).share

    def to_json(self) -> list[Any]:
        """Plain values, for the snapshot."""
        return [str(x) if isinstance(x := getattr(self, f.name), Fraction) else x for f in fields(self)]

    @classmethod
    def from_json(cls, state: list[Any]) -> DaySum:
        """What `to_json` gave."""
        values: list[Any] = [Fraction(x) if isinstance(x, str) else x for x in state[:-1]]
        micro, raw, wide = state[-1]
        return cls(*[*values, Sure(micro, tuple((total, covered) for total, covered in raw), tuple(wide))])


_NUMBERS = [f.name for f in fields(DaySum)][:-1]


def add(days: Sequence[DaySum]) -> DaySum:
    """Several days together."""
    return sum(days, start=DaySum())


def _block(tally: Tally, valid_ms: int, taken_off: Fraction, limit: Fraction | None) -> DaySum:
    mean = tally.mean() if tally.enough(valid_ms) else None
    own = DaySum(
        operated=int(tally.running > 0),
        mass=tally.mass,
        substituted=tally.substituted,
        valid=tally.valid,
        minutes=tally.minutes,
        running=tally.running,
        asked=tally.asked,
        got=tally.got,
        flagged=int(tally.flagged),
    )
    if mean is None:
        return own
    value = halfhours.validated(mean, taken_off)
    whole = Fraction(tally.mass * tally.running, tally.mass_minutes) if tally.mass_minutes else Fraction(0)
    return own + DaySum(
        blocks=1,
        total=value,
        within=int(limit is None or value <= limit),
        of_product=whole,
        product=tally.product if tally.mass_minutes else Fraction(0),
        sure=Sure(tally.micro, tuple(tally.raw), tuple(tally.wide)),
    )
