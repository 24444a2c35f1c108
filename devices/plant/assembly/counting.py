"""`counts`: what a channel counts in, in which unit it can, and in which degrees."""

from __future__ import annotations

from dataclasses import dataclass

from devices.plant.assembly.book import Book
from devices.plant.assembly.rules import fuel_unit
from devices.plant.model import Counts, CountsWhat
from devices.plant.tables.channel import ChannelTable
from devices.plant.tables.material import MaterialTable
from devices.units import Unit
from devices.words import listed, suggestion

_WITH_ID: dict[str, CountsWhat] = {"material": "material", "fuel": "fuel", "product": "product"}
_ALONE: dict[str, CountsWhat] = {"electricity": "electricity", "co2": "co2"}
_FORMS = ("material:ID", "fuel:ID", "product:ID", "electricity", "co2")


@dataclass(frozen=True, slots=True)
class Counting:
    """`counts`, resolved."""

    counts: Counts | None = None
    waste: bool = False
    counts_gd: bool = False
    counts_cd: bool = False


def counting(book: Book, table: str, t: ChannelTable, amount: Unit) -> Counting:
    """What the channel counts in; `amount` is the unit of its sums."""
    counts = None if t.counts is None else _parse(book, table, t.counts)
    unread = counts is None and t.counts is not None  # noted already
    for key, kinds in (("exported", ("electricity", "fuel")), ("waste_heat", ("electricity",))):
        if getattr(t, key) and not unread and (counts is None or counts.what not in kinds):
            goes = " and ".join(kinds)
            book.mistakes.add(table, key, f"goes with {goes} only", f'add `counts = "{kinds[0]}"`, or leave it out')
    if t.exported and t.waste_heat:
        book.mistakes.add(table, "waste_heat", "power is used here or given away", "keep `exported` or `waste_heat`")
    for key in ("waste", "counts_gd", "counts_cd", "moisture"):
        if getattr(t, key) is not None and not unread and (counts is None or counts.what not in ("material", "fuel")):
            book.mistakes.add(
                table, key, "goes with materials and fuels only", 'add `counts = "material:…"`, or leave it out'
            )
    if counts is None:
        return Counting()
    _check_dimension(book, table, counts, amount)
    if counts.what not in ("material", "fuel"):
        return Counting(counts)
    source = book.registry.fuels.get(counts.id) if counts.what == "fuel" else book.registry.materials.get(counts.id)
    eaten = source.consumed if isinstance(source, MaterialTable) else True
    gd, cd, waste = (source.counts_gd, source.counts_cd, source.waste) if source else (True, True, False)
    gd, cd = eaten if gd is None else gd, eaten if cd is None else cd
    gd = gd if t.counts_gd is None else t.counts_gd
    cd = cd if t.counts_cd is None else t.counts_cd
    waste = waste if t.waste is None else t.waste
    if (gd or cd) and amount.dimension != "mass":
        key = "counts_gd" if gd else "counts_cd"
        book.mistakes.add(
            table,
            key,
            f"the degree adds masses, and `{amount}` is none",
            "meter it in t, or leave it out of the degree",
        )
    return Counting(counts, waste and cd, gd, cd)  # R is part of the circular degree's material


def _parse(book: Book, table: str, text: str) -> Counts | None:
    what, colon, id_ = text.partition(":")
    if not colon and what in _ALONE:
        return Counts(_ALONE[what])
    if not colon or what not in _WITH_ID or not id_:
        near = suggestion(what, [*_WITH_ID, *_ALONE])
        mend = f"{near + ' ' if near and what not in _WITH_ID else ''}Write one of {listed(_FORMS)}"
        book.mistakes.add(table, "counts", f"`{text}` says nothing that is counted", mend)
        return None
    kind = _WITH_ID[what]
    known = {
        "fuel": book.registry.fuels.keys(),
        "product": book.registry.products.keys(),
        "material": book.registry.materials.keys() | book.registry.products.keys(),  # a product may be consumed again
    }[kind]
    if not book.knows(kind, id_, set(known), table, "counts"):
        return None
    return Counts(kind, id_)


def _check_dimension(book: Book, table: str, counts: Counts, amount: Unit) -> None:
    allowed = {"mass"}
    like = "t"
    if counts.what == "electricity":
        allowed, like = {"energy"}, "kWh"
    elif counts.what == "product":
        unit = book.registry.products[counts.id].unit
        allowed, like = {unit.dimension}, unit.symbol
    elif counts.what == "fuel" and counts.id in book.registry.fuels:
        unit = fuel_unit(book, book.registry.fuels[counts.id])
        allowed, like = {unit.dimension, "energy"}, unit.symbol
    if amount.dimension not in allowed:
        cause = f"`{counts}` is counted in {like}, and `{amount}` is {amount.dimension}"
        book.mistakes.add(table, "unit", cause, f"give it in `{like}` or a unit of the same kind, or correct `counts`")
