"""What the analyser's declared uncertainty makes of an average, and whether a breach is beyond it.

Normalising multiplies (semantics §5), so the value is off by the same share as the analyser's own mean:
value·(1 ± u), u = the root of the sum of squares over the meters of (share·mean and absolute)/mean. An analyser's
error is one and the same all through a block. Oxygen, moisture, temperature and pressure are not in it, nor are
lost minutes: those have rules of their own. Never mixed with the EU's confidence subtraction, which is
compliance: this says how sure a number is, not whether it complies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from scoring.results import Breach


@dataclass(frozen=True, slots=True)
class Doubt:
    """Of one analyser channel, k = 2: a share of its reading, and an absolute part in the pollutant's raw unit."""

    meter: int
    relative: float
    absolute: float


def band(
    doubts: Sequence[Doubt | None], raw: Sequence[float], value: float | None
) -> tuple[float | None, float | None]:
    """(low, high) of an average whose channels have the means `raw`; (None, None) where nothing is declared."""
    total = sum(raw)
    if value is None or total <= 0 or not any(doubts):
        return None, None
    meters: dict[int, float] = {}
    for doubt, mean in zip(doubts, raw, strict=True):
        if doubt is not None:
            error = hypot(doubt.relative * mean, doubt.absolute)
            meters[doubt.meter] = meters.get(doubt.meter, 0.0) + error
    wide = value * hypot(*meters.values()) / total
    return value - wide, value + wide


def breach(value: float | None, low: float | None, limit: float | None) -> Breach | None:
    """A breach is above the limit: beyond the uncertainty if the band is, too; None where nothing can be judged.

    Where nothing is declared there is no band, and every breach is beyond it.
    """
    if value is None or limit is None:
        return None
    if value <= limit:
        return "none"
    return "within" if low is not None and low <= limit else "beyond"
