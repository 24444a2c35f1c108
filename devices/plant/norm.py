"""An energy norm as the engines see it: levels of specific energy, dated, with what corrects them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

EnergyKind = Literal["electricity", "heat", "comprehensive"]
"""Power in kWh; net calorific value of fuels in MJ; both in kgce."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Levels move with the share of a product that the norm's product is made of (clinker in cement)."""

    share: str  # id of that product
    at: Fraction  # %: the share at which the levels stand as written
    per_point: tuple[Fraction, ...]  # by level, in the norm's unit per percentage point above `at`


@dataclass(frozen=True, slots=True)
class Norm:
    """One period of validity of one norm. Level 1 is the best, and reached at or below its value."""

    id: str
    product: str
    energy: EnergyKind
    levels: tuple[Fraction, ...]  # ascending, in kWh, MJ or kgce per unit of product; may be negative
    boundary: Literal["stage", "chain"]  # one process step, or everything up to the product
    electricity: Fraction | None  # kgce per kWh, comprehensive only; None: 3.6 MJ at the physical equivalent
    correction: Correction | None
    start: date | None
    end: date | None  # after it: used and marked expired
    source: str
