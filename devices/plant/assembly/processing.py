"""How the process CO2 of a product is counted, and what dust takes along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from devices.plant.assembly.book import Book
from devices.plant.assembly.worth import Worths
from devices.plant.model import Channel, Line, Product
from devices.plant.tables.material import MaterialTable
from devices.plant.tables.product import ChemistryTable, InputTable, ProcessTable, ProductTable
from devices.plant.tables.worth import Said
from devices.plant.terms import CAO, MGO
from devices.plant.values import Chemistry, Dust, Input, Process, Sampled, Value, changed
from devices.words import listed

_METHODS = '`process = "0.525 t CO2/t"`, `{ chemistry = … }` or `{ input = … }`'


def process(book: Book, worths: Worths, id_: str, t: ProductTable) -> Process | None:
    """The product's default factor, chemistry or input method."""
    table = f"product.{id_}"
    if t.process is None:
        return None
    if isinstance(t.process, Said):
        return worths.value(t.process, f"t/{t.unit.symbol}", table, "process")
    said = book.mistakes.check(ProcessTable, t.process, f"{table}.process")
    if said is None:
        return None
    if (said.chemistry is None) == (said.input is None):
        book.mistakes.add(table, "process", "says no one way of counting", f"write {_METHODS}")
        return None
    if t.unit.dimension != "mass":
        book.mistakes.add(table, "process", f"shares of mass are of a product in t, not in `{t.unit}`", _METHODS)
        return None
    if said.chemistry is not None:
        return _chemistry(worths, said.chemistry, f"{table}.process.chemistry")
    return None if said.input is None else _input(book, worths, said.input, f"{table}.process.input")


def _chemistry(worths: Worths, t: ChemistryTable, table: str) -> Chemistry | None:
    shares = {key: worths.share(getattr(t, key), table, key) for key in ("cao", "mgo", "cao_nc", "mgo_nc")}
    cao = shares.pop("cao")
    return None if cao is None else Chemistry(cao, **{key: v for key, v in shares.items() if v is not None})


def _input(book: Book, worths: Worths, t: InputTable, table: str) -> Input | None:
    loi = worths.share(t.loi, table, "loi")
    back: Value | None = Fraction(0)
    if t.dust_return is not None:
        back = worths.share(t.dust_return, table, "dust_return")
    registry, row = book.registry, None
    if t.of not in registry.materials and t.of not in registry.products:
        found = book.find_channel(t.of, table, "of")
        if found is None:
            return None
        row = book.channel_rows[found]
    return None if loi is None or back is None else Input("" if row is not None else t.of, row, back, loi)


def dust(book: Book, worths: Worths, id_: str, t: MaterialTable, products: Mapping[str, Product]) -> Dust | None:
    """Dust, with its factor: EF d / (1 + EF (1 - d)), which is x / (1 - x) with x = EF d / (1 + EF)."""
    if t.dust is None:
        return None
    table, said = f"material.{id_}.dust", t.dust
    if not book.knows("product", said.of, products, table, "of"):
        return None
    if said.bypass and "calcination" in said.model_fields_set:
        book.mistakes.add(table, "calcination", "bypass dust is calcined in full", "leave it out, or `bypass`")
    if not said.bypass and "calcination" not in said.model_fields_set:
        book.mistakes.add(
            table, "calcination", "is missing", "add it, for example `calcination = 0.5`, or say `bypass`"
        )
    d = said.calcination
    ef = worths.value(said.ef, "t/t", table, "ef")
    if said.ef is not None:
        return None if ef is None else Dust(said.of, d, ef)
    if not any(c.counts == f"material:{id_}" for c in book.registry.channels.values()):
        return Dust(said.of, d)  # a profile's that nobody meters: it needs no factor
    whole = products[said.of].process
    if whole is None or isinstance(whole, Input):
        book.mistakes.add(table, "ef", f"`{said.of}` has no factor per t to take it from", 'add `ef = "0.2 t CO2/t"`')
        return None
    if d == 1:
        return Dust(said.of, d, None if isinstance(whole, Chemistry) else whole)
    fixed = None if isinstance(whole, Sampled) else _fixed(whole) if isinstance(whole, Chemistry) else whole
    if fixed is None:
        cause = f"a share of the calcination needs a factor of `{said.of}` that does not come from a laboratory"
        book.mistakes.add(table, "ef", cause, 'add `ef = "0.2 t CO2/t"`')
        return None
    return Dust(said.of, d, changed(fixed, lambda ef: ef * d / (1 + ef * (1 - d))))


def _fixed(chemistry: Chemistry) -> Value | None:
    """The factor of constant oxides."""
    parts = (chemistry.cao, chemistry.cao_nc, chemistry.mgo, chemistry.mgo_nc)
    if not all(isinstance(part, Fraction) for part in parts):
        return None
    cao, cao_nc, mgo, mgo_nc = (part for part in parts if isinstance(part, Fraction))
    return (cao - cao_nc) * CAO + (mgo - mgo_nc) * MGO


def check_feeds(book: Book, products: Mapping[str, Product], lines: tuple[Line, ...], channels: list[Channel]) -> None:
    """Every line that makes a product by the input method meters its feed."""
    for id_, product in products.items():
        if not isinstance(product.process, Input):
            continue
        table, made = f"product.{id_}.process.input", [line for line in lines if id_ in book.made.get(line.name, ())]
        for line in made:
            mine = [c for c in channels if c.meter in line.meters]
            if product.process.channel is not None and all(c.index != product.process.channel for c in mine):
                cause = f"the feed is not metered on line `{line.name}`, which makes `{id_}`"
                book.mistakes.add(table, "of", cause, "name a material that each line meters")
            if product.process.channel is None and not any(
                c.counts is not None and c.counts.what == "material" and c.counts.id == product.process.material
                for c in mine
            ):
                cause = f"line `{line.name}` makes `{id_}` and meters no `{product.process.material}`"
                known = sorted({c.counts.id for c in mine if c.counts and c.counts.what == "material"})
                book.mistakes.add(table, "of", cause, f"count it there; metered are {listed(known) or 'no materials'}")


def moist(book: Book, worths: Worths, channels: list[Channel]) -> list[Channel]:
    """The channels with their moisture."""
    rows = {row: pair for pair, row in book.channel_rows.items()}
    found = []
    for channel in channels:
        meter, name = rows[channel.index]
        said = book.registry.channels[meter, name].moisture
        value = worths.share(said, f"meter.{meter}.channels.{name}", "moisture")
        found.append(channel if value is None else replace(channel, moisture=value))
    return found
