"""Factors, fuels, products, materials and benchmarks: numbers in the units that the engines count in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Protocol, TypeVar

from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.model import Benchmark, Dated, Fuel, Material, Product
from devices.units import Quantity, factor, unit


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


def fuels(book: Book) -> dict[str, Fuel]:
    """Calorific values in GJ per t or m3, emission factors in t CO2 per GJ."""
    found = {}
    for id_, t in sorted(book.registry.fuels.items()):
        table = f"fuel.{id_}"
        amount = unit("m3" if t.ncv.unit.dimension == "energy/volume" else "t")
        ncv = _in(book, t.ncv, f"GJ/{amount}", table, "ncv")
        ef = _in(book, t.ef, "t/GJ", table, "ef")
        alternative = t.alternative if t.alternative is not None else t.waste or t.biogenic > 0
        if ncv is not None and ef is not None:
            found[id_] = Fuel(id_, ncv, ef, amount, t.biogenic, alternative, t.source, t.uncertainty)
    return found


def products(book: Book) -> dict[str, Product]:
    """CO2, natural resources and the best peer's output, per unit of product."""
    found = {}
    for id_, t in sorted(book.registry.products.items()):
        table, each = f"product.{id_}", t.unit.symbol
        if "/" in t.unit.dimension:
            book.mistakes.add(
                table, "unit", f"`{each}` is no amount", "write what output is counted in, like `t` or `MWh`"
            )
            continue
        process = None if t.process is None else _in(book, t.process, f"t/{each}", table, "process")
        theoretical = None if t.theoretical is None else _in(book, t.theoretical, f"t/{each}", table, "theoretical")
        peer = None if t.best_peer is None else _in(book, t.best_peer, f"{each}/person-h", table, "best_peer")
        if peer is not None and peer <= 0:
            book.mistakes.add(table, "best_peer", "is not above zero", "leave it out if you know none")
        declared = ("product", id_) not in book.implied
        found[id_] = Product(id_, t.unit, process, theoretical, peer, t.source, declared)
    return found


def materials(book: Book) -> dict[str, Material]:
    """What is consumed; a product that is consumed again is a material with the defaults."""
    own = {
        id_: Material(id_, t.counts_gd, t.counts_cd, t.waste, t.source, ("material", id_) not in book.implied)
        for id_, t in book.registry.materials.items()
    }
    passed_on = {id_: Material(id_) for id_ in book.registry.products if id_ not in own}
    return dict(sorted({**own, **passed_on}.items()))


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


def _in(book: Book, given: Quantity, target: str, table: str, key: str) -> Fraction | None:
    try:
        return given.to(target)
    except ConfigurationError as problem:
        book.noted(table, key, problem)
        return None
