"""The block that a moment lies in, while it is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scoring.stacks.budget import Stretch
from scoring.stacks.localtime import MINUTE, Block
from scoring.stacks.minutes import Atom
from scoring.stacks.normalise import MICRO
from scoring.stacks.tally import Tally


@dataclass(frozen=True, slots=True)
class OpenBlock:
    """The block that a moment lies in, with its minutes so far of one pollutant."""

    block: Block
    now: int  # end of its last minute that counts
    minutes: Sequence[Atom]
    tally: Tally
    before: int | None  # the newest valid minute of the block before
    over: bool  # all of it has passed
    taken_off: Fraction = Fraction(0)  # mg/m3 that the block's mean is lowered by
    spacing: int = 1  # minutes from one point to the next: what is still to come counts as so many points fewer

    @classmethod
    def of(
        cls,
        block: Block,
        now: int,
        minutes: Sequence[Atom],
        tally: Tally,
        begun: Atom | None,
        before: int | None,
        *,
        taken_off: Fraction = Fraction(0),
        spacing: int = 1,
    ) -> OpenBlock:
        """The block at `now`, a whole minute; the minute that has `begun` counts as one, if enough of it is valid."""
        if begun is None:
            return cls(block, now, minutes, tally, before, now >= block.end, taken_off, spacing)
        together = tally + Tally.of([begun])
        return cls(block, now + MINUTE, [*minutes, begun], together, before, False, taken_off, spacing)

    @property
    def left(self) -> Fraction:
        """Minutes (points) still to come."""
        return Fraction(self.block.end - self.now, MINUTE * self.spacing)

    @property
    def level(self) -> Fraction | None:
        """The present level, mg/m3: the newest valid minute, less what is taken off."""
        newest = self.before if self.tally.last is None else self.tally.last
        return None if newest is None else max(Fraction(newest, MICRO) - self.taken_off, Fraction(0))

    def can_count(self, valid_ms: int) -> bool:
        """Whether the block is, or may still become, valid."""
        if self.tally.verdict is not None:
            return self.now < self.block.end or not self.tally.verdict
        return (self.tally.valid + self.left) * MINUTE >= valid_ms

    @property
    def spent(self) -> Fraction:
        """What it added to Σ so far, mg/m3, each minute (point) weighing 1."""
        return Fraction(self.tally.micro, MICRO) - self.taken_off * self.tally.valid

    def so_far(self, weight: Fraction | int) -> list[Stretch]:
        """The same minute by minute, each weighing `weight`; points lie evenly."""
        ends = range(self.block.start + MINUTE, self.now + 1, MINUTE)
        if self.tally.verdict is not None:
            return [Stretch(self.block.start, self.now, self.spent * weight)]
        amounts = ((Fraction(a.micro, MICRO) - self.taken_off if a.micro is not None else 0) for a in self.minutes)
        return [Stretch(end - MINUTE, end, x * weight) for end, x in zip(ends, amounts, strict=True)]

    def rest(self, weight: Fraction | int) -> list[Stretch]:
        """What is still to come, each minute (point) weighing `weight`."""
        return [Stretch(self.now, self.block.end, self.left * weight)] if self.left else []
