"""Channels: one number that a meter reports, or one derived from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from devices.plant.assembly import kinds
from devices.plant.assembly.book import Book
from devices.plant.assembly.counting import Counting, counting
from devices.plant.assembly.uncertainty import uncertainty
from devices.plant.model import Channel, Kind, Uncertainty
from devices.plant.tables.channel import ChannelTable
from devices.plant.tables.meter import MeterTable
from devices.units import Unit, unit

_UNKNOWN_UNIT = unit("1")  # stands where the unit's own mistake is noted already
_STACK_UNITS = {"o2": "%", "moisture": "%", "temp": "degC", "pressure": "Pa"}
"""Channels of a stack that others are normalised with, and a unit of the kind each is given in."""

_IN_STATE = ("mass/volume", "volume/time")
"""Concentrations and the flow of a stack are of hot gas or at the standard state."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a channel stands."""

    table: str
    meter: str
    name: str
    row: int
    meter_row: int
    on: MeterTable


def measured(book: Book, spot: Spot, t: ChannelTable) -> Channel:
    """A channel whose readings arrive."""
    kinds.check_keys(book, spot.table, t)
    kind, every = kinds.KINDS[t.kind], t.every or spot.on.every
    if t.unit is None:
        book.mistakes.add(spot.table, "unit", "is missing", 'add it, for example `unit = "t/h"`')
    else:
        kinds.check_unit(book, spot.table, kind, t.unit)
    own = t.unit or _UNKNOWN_UNIT
    _check_gas(book, spot, t, kind)
    low, high = kinds.steps(book, spot.table, t, kind, every)
    counted = _counting(book, spot, t, kind, own)
    normal = "Nm3" in own.symbol.replace("³", "3")
    return Channel(
        index=spot.row,
        meter=spot.meter_row,
        name=spot.name,
        field=t.field or spot.name,
        kind=kind,
        unit=own,
        step=t.step,
        every_ms=every,
        max_gap_ms=t.max_gap or 3 * every,
        period_ms=t.period or 0,
        modulus=kinds.modulus_steps(book, spot.table, t),
        rise_max=kinds.rise_steps(book, spot.table, t, own),
        low=low,
        high=high,
        counts=counted.counts,
        waste=counted.waste,
        counts_gd=counted.counts_gd,
        counts_cd=counted.counts_cd,
        exported=t.exported,
        waste_heat=t.waste_heat,
        required=t.required,
        water=t.water,
        state=("standard" if normal else t.state) if own.dimension in _IN_STATE else None,
        gauge=t.gauge,
        uncertainty=uncertainty(book, spot.table, spot.meter, t, spot.on, kind, own),
    )


def derived(book: Book, spot: Spot, t: ChannelTable, sources: dict[tuple[str, str], Channel]) -> Channel | None:
    """A channel that is a multiple of another, shifted in time; None after noting why not."""
    kinds.check_keys(book, spot.table, t)
    for key, example in (("of", '"feed"'), ("times", '"0.62"')):
        if getattr(t, key) is None:
            book.mistakes.add(spot.table, key, "is missing", f"add it, for example `{key} = {example}`")
    if t.times is not None and t.times <= 0:
        book.mistakes.add(
            spot.table, "times", "is not above zero", "write how much of this comes from one of the source"
        )
    found = None if t.of is None else book.find_channel(t.of, spot.table, "of", spot.meter)
    source = None if found is None else sources.get(found)
    if found is not None and book.registry.channels[found].kind == "derived":
        source = None
        book.mistakes.add(
            spot.table, "of", f"`{t.of}` is derived itself", "name the channel that is measured, with the whole factor"
        )
    if source is None or t.times is None:
        return None
    own = t.unit or source.unit
    if own.is_rate != source.unit.is_rate:
        cause = f"`{own}` and the source's `{source.unit}` are not both per time"
        book.mistakes.add(spot.table, "unit", cause, "leave it out, or give it as the source is given")
    if t.uncertainty is not None and t.uncertainty.absolute is not None:
        book.mistakes.add(spot.table, "uncertainty", "is that of `times`: a share", 'write it like `"3%"`')
    counted = _counting(book, spot, t, source.kind, own)
    return replace(  # its readings are the source's: kind, step, times and range are too
        source,
        index=spot.row,
        meter=spot.meter_row,
        name=spot.name,
        field=spot.name,
        unit=own,
        counts=counted.counts,
        waste=counted.waste,
        counts_gd=counted.counts_gd,
        counts_cd=counted.counts_cd,
        exported=t.exported,
        waste_heat=t.waste_heat,
        required=t.required,
        source=source.index,
        times=t.times,
        delay_ms=t.delay,
        water=None,
        state=None,
        gauge=False,
        uncertainty=None if t.uncertainty is None else Uncertainty(t.uncertainty.relative),
    )


def _counting(book: Book, spot: Spot, t: ChannelTable, kind: Kind, own: Unit) -> Counting:
    if t.counts is not None and spot.on.stack is not None and spot.on.line is None:
        book.mistakes.add(spot.table, "counts", "a stack's meter belongs to no line", "count it on a meter of the line")
        return Counting()
    if t.counts is not None and kind is Kind.LEVEL:
        book.mistakes.add(
            spot.table, "counts", "a level is averaged and never adds up", "use a rate, an amount or a counter"
        )
        return Counting()
    if t.unit is None and t.kind != "derived":
        return Counting()
    amount = own.integral[0] if kind is Kind.RATE and own.is_rate else own
    return counting(book, spot.table, t, amount)


def _check_gas(book: Book, spot: Spot, t: ChannelTable, kind: Kind) -> None:
    """Stack gas has a state and a water content; nothing else has."""
    note = book.mistakes.add
    if spot.on.stack is None:
        for key in sorted({"water", "state", "gauge"} & t.model_fields_set):
            note(spot.table, key, "is said of a stack's gas only", "leave it out, or put the meter on a stack")
        return
    if t.unit is None:
        return
    wanted = _STACK_UNITS.get(spot.name)
    if wanted and t.unit.dimension != unit(wanted).dimension:
        note(
            spot.table,
            "unit",
            f"`{spot.name}` of a stack is in `{wanted}` or the like, not `{t.unit}`",
            "correct the unit, or rename the channel",
        )
    if wanted and kind is not Kind.LEVEL:
        note(spot.table, "kind", f"`{spot.name}` of a stack is a level", 'say `kind = "level"`')
    if t.state == "hot" and "Nm3" in t.unit.symbol.replace("³", "3"):
        note(spot.table, "state", f"`{t.unit}` is at the standard state already", "leave it out, or write `mg/m3`")
    if t.gauge and t.unit.dimension != "pressure":
        note(spot.table, "gauge", "is said of a pressure only", "leave it out")
    stack = book.registry.stacks.get(spot.on.stack)
    if t.gauge and stack is not None and stack.ambient is None:
        note(
            spot.table,
            "gauge",
            f"needs the ambient pressure, and [stack.{spot.on.stack}] says none",
            'add `ambient = "101300 Pa"` there',
        )
