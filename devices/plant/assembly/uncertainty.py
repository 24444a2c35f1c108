"""What a meter's reading may be off by: of its reading, absolute, or both."""

from __future__ import annotations

from fractions import Fraction

from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.model import Kind, Uncertainty
from devices.plant.tables.channel import ChannelTable
from devices.plant.tables.meter import MeterTable
from devices.plant.tables.values import Doubt
from devices.units import Quantity, Unit, factor

HOUR_MS = 3_600_000


def uncertainty(
    book: Book, table: str, meter: str, t: ChannelTable, on: MeterTable, kind: Kind, own: Unit
) -> Uncertainty | None:
    """The channel's own, else its meter's; notes one that does not fit. None where nothing is declared."""
    if t.uncertainty is not None:
        return _resolved(book, table, t.uncertainty, t, kind, own)
    if on.uncertainty is None:
        return None
    channel = table.rpartition(".")[2]
    return _resolved(book, f"meter.{meter}", on.uncertainty, t, kind, own, f"channel `{channel}`: ")


def _resolved(
    book: Book, table: str, doubt: Doubt, t: ChannelTable, kind: Kind, own: Unit, whose: str = ""
) -> Uncertainty | None:
    if doubt.absolute is None:
        return Uncertainty(doubt.relative)
    try:
        return Uncertainty(doubt.relative, _per_ms(doubt.absolute, t, kind, own))
    except ConfigurationError as problem:
        book.mistakes.add(table, "uncertainty", f"{whose}{problem.cause}", problem.mend)
        return None


def _per_ms(given: Quantity, t: ChannelTable, kind: Kind, own: Unit) -> Fraction:
    """What an absolute uncertainty adds to the channel's total in each ms that its readings cover."""
    if kind in (Kind.RATE, Kind.LEVEL):
        if own.dimension == given.unit.dimension == "temperature":  # a difference has no zero
            return given.value * given.unit.scale / own.scale / t.step
        return given.value * factor(given.unit, own) / t.step
    if kind is Kind.AMOUNT and not t.period:
        raise ConfigurationError(
            "an amount without `period` covers no time", mend='give it of the reading, like `uncertainty = "1%"`'
        )
    if not given.unit.is_rate:
        raise ConfigurationError(
            f"`{given.unit}` is not per time: a window's error grows with its length",
            mend=f"write it like `0.2 {own}/h`",
        )
    return given.value * factor(given.unit, f"{own}/h") / HOUR_MS / t.step
