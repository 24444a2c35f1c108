"""Norms of specific energy: levels in kWh, MJ or kgce per unit of product."""

from __future__ import annotations

from fractions import Fraction

from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.assembly.rules import by_id
from devices.plant.norm import Correction, EnergyKind, Norm
from devices.plant.tables.norm import NormTable
from devices.units import Unit, factor

COUNTED_IN = {"electricity": "kWh", "heat": "MJ", "comprehensive": "kgce"}
"""What each kind of specific energy is counted in."""

_ELECTRIC = ("Wh", "kWh", "MWh", "GWh")
_COAL = ("kgce", "tce")


def norms(book: Book) -> dict[str, tuple[Norm, ...]]:
    """Dated norms, ascending by start; and notes the norms that lines name and cannot have."""
    found: dict[str, tuple[Norm, ...]] = {}
    for id_, entries in by_id(book, "norm", book.registry.norms).items():
        kept = [norm for t in entries if (norm := _norm(book, f"norm.{id_}", t)) is not None]
        for what, values in (("product", {n.product for n in kept}), ("energy", {str(n.energy) for n in kept})):
            if len(values) > 1:
                both = " and ".join(f"`{value}`" for value in sorted(values))
                book.mistakes.add(f"norm.{id_}", what, f"is of {both}", f"give each {what} a norm of its own id")
        found[id_] = tuple(kept)
    for name, line in book.registry.lines.items():
        for id_ in line.norms:
            known = book.knows("norm", id_, found, f"line.{name}", "norms", f'[[norm]] id = "{id_}"')
            if known and found[id_] and found[id_][-1].product not in (made := book.made.get(name, set())):
                makes = ", ".join(f"`{p}`" for p in sorted(made)) or "nothing"
                cause = f"`{id_}` is for `{found[id_][-1].product}`; the line makes {makes}"
                book.mistakes.add(f"line.{name}", "norms", cause, "name norms of its products")
    return found


def _norm(book: Book, table: str, t: NormTable) -> Norm | None:
    product = book.registry.products.get(t.product)
    if not book.knows("product", t.product, book.registry.products, table, "product") or product is None:
        return None
    energy: EnergyKind = t.energy or _told_by(t.unit)
    try:
        scale = factor(t.unit, f"{COUNTED_IN[energy]}/{product.unit.symbol}")
    except ConfigurationError as problem:
        book.noted(table, "unit", problem)
        return None
    if any(a >= b for a, b in zip(t.levels, t.levels[1:], strict=False)):
        book.mistakes.add(table, "levels", "do not rise", "write the best level first: each allows more than the last")
    equivalent = _equivalent(book, table, t, energy)
    levels = tuple(level * scale for level in t.levels)
    return Norm(
        t.id, t.product, energy, levels, t.boundary, equivalent, _correction(book, table, t, scale),
        t.start, t.end, t.source,
    )  # fmt: skip


def _told_by(unit: Unit) -> EnergyKind:
    """Power is in kWh, everything in kgce; any other energy is heat."""
    above = unit.symbol.partition("/")[0].strip()
    return "electricity" if above in _ELECTRIC else "comprehensive" if above in _COAL else "heat"


def _equivalent(book: Book, table: str, t: NormTable, energy: EnergyKind) -> Fraction | None:
    if t.electricity is None:
        return None
    if energy != "comprehensive":
        cause = "only comprehensive energy turns power into coal equivalent"
        book.mistakes.add(table, "electricity", cause, "leave it out, or write `unit` in kgce")
        return None
    try:
        value = t.electricity.to("kgce/kWh")
    except ConfigurationError as problem:
        book.noted(table, "electricity", problem)
        return None
    if value <= 0:
        book.mistakes.add(table, "electricity", "is not above zero", "write it like `0.1229 kgce/kWh`")
    return value


def _correction(book: Book, table: str, t: NormTable, scale: Fraction) -> Correction | None:
    if t.correction is None:
        return None
    inner, c = f"{table}.correction", t.correction
    products = book.registry.products
    if not book.knows("product", c.share, products, inner, "share"):
        return None
    if c.share in products and products[c.share].unit.dimension != products[t.product].unit.dimension:
        book.mistakes.add(inner, "share", f"`{c.share}` and `{t.product}` have no common unit", "name another product")
    if len(c.per_point) != len(t.levels):
        cause = f"{len(c.per_point)} values for {len(t.levels)} levels"
        book.mistakes.add(inner, "per_point", cause, "write one for each level")
    return Correction(c.share, c.at, tuple(value * scale for value in c.per_point))
