"""A line's sums as integer linear forms of its channels' totals, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from devices.plant.model import Benchmark, Channel, Dated, Line, Plant
from devices.units import Unit
from scoring.degrees.amounts import KWH, T, co2_per_kwh, heat_per_count, measured_in, per_count
from scoring.degrees.coverage import ROWS, counted, counts_in, measures_co2
from scoring.degrees.scales import Scales
from scoring.rules.benchmarks import Chosen, choose
from scoring.rules.timeline import Timeline

Terms = tuple[tuple[int, int], ...]
"""(slot of a channel, integer coefficient): Σ coefficient × total, on the scale of its quantity."""


@dataclass(frozen=True, slots=True)
class ProductForm:
    """What a line makes of one product. The factors turn `made` into the quantity named, on that quantity's scale."""

    id: str
    unit: Unit
    made: Terms
    process: int  # → CO2; 0 where the line's CO2 is measured
    theoretical: int | None  # → mass
    peer: int | None  # → person-hours of the best peer
    chosen: Chosen
    benchmark: Timeline[Benchmark]
    leading: tuple[int, ...]  # → CO2, one for each period of `benchmark`


@dataclass(frozen=True, slots=True)
class FuelForm:
    """What a line burns of one fuel. The factors turn `heat` into CO2."""

    heat: Terms
    fossil: int  # 0, as the next, where the line's CO2 is measured
    alternative: int  # the fossil part of an alternative fuel: in gross, not in net
    biogenic: int  # a memo item


@dataclass(frozen=True, slots=True)
class FlowForm:
    """What a line consumes of something that is also a product: netted where both are inside one scope."""

    id: str
    natural: bool  # bought, it carries its maker's CO2 (a waste does not)
    used: Terms  # as a product
    gd: Terms  # as a material, like the rest
    cd: Terms
    waste: Terms


@dataclass(frozen=True, slots=True)
class LineForm:
    """Everything one line adds to the sums."""

    line: Line
    channels: tuple[int, ...]  # rows of Plant.channels that count, in the order of their slots
    every: range  # their slots
    slots: tuple[tuple[int, ...], ...]  # by row of `ROWS`: of those that count in it
    products: tuple[ProductForm, ...]
    fuels: tuple[FuelForm, ...]
    flows: tuple[FlowForm, ...]
    gd: Terms  # materials of the green degree
    cd: Terms  # materials of the circular degree
    waste: Terms  # of these, wastes of other industries
    measured: Terms  # CO2
    power: Terms  # kWh
    grid: Timeline[Dated]
    grid_values: tuple[int, ...]  # kWh → CO2, one for each period of `grid`
    no_grid: str  # in words: why there is none where there is none
    derived: bool  # some product is not measured but derived
    edges: tuple[int, ...]  # instants (ms) at which another factor or benchmark comes into force


