"""Rolling operating days: days on which a line of the stack ran. They are not wall time (40 CFR 63.1348).

Mass per product is Σ mass / Σ product over the valid hours of those days; mass that stands in never enters.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from devices.plant.model import Specific
from scoring.stacks.budget import Budget, Stretch, budget
from scoring.stacks.days import DaySum
from scoring.stacks.localtime import Block
from scoring.stacks.mass import UG_PER_T


def newest(days: Mapping[int, DaySum], count: int) -> dict[int, DaySum]:
    """The last `count` days on which a line ran, by start."""
    ran = sorted(start for start, day in days.items() if day.operated)
    return {start: days[start] for start in ran[max(0, len(ran) - count) :]}


def per_product(whole: DaySum, specific: Specific) -> tuple[Fraction | None, str | None]:
    """Mass per product in the limit's unit; None and why."""
    if not whole.of_product:
        return None, "no mass is known: is the flow measured, with its state and water?"
    if whole.product <= 0:
        return None, "nothing was made in the valid hours"
    return _in_unit(whole.of_product / whole.product, specific), None


def specific_budget(
    specific: Specific, whole: DaySum, today: DaySum, block: Block, ended: int, block_ms: int
) -> Budget:
    """What may still be emitted per product from `ended`, the end of the last whole hour, until the day ends.

    As much is made as in the valid hours of today so far; before the first of them nothing is said.
    """
    if today.product <= 0:
        return Budget(None, None)
    spent, made = _in_unit(whole.of_product, specific), whole.product
    to_come = today.product / today.blocks * Fraction(block.end - ended, block_ms)
    ahead = [Stretch(ended, block.end, to_come)] if to_come else []
    level = _in_unit(today.of_product / today.product, specific)
    return budget(specific.value, spent, lambda: [Stretch(block.start, ended, spent)], ahead, made + to_come, level)


def _in_unit(ug: Fraction, specific: Specific) -> Fraction:
    """µg per t of product → the limit's unit."""
    return ug / UG_PER_T * specific.value / specific.t_per_t
