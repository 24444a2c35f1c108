"""Common denominators: every amount of one quantity is an integer over that quantity's scale.

So adding channels, lines, products and factor periods is integer addition, no fraction is reduced while
scores are made, and the one rounding of each number is the division at output.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from devices.plant.model import Plant
from scoring.degrees.amounts import co2_per_kwh
from scoring.degrees.sheets import Account

MS_PER_HOUR = 3_600_000

QUANTITY = {
    "made": "product", "used": "product",
    **dict.fromkeys(("theoretical", "gd", "cd", "waste", "clinker", "cementitious"), "mass"),
    **dict.fromkeys(("gd of", "cd of", "waste of"), "mass"),
    **dict.fromkeys(("process", "deducted", "fossil", "alternative", "biogenic", "measured"), "co2"),
    **dict.fromkeys(("heat", "alternative_heat"), "heat"),
    **dict.fromkeys(("bought", "exported", "waste_heat"), "energy"),
    "peer": "people",
}  # fmt: skip
"""The quantity of each sum of a sheet."""


@dataclass(frozen=True, slots=True)
class Scales:
    """An integer n of a quantity means n / scale of the unit named here."""

    product: int  # units of product
    mass: int  # t of material
    energy: int  # kWh
    heat: int  # GJ
    co2: int  # t CO2
    people: int  # person-hours

    def of(self, sum_: str) -> int:
        """The scale of a sheet's sum."""
        return int(getattr(self, QUANTITY[sum_]))


def scales(plant: Plant, accounts: Iterable[Account]) -> Scales:
    """The scales on which every coefficient of the plant's lines is an integer."""
    found = dict.fromkeys(QUANTITY.values(), 1)
    for account in accounts:
        for sheet in account.sheets:
            for (to, _), rows in sheet.sums.items():
                quantity = QUANTITY[to]
                found[quantity] = lcm(found[quantity], _scale(rows.values()))
    benchmarks = (b.value for entries in plant.benchmarks.values() for b in entries)
    grids = {site.electricity for site in plant.sites if site.electricity}
    return Scales(
        product=found["product"],
        mass=found["mass"],
        energy=found["energy"],
        heat=found["heat"],
        co2=lcm(
            found["co2"],
            found["product"] * _scale(benchmarks),
            found["energy"] * _scale(co2_per_kwh(d) for grid in grids for d in plant.factors.get(grid, ())),
        ),
        people=lcm(found["people"], MS_PER_HOUR * _scale(line.people or Fraction(0) for line in plant.lines)),
    )


def _scale(values: Iterable[Fraction]) -> int:
    return lcm(*(value.denominator for value in values))