class Compiler:
    """Compiles lines on common scales, and gives each channel that counts its slot in the list of totals."""

    def __init__(self, plant: Plant, scales: Scales) -> None:
        self.plant, self.scales = plant, scales
        self.slots: dict[int, int] = {}

    def line(self, line: Line) -> LineForm:
        """The forms of one line."""
        plant, scales = self.plant, self.scales
        channels = counted(plant, line)
        every = range(len(self.slots), len(self.slots) + len(channels))
        self.slots.update(zip((c.index for c in channels), every, strict=True))
        by = _by_counts(channels)
        measured = measures_co2(channels)
        made = {id_: found for (what, id_), found in by.items() if what == "product"}
        site = plant.sites[line.site]
        grid = Timeline(plant.factors.get(site.electricity or "", ()), site.timezone)
        products = tuple(self._product(line, id_, found, tuple(made), measured) for id_, found in made.items())
        edges = {p.begins for p in grid.periods}.union(*({p.begins for p in q.benchmark.periods} for q in products))
        gd, cd = [c for c in channels if c.counts_gd], [c for c in channels if c.counts_cd]
        return LineForm(
            line=line,
            channels=tuple(c.index for c in channels),
            every=every,
            slots=tuple(
                tuple(self.slots[c.index] for c in channels if counts_in(c, d, power=line.lcd.power, measured=measured))
                for d in ROWS
            ),
            products=products,
            fuels=tuple(self._fuel(id_, found, measured) for (what, id_), found in by.items() if what == "fuel"),
            flows=tuple(
                self._flow(id_, found)
                for (what, id_), found in by.items()
                if what in ("material", "fuel") and id_ in plant.products
            ),
            gd=self._mass(gd),
            cd=self._mass(cd),
            waste=self._mass(c for c in cd if c.waste),
            measured=self._terms(by.get(("co2", ""), ()), lambda c: per_count(plant, c, T), scales.co2),
            power=self._terms(by.get(("electricity", ""), ()), lambda c: per_count(plant, c, KWH), scales.energy),
            grid=grid,
            grid_values=tuple(_whole(co2_per_kwh(p.entry) * scales.co2 / scales.energy) for p in grid.periods),
            no_grid=f"no grid factor {site.electricity} in force"
            if site.electricity
            else f"site {site.name} names no grid factor",
            derived=any(c.source is not None for found in made.values() for c in found),
            edges=tuple(sorted(edges)),
        )

    def _product(
        self, line: Line, id_: str, channels: list[Channel], products: tuple[str, ...], measured: bool
    ) -> ProductForm:
        product, scales = self.plant.products[id_], self.scales
        chosen = choose(self.plant, line, id_, products)
        timeline = Timeline(chosen.entries, self.plant.sites[line.site].timezone)
        co2 = Fraction(scales.co2, scales.product)
        theoretical, best = product.theoretical, product.best_peer
        return ProductForm(
            id=id_,
            unit=product.unit,
            made=self._terms(channels, lambda c: per_count(self.plant, c, product.unit), scales.product),
            process=0 if measured or product.process is None else _whole(product.process * co2),
            theoretical=None if theoretical is None else _whole(theoretical * scales.mass / scales.product),
            peer=None if not best else _whole(scales.people / best / scales.product),
            chosen=chosen,
            benchmark=timeline,
            leading=tuple(_whole(p.entry.value * co2) for p in timeline.periods),
        )

    def _fuel(self, id_: str, channels: list[Channel], measured: bool) -> FuelForm:
        fuel, scales = self.plant.fuels[id_], self.scales
        per_heat = fuel.ef * scales.co2 / scales.heat
        fossil = 0 if measured else _whole(per_heat * (1 - fuel.biogenic))
        return FuelForm(
            heat=self._terms(channels, lambda c: heat_per_count(self.plant, c, fuel), scales.heat),
            fossil=0 if fuel.alternative else fossil,
            alternative=fossil if fuel.alternative else 0,
            biogenic=_whole(per_heat * fuel.biogenic),
        )

    def _flow(self, id_: str, channels: list[Channel]) -> FlowForm:
        unit = self.plant.products[id_].unit
        alike = [c for c in channels if measured_in(c).dimension == unit.dimension]
        cd = [c for c in channels if c.counts_cd]
        return FlowForm(
            id=id_,
            natural=not all(c.waste for c in channels),
            used=self._terms(alike, lambda c: per_count(self.plant, c, unit), self.scales.product),
            gd=self._mass(c for c in channels if c.counts_gd),
            cd=self._mass(cd),
            waste=self._mass(c for c in cd if c.waste),
        )

    def _mass(self, channels: Iterable[Channel]) -> Terms:
        return self._terms(channels, lambda c: per_count(self.plant, c, T), self.scales.mass)

    def _terms(self, channels: Iterable[Channel], per: Callable[[Channel], Fraction], scale: int) -> Terms:
        return tuple((self.slots[c.index], _whole(per(c) * scale)) for c in channels)


def _by_counts(channels: list[Channel]) -> dict[tuple[str, str], list[Channel]]:
    found: dict[tuple[str, str], list[Channel]] = {}
    for channel in channels:
        if channel.counts:
            found.setdefault((channel.counts.what, channel.counts.id), []).append(channel)
    return found


def _whole(value: Fraction) -> int:
    if value.denominator != 1:
        raise AssertionError(f"BUG: {value} is not whole on its scale")
    return value.numerator
