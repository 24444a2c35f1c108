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
from scoring.degrees.amounts import KWH, T, co2_per_kwh, heat_per_count, measured_in, per_count
from scoring.degrees.coverage import counted

MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Scales:
    """An integer n of a quantity means n / scale of the unit named here."""

    product: int  # units of product
    mass: int  # t of material
    energy: int  # kWh
    heat: int  # GJ
    co2: int  # t CO2
    people: int  # person-hours


def scales(plant: Plant) -> Scales:
    """The scales on which every coefficient of the plant is an integer."""
    product: list[Fraction] = []
    mass: list[Fraction] = []
    energy: list[Fraction] = []
    heat: list[Fraction] = []
    co2: list[Fraction] = []
    for channel in (c for line in plant.lines for c in counted(plant, line)):
        what, id_ = (channel.counts.what, channel.counts.id) if channel.counts else ("", "")
        made = plant.products.get(id_)
        if what == "electricity":
            energy.append(per_count(plant, channel, KWH))
        elif what == "co2":
            co2.append(per_count(plant, channel, T))
        elif made and measured_in(channel).dimension == made.unit.dimension:
            product.append(per_count(plant, channel, made.unit))
        if what == "fuel":
            heat.append(heat_per_count(plant, channel, plant.fuels[id_]))
        if channel.counts_gd or channel.counts_cd:
            mass.append(per_count(plant, channel, T))
    products, fuels = plant.products.values(), plant.fuels.values()
    units, joules, kwh = _scale(product), _scale(heat), _scale(energy)
    benchmarks = (b.value for entries in plant.benchmarks.values() for b in entries)
    grids = {site.electricity for site in plant.sites if site.electricity}
    return Scales(
        product=units,
        mass=lcm(_scale(mass), units * _scale(p.theoretical or Fraction(0) for p in products)),
        energy=kwh,
        heat=joules,
        co2=lcm(
            _scale(co2),
            units * lcm(_scale(p.process or Fraction(0) for p in products), _scale(benchmarks)),
            joules * lcm(_scale(f.ef for f in fuels), _scale(f.ef * f.biogenic for f in fuels)),
            kwh * _scale(co2_per_kwh(d) for grid in grids for d in plant.factors.get(grid, ())),
        ),
        people=lcm(
            units * _scale(1 / p.best_peer for p in products if p.best_peer),
            MS_PER_HOUR * _scale(line.people or Fraction(0) for line in plant.lines),
        ),
    )


def _scale(values: Iterable[Fraction]) -> int:
    return lcm(*(value.denominator for value in values))
