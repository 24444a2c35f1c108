"""Which norm a line's product is held against, and its levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from devices.plant.model import Line, Plant
from devices.plant.norm import EnergyKind, Norm


@dataclass(frozen=True, slots=True)
class ChosenNorm:
    """The norm of one line's product for one kind of energy, or why there is none (nothing: nobody wrote one)."""

    id: str = ""
    entries: tuple[Norm, ...] = ()  # every dated period of the id
    why: str | None = None


def choose_norm(plant: Plant, line: Line, product: str, energy: EnergyKind) -> ChosenNorm:
    """The one the line names, else the only one that fits."""
    fit = {
        id_: entries
        for id_, entries in plant.norms.items()
        if entries and (entries[-1].product, entries[-1].energy) == (product, energy)
    }
    named = {id_: entries for id_, entries in fit.items() if id_ in line.norms} or fit
    if len(named) > 1:
        return ChosenNorm(why=f"{len(named)} norms fit {product} ({', '.join(sorted(named))}): name one in `norms`")
    return ChosenNorm(*next(iter(named.items()))) if named else ChosenNorm()


@dataclass(frozen=True, slots=True)
class Judgement:
    """Where a value stands among a norm's levels; everything exact."""

    level: int | None  # reached, 1 is the best
    next: Fraction | None  # the next better level
    distance: Fraction | None  # value - next
    percent: Fraction | None  # of |next|


def corrected(norm: Norm, share: Fraction) -> tuple[Fraction, ...]:
    """The levels at this `share` (%) of what the norm corrects for."""
    if norm.correction is None:
        return norm.levels
    points = share - norm.correction.at
    return tuple(a + points * b for a, b in zip(norm.levels, norm.correction.per_point, strict=True))


def judge(value: Fraction, levels: Sequence[Fraction]) -> Judgement:
    """The best level that the value does not exceed, and the way to the next better one."""
    reached = next((row for row, level in enumerate(levels) if value <= level), len(levels))
    level = reached + 1 if reached < len(levels) else None
    if reached == 0:
        return Judgement(level, None, None, None)
    better = levels[reached - 1]
    distance = value - better
    return Judgement(level, better, distance, 100 * distance / abs(better) if better else None)
