"""Limit budget: the highest mean still allowed for the rest of a block, and the instant of no return.

A block's mean is Σ/n over units of equal weight: minutes of an hour, hours of a day. `allowed` is
(limit·n − Σ)/(units left) with n = valid units so far + units left. A breach is unavoidable from the
instant when Σ reaches limit·n at the present level: past it not even zero emission saves the block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time (start, end] that adds `amount` to Σ, evenly. Ahead of now, `amount` is the weight in units."""

    start: int
    end: int
    amount: Fraction | int


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of a limit. Exact; the caller rounds once."""

    allowed: Fraction | None  # None: nothing left. Below 0: not even zero emission would do
    unavoidable_at: int | None  # ms; None: never at the present level

    def plus(self, taken_off: Fraction) -> Budget:
        """The same before something is taken off each unit: where anything is left, that much more is allowed."""
        if self.allowed is None or self.allowed < 0 or not taken_off:
            return self
        return replace(self, allowed=self.allowed + taken_off)


def budget(
    limit: Fraction | int,
    spent: Fraction | int,
    past: Callable[[], Sequence[Stretch]],
    ahead: Sequence[Stretch],
    units: Fraction | int,
    level: Fraction | int | None,
) -> Budget:
    """The budget of one block; `limit`, past amounts and `level` in one unit, `units` = n.

    `spent` is Σ so far and `past` where it lies: asked for only where a breach is coming.
    At the block's very end Σ = limit·n is the limit met, not broken (a breach is >): never.
    """
    left = _sum(ahead)
    total = Fraction(limit * units)
    allowed = (total - spent) / left if left > 0 else None
    coming = [Stretch(s.start, s.end, s.amount * level) for s in ahead] if level is not None else []
    if spent + _sum(coming) <= total:
        return Budget(allowed, None)
    return Budget(allowed, reached([*past(), *coming], total))


def _sum(stretches: Sequence[Stretch]) -> Fraction:
    return sum((Fraction(s.amount) for s in stretches), start=Fraction(0))


def reached(stretches: Sequence[Stretch], total: Fraction) -> int | None:
    """When the running sum first reaches `total`, to the nearest ms; None if it is not above it in the end."""
    if _sum(stretches) <= total:
        return None
    so_far = Fraction(0)
    for s in stretches:
        after = so_far + s.amount
        if after >= total:
            share = (total - so_far) / s.amount if s.amount > 0 else Fraction(0)
            return s.start + round(share * (s.end - s.start))
        so_far = after
    return None
