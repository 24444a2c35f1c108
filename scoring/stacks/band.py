"""What the declared uncertainties make of an average, and whether a breach is beyond them.

Normalising multiplies (semantics §5), so the value is off by the same share as the analyser's own mean, (share·mean
and absolute)/mean, and by what oxygen, moisture, temperature and pressure may move it (`aside`): value·(1 ± u), u =
the root of the sum of squares over the meters, whose channels add up. An error is one and the same all through a
block. Lost minutes are not in it: those have rules of their own. Never mixed with the EU's confidence subtraction,
which is compliance: this says how sure a number is, not whether it complies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    doubts: Sequence[Doubt | None], raw: Sequence[float], value: float | None, asides: Mapping[int, float]
) -> tuple[float | None, float | None]:
    """(low, high) of an average whose channels have the means `raw`; (None, None) where nothing is declared.

    `asides`: by meter, the share of the value that what normalises it may be off by (scoring/stacks/aside.py).
    """
    total = sum(raw)
    if value is None or total <= 0 or not (any(doubts) or asides):
        return None, None
    meters = {meter: share * total for meter, share in asides.items()}
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
