"""What stands in for mass that was not measured while a line ran. It enters no concentration and no compliance.

    last         the mass rate of the last valid block
    max          the greatest of the last so many hours' valid blocks (HJ 75-2017: of the hours before the loss)
    half-limit   half of the concentration limit times the flow (of this block, else of the last that had one)

Minutes missing from a block that is valid itself are filled with its own mean rate, whatever the rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from devices.durations import HOUR
from devices.plant.model import Regime, Substitution
from scoring.stacks.tally import Tally


def substituted(
    rule: Substitution | None, tally: Tally, before: Iterable[Tally], limit: Fraction | None, regime: Regime
) -> int:
    """µg that stand in for a block's missing minutes; `before`: the ended blocks before it, the newest first."""
    valid_ms = regime.hour_valid_ms
    missing = tally.running - tally.mass_minutes
    if rule is None or missing <= 0:
        return 0
    rate: Fraction | None
    if _whole(tally, valid_ms):
        rate = Fraction(tally.mass, tally.mass_minutes)
    elif rule.rule == "half-limit":
        rate = _half_limit(tally, before, limit)
    else:
        rate = _greatest(before, blocks(rule, regime), valid_ms)
    return 0 if rate is None else round(rate * missing)


def blocks(rule: Substitution, regime: Regime) -> int:
    """How many valid blocks the rule looks back at."""
    if rule.rule == "last":
        return 1
    return max(1, rule.hours * HOUR // regime.block_ms)


def lends(rule: Substitution, tally: Tally, valid_ms: int) -> bool:
    """Whether an ended block may stand in for a later one."""
    return tally.gas_minutes > 0 if rule.rule == "half-limit" else _whole(tally, valid_ms)


def _whole(tally: Tally, valid_ms: int) -> bool:
    return tally.enough(valid_ms) and tally.mass_minutes > 0


def _greatest(before: Iterable[Tally], most: int, valid_ms: int) -> Fraction | None:
    """µg a minute: the greatest of the last `most` valid blocks; of one it is the last."""
    rates: list[Fraction] = []
    for tally in before:
        if _whole(tally, valid_ms):
            rates.append(Fraction(tally.mass, tally.mass_minutes))
            if len(rates) == most:
                break
    return max(rates, default=None)


def _half_limit(tally: Tally, before: Iterable[Tally], limit: Fraction | None) -> Fraction | None:
    if limit is None:
        return None
    for block in (tally, *before):
        if block.gas_minutes:
            return limit / 2 * Fraction(block.gas, block.gas_minutes)  # mg/m³ × l = µg
    return None
