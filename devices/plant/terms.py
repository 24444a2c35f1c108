"""What each channel of a line adds to which sum: amount × weight × values, the accounting of domain.md §2 and §3.

One list for all: the plant derives from it which amounts must be weighed by laboratory values part by part,
scoring compiles it to integers. Nothing else knows how CO2, heat and material are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from devices.plant.model import Channel, Fuel, Kind, Line, Plant, Product
from devices.plant.values import Chemistry, Dust, Input, Value, changed
from devices.units import Unit, unit

CAO: Final = Fraction("0.785")
"""t CO2 per t of CaO from carbonate: 44.01 / 56.08, as the CSI/GCCA protocol rounds it."""
MGO: Final = Fraction("1.092")
"""t CO2 per t of MgO from carbonate: 44.01 / 40.30, as the CSI/GCCA protocol rounds it."""
CARBON: Final = Fraction(44, 12)
"""t CO2 per t of carbon (IPCC 2006, vol. 3, ch. 4)."""

T, KWH, GJ = unit("t"), unit("kWh"), unit("GJ")

Sum = Literal[
    "made", "used", "clinker", "cementitious",  # units of product; the last two t
    "theoretical", "gd", "cd", "waste",  # t
    "process", "deducted", "fossil", "alternative", "biogenic", "measured",  # t CO2
    "heat", "alternative_heat",  # GJ
    "bought", "exported", "waste_heat",  # kWh
    "peer",  # person-hours of the best peer
]  # fmt: skip

_LCD: Final = ("lcd",)
_POWER: Final = ("electricity", "comprehensive")
DEGREES: Final[dict[Sum, tuple[str, ...]]] = {
    "made": ("gd", "lcd", "sd", "electricity", "heat", "comprehensive"),
    "theoretical": ("gd",), "gd": ("gd",), "cd": ("cd",), "waste": ("cd",), "peer": ("sd",),
    "process": _LCD, "deducted": _LCD, "fossil": _LCD, "alternative": _LCD, "measured": _LCD,
    "heat": ("heat", "comprehensive"), "bought": _POWER, "exported": _POWER,
}  # fmt: skip
"""Which degrees and specific energies a sum makes; the others are shown beside them."""


class Factor(NamedTuple):
    """A value, or 1 minus it."""

    value: Value
    rest: bool = False


class Term(NamedTuple):
    """weight × (the channel's amount in `unit`) × every factor, added to the sum `to`."""

    to: Sum
    id: str  # of the product, fuel or material
    channel: Channel
    unit: Unit
    factors: tuple[Factor, ...] = ()
    weight: Fraction = Fraction(1)


def counted(plant: Plant, line: Line) -> list[Channel]:
    """The line's channels that count in anything: main meters, not the sub-meters whose amounts are in them."""
    channels = (plant.channels[c] for m in line.meters for c in plant.meters[m].channels)
    return [c for c in channels if c.counts and not c.shadowed and c.kind is not Kind.LEVEL]  # a level has no amount


def measures_co2(channels: list[Channel]) -> bool:
    """Whether a line's process and fuel CO2 is measured: then it is not calculated as well."""
    return any(c.counts is not None and c.counts.what == "co2" for c in channels)


def measured_in(channel: Channel) -> Unit:
    """The unit of the channel's amounts: t for a rate in t/h."""
    return channel.unit.integral[0] if channel.kind is Kind.RATE else channel.unit


def terms(plant: Plant, line: Line) -> Iterator[Term]:
    """All terms of a line."""
    channels = counted(plant, line)
    calculated = not measures_co2(channels)
    for c in channels:
        assert c.counts is not None  # noqa: S101 - `counted` chose it so
        what, id_ = c.counts.what, c.counts.id
        if what == "product":
            yield from _product(plant.products[id_], c, calculated=calculated)
        elif what == "fuel":
            yield from _fuel(plant.fuels[id_], c, calculated=calculated)
        elif what == "material" and calculated:
            yield from _material(plant, id_, c)
        elif what == "electricity":
            yield Term("exported" if c.exported else "waste_heat" if c.waste_heat else "bought", "", c, KWH)
        elif what == "co2":
            yield Term("measured", "", c, T)
        if what in ("material", "fuel"):
            yield from _mass(plant, id_, c)
    if calculated:
        yield from _feeds(plant, line, channels)


def _product(product: Product, c: Channel, *, calculated: bool) -> Iterator[Term]:
    good = () if product.qualified is None else (Factor(product.qualified),)
    yield Term("made", product.id, c, product.unit, good)
    if product.theoretical is not None:
        yield Term("theoretical", product.id, c, product.unit, (*good, Factor(product.theoretical)))
    if product.best_peer is not None:
        slower = changed(product.best_peer, lambda best: 1 / best)
        yield Term("peer", product.id, c, product.unit, (*good, Factor(slower)))
    if product.role == "cementitious" and product.unit.dimension == "mass":
        yield Term("cementitious", product.id, c, T)
    if not calculated:
        return
    if isinstance(product.process, Chemistry):
        yield from _oxides(product.process, product.id, c)
    elif product.process is not None and not isinstance(product.process, Input):
        yield Term("process", product.id, c, product.unit, (Factor(product.process),))
    if product.carbon is not None:
        yield Term("process", product.id, c, product.unit, (Factor(product.carbon),), -CARBON)


def _oxides(chemistry: Chemistry, id_: str, c: Channel, share: tuple[Factor, ...] = ()) -> Iterator[Term]:
    for value, weight in (
        (chemistry.cao, CAO), (chemistry.cao_nc, -CAO), (chemistry.mgo, MGO), (chemistry.mgo_nc, -MGO)
    ):  # fmt: skip
        if value != 0:
            yield Term("process", id_, c, T, (*share, Factor(value)), weight)


def _fuel(fuel: Fuel, c: Channel, *, calculated: bool) -> Iterator[Term]:
    sign = Fraction(-1 if c.exported else 1)
    metered_heat = measured_in(c).dimension == GJ.dimension
    heat = () if metered_heat else (*_dry(c), Factor(fuel.ncv))
    per = GJ if metered_heat else fuel.unit
    yield Term("heat", fuel.id, c, per, heat, sign)
    if fuel.alternative:
        yield Term("alternative_heat", fuel.id, c, per, heat, sign)
    burnt = (*heat, Factor(fuel.ef))
    if calculated and fuel.biogenic != 1:
        left = () if fuel.biogenic == 0 else (Factor(fuel.biogenic, rest=True),)
        yield Term("alternative" if fuel.alternative else "fossil", fuel.id, c, per, (*burnt, *left), sign)
    if fuel.biogenic != 0:
        yield Term("biogenic", fuel.id, c, per, (*burnt, Factor(fuel.biogenic)), sign)


def _material(plant: Plant, id_: str, c: Channel) -> Iterator[Term]:
    material = plant.materials.get(id_)
    if material is None:
        return
    if material.deduction is not None:
        yield Term("deducted", id_, c, T, (*_dry(c), Factor(material.deduction)))
    if material.carbon is not None:
        yield Term("process", id_, c, T, (*_dry(c), Factor(material.carbon)), CARBON)
    if material.dust is not None:
        yield from _dust(plant, material.dust, id_, c)


def _dust(plant: Plant, dust: Dust, id_: str, c: Channel) -> Iterator[Term]:
    process = plant.products[dust.of].process
    if dust.ef is not None:
        yield Term("process", id_, c, T, (*_dry(c), Factor(dust.ef)))
    elif isinstance(process, Chemistry):
        yield from _oxides(process, id_, c, _dry(c))


def _mass(plant: Plant, id_: str, c: Channel) -> Iterator[Term]:
    if c.counts_gd:
        yield Term("gd", id_, c, T, _dry(c))
    if c.counts_cd:
        yield Term("cd", id_, c, T, _dry(c))
        if c.waste:
            yield Term("waste", id_, c, T, _dry(c))
    product = plant.products.get(id_)
    if product is not None and measured_in(c).dimension == product.unit.dimension:
        yield Term("used", id_, c, product.unit, _dry(c))
        if product.role == "clinker":
            yield Term("clinker", id_, c, T, _dry(c))


def _feeds(plant: Plant, line: Line, channels: list[Channel]) -> Iterator[Term]:
    """The input method: the feed's CO2, on the line that makes the product."""
    made = {c.counts.id for c in channels if c.counts is not None and c.counts.what == "product"}
    for id_ in sorted(made):
        way = plant.products[id_].process
        if not isinstance(way, Input):
            continue
        every = (plant.channels[c] for m in line.meters for c in plant.meters[m].channels)
        feeds = [c for c in every if c.index == way.channel]
        if way.channel is None:
            feeds = [c for c in channels if c.counts and (c.counts.what, c.counts.id) == ("material", way.material)]
        for c in feeds:
            kept = () if way.dust_return == 0 else (Factor(way.dust_return, rest=True),)
            yield Term("process", id_, c, T, (*_dry(c), *kept, Factor(way.loi)))


def _dry(c: Channel) -> tuple[Factor, ...]:
    return () if c.moisture is None else (Factor(c.moisture, rest=True),)
