"""Semantics §5, limit budget: what is left of limit·n, and when Σ reaches it at the present level."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Piece(NamedTuple):
    """What adds to Σ evenly over (start, end]."""

    start: int
    end: int
    amount: Fraction


def allowed(past: Sequence[Piece], total: Fraction, left: Fraction) -> Fraction | None:
    """(limit·n − Σ) / what is left; None where nothing is. `total` = limit·n."""
    return (total - sum((p.amount for p in past), start=Fraction(0))) / left if left > 0 else None


def unavoidable(past: Sequence[Piece], coming: Sequence[Piece], total: Fraction) -> int | None:
    """When Σ reaches `total`, to the nearest ms; None where it is not passed by the end."""
    pieces = [*past, *coming]
    if sum((p.amount for p in pieces), start=Fraction(0)) <= total:
        return None
    so_far = Fraction(0)
    for p in pieces:
        if so_far + p.amount >= total:
            share = (total - so_far) / p.amount if p.amount > 0 else Fraction(0)
            return p.start + round(share * (p.end - p.start))
        so_far += p.amount
    return None
