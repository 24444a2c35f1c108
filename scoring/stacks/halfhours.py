"""The EU's half-hours (IED annex VI part 6 and 8): the confidence taken off, and what may be discarded.

A half-hour that the analyser lost while a line ran is *discarded*. One in which the lines ran for less than the
regime's minimum is none of operation: it neither counts nor is it discarded.
"""

from __future__ import annotations

from fractions import Fraction

from devices.plant.model import Regime
from scoring.stacks.limits import InForce
from scoring.stacks.localtime import MINUTE
from scoring.stacks.tally import Tally


def subtraction(force: InForce, pollutant: str) -> Fraction:
    """mg/m³ that are taken off every block: the confidence's share of the day's limit; 0 where there is none."""
    share = force.regime.confidence.get(pollutant)
    limit = force.limit(pollutant, force.day) or force.regime.limits.get(pollutant)
    return Fraction(0) if share is None or limit is None else share * limit


def validated(mean: Fraction, taken_off: Fraction) -> Fraction:
    """A block's mean after the subtraction, not below 0."""
    return max(mean - taken_off, Fraction(0)) if taken_off else mean


def is_discarded(tally: Tally, regime: Regime) -> bool:
    """Whether a block in operation is lost."""
    return tally.running * MINUTE >= regime.hour_valid_ms and not tally.enough(regime.hour_valid_ms)
