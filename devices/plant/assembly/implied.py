"""Materials and products that channels count and no table declares: their defaults.

A fuel is never implied: its CO2 needs `ncv` and `ef`. `greengauge check` warns of each, with what may be meant.
"""

from __future__ import annotations

from devices import names
from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.tables.channel import ChannelTable
from devices.plant.tables.material import MaterialTable
from devices.plant.tables.product import ProductTable
from devices.units import Unit, unit


def imply(book: Book) -> None:
    """A plain product in the unit of the first channel that counts it, a material that counts in GD and CD."""
    counted = sorted((t.counts or "", meter, name, t) for (meter, name), t in book.registry.channels.items())
    for wanted in ("product", "material"):  # products first: one that is consumed again is no new material
        for text, meter, _, t in counted:
            what, _, id_ = text.partition(":")
            if what == wanted and id_ and _unknown(book, what, id_) and _is_name(id_):
                book.implied.add((what, id_))
                if what == "product":
                    book.registry.products[id_] = ProductTable.model_validate({"unit": _amount(book, meter, t).symbol})
                else:
                    book.registry.materials[id_] = MaterialTable()


def _unknown(book: Book, what: str, id_: str) -> bool:
    found = book.registry
    if what == "material" and (id_ in found.products or found.may_know("product", id_)):
        return False
    return id_ not in (found.products if what == "product" else found.materials) and not found.may_know(what, id_)


def _is_name(id_: str) -> bool:
    try:
        names.identifier(id_)
    except ConfigurationError:
        return False
    return True


def _amount(book: Book, meter: str, t: ChannelTable) -> Unit:
    """The unit of what the channel adds up to; t where the channel's own mistake is noted elsewhere."""
    own = t.unit
    if own is None and t.of is not None:
        channels = book.registry.channels
        source = channels.get((meter, t.of)) or channels.get((t.of.rpartition(".")[0], t.of.rpartition(".")[2]))
        own = source.unit if source is not None else None
    if own is None:
        return unit("t")
    amount = own.integral[0] if own.is_rate else own
    return unit("t") if "/" in amount.dimension else amount
