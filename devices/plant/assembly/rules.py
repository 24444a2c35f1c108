"""Factors, fuels, products, materials and benchmarks: numbers in the units that the engines count in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal, Protocol, TypeVar

from devices.errors import ConfigurationError
from devices.plant.assembly import processing
from devices.plant.assembly.book import Book
from devices.plant.assembly.worth import SHARE, Worths
from devices.plant.model import Benchmark, Dated, Fuel, Material, Product
from devices.plant.tables.fuel import FuelTable
from devices.plant.values import Series, Value, constant
from devices.units import Quantity, Unit, factor, unit


class _Period(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def start(self) -> date | None: ...
    @property
    def end(self) -> date | None: ...


P = TypeVar("P", bound=_Period)


def factors(book: Book) -> dict[str, tuple[Dated, ...]]:
    """Dated values, ascending by start."""
    return {
        id_: tuple(Dated(t.value, t.unit.symbol, t.start, t.end, t.source, t.uncertainty) for t in entries)
        for id_, entries in by_id(book, "factor", book.registry.factors).items()
    }


def benchmarks(book: Book) -> dict[str, tuple[Benchmark, ...]]:
    """Dated benchmarks in t CO2 per unit of product, ascending by start."""
    found: dict[str, tuple[Benchmark, ...]] = {}
    for id_, entries in by_id(book, "benchmark", book.registry.benchmarks).items():
        table, kept = f"benchmark.{id_}", []
        for t in entries:
            product = book.registry.products.get(t.product)
            if not book.knows("product", t.product, book.registry.products, table, "product") or product is None:
                continue
            try:
                value = t.value * factor(t.unit, f"t/{product.unit.symbol}")
            except ConfigurationError as problem:
                book.noted(table, "unit", problem)
                continue
            kept.append(Benchmark(id_, t.product, value, t.basis, t.power, t.boundary, t.start, t.end, t.source))
        if len({b.product for b in kept}) > 1:
            both = " and ".join(sorted({f"`{b.product}`" for b in kept}))
            book.mistakes.add(table, "product", f"is of {both}", "give each product a benchmark of its own id")
        found[id_] = tuple(kept)
    return found


def fuels(book: Book, worths: Worths) -> dict[str, Fuel]:
    """Calorific values in GJ per t or m3, emission factors in t CO2 per GJ."""
    found = {}
    for id_, t in sorted(book.registry.fuels.items()):
        table = f"fuel.{id_}"
        amount = fuel_unit(book, t)
        if amount.dimension != "mass":
            for key in ("counts_gd", "counts_cd"):
                if getattr(t, key):
                    cause = f"the degree adds masses, and the fuel is counted in {amount}"
                    book.mistakes.add(table, key, cause, "leave it out, or give `ncv` per t and meter it in t")
        ncv = worths.value(t.ncv, f"GJ/{amount}", table, "ncv")
        ef = worths.value(t.ef, "t/GJ", table, "ef")
        biogenic = worths.share(t.biogenic, table, "biogenic")
        alternative = t.alternative if t.alternative is not None else t.waste or biogenic != 0
        if ncv is not None and ef is not None and biogenic is not None:
            found[id_] = Fuel(id_, ncv, ef, amount, biogenic, alternative, t.source, t.uncertainty)
    return found


def products(book: Book, worths: Worths) -> dict[str, Product]:
    """CO2, natural resources and the best peer's output, per unit of product."""
    found = {}
    for id_, t in sorted(book.registry.products.items()):
        table, each = f"product.{id_}", t.unit.symbol
        if "/" in t.unit.dimension:
            book.mistakes.add(
                table, "unit", f"`{each}` is no amount", "write what output is counted in, like `t` or `MWh`"
            )
            continue
        peer = worths.value(t.best_peer, f"{each}/person-h", table, "best_peer", lab=False)
        if peer is not None and not _above_zero(peer):
            book.mistakes.add(table, "best_peer", "is not above zero", "leave it out if you know none")
            peer = None
        if t.process is not None and t.carbon is not None:
            cause = "its process CO2 is counted already: the carbon balance would count it twice"
            book.mistakes.add(table, "carbon", cause, "keep `process` or `carbon`")
        found[id_] = Product(
            id_,
            t.unit,
            process=processing.process(book, worths, id_, t),
            theoretical=worths.value(t.theoretical, f"t/{each}", table, "theoretical"),
            best_peer=peer,
            source=t.source,
            declared=("product", id_) not in book.implied,
            qualified=worths.share(t.qualified, table, "qualified"),
            carbon=worths.value(t.carbon, SHARE if t.unit.dimension == "mass" else f"t/{each}", table, "carbon"),
            role=t.role or _role(id_),
        )
    return found


def materials(book: Book, worths: Worths, products: Mapping[str, Product]) -> dict[str, Material]:
    """What is consumed; a product that is consumed again is a material with the defaults and its own carbon."""
    found = {id_: Material(id_, carbon=product.carbon) for id_, product in products.items()}
    for id_, t in book.registry.materials.items():
        table = f"material.{id_}"
        made = products.get(id_)
        found[id_] = Material(
            id_,
            t.consumed if t.counts_gd is None else t.counts_gd,
            t.consumed if t.counts_cd is None else t.counts_cd,
            t.waste,
            t.source,
            ("material", id_) not in book.implied,
            deduction=worths.value(t.deduction, "t/t", table, "deduction"),
            carbon=worths.share(t.carbon, table, "carbon") or (made.carbon if made else None),
            dust=processing.dust(book, worths, id_, t, products),
        )
    return dict(sorted(found.items()))


def fuel_unit(book: Book, t: FuelTable) -> Unit:
    """What a fuel's calorific value is per: t, or m3."""
    ncv, registry = t.ncv, book.registry
    if isinstance(ncv.value, Quantity):
        per = ncv.value.unit
    else:
        named = next((f.unit for f in registry.factors if f.id == ncv.name), None)
        channel = next(
            (c.unit for (meter, name), c in registry.channels.items() if f"{meter}.{name}" == ncv.name), None
        )
        per = named or channel or unit("GJ/t")
    return unit("m3" if per.dimension == "energy/volume" else "t")


def _above_zero(value: Value) -> bool:
    return all(e.value > 0 for e in value.entries) if isinstance(value, Series) else constant(value) > 0


def _role(id_: str) -> Literal["clinker", "cementitious"] | None:
    """Of a product that does not say: by its name."""
    if id_ == "clinker" or id_.endswith("-clinker"):
        return "clinker"
    return "cementitious" if id_ == "cement" or id_.endswith("-cement") else None


def period(book: Book, table: str, start: date | None, end: date | None) -> None:
    """Notes a period that ends before it begins."""
    if start is not None and end is not None and end < start:
        book.mistakes.add(
            table, "to", f"the period ends ({end}) before it begins ({start})", "write a later day, or leave it out"
        )


def by_id(book: Book, section: str, entries: Iterable[P]) -> dict[str, list[P]]:
    """Dated entries under their id, ascending by start; notes two of one id that begin on one day."""
    found: dict[str, list[P]] = {}
    for entry in sorted(entries, key=lambda e: (e.id, e.start or date.min)):
        table = f"{section}.{entry.id}"
        period(book, table, entry.start, entry.end)
        same = found.setdefault(entry.id, [])
        if same and same[-1].start == entry.start:
            when = f"from {entry.start}" if entry.start else "without `from`"
            book.mistakes.add(
                table, "from", f"there are two entries {when}", "keep one, or give the newer its own `from`"
            )
        same.append(entry)
    return found
