"""Units: declared in the registry, converted once, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure: `scale` base units of its dimension."""

    symbol: str  # as written: "t/h"
    dimension: str  # "mass", "energy", "mass/time", …
    scale: Fraction
