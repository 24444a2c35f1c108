"""Regimes: legal frames for stacks."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from devices import durations
from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.assembly.rules import period
from devices.plant.model import Regime
from devices.plant.tables.regime import RegimeTable
from devices.units import Quantity, factor

MINUTE_AVERAGE = "1min"
BLOCKS = {durations.MINUTE: MINUTE_AVERAGE, durations.HOUR: "1h", durations.DAY: "1d"}
"""The averages that are made, and what they are called unless the regime writes them otherwise."""

_COLD_LITRES, _WARM_LITRES = Fraction("22.4"), Fraction("24.055")  # l/mol at 0 °C and at 20 °C


def regimes(book: Book) -> dict[str, tuple[Regime, ...]]:
    """Every regime's entries, ascending by start."""
    found: dict[str, tuple[Regime, ...]] = {}
    for id_, tables in sorted(book.registry.regimes.items()):
        ordered = sorted(tables, key=lambda t: t.start or date.min)
        found[id_] = tuple(_regime(book, id_, table) for table in ordered)
    return found


def average_name(ms: int, regime: Regime | None) -> str | None:
    """What an average of that length is called: as the regime writes it, else "1min", "1h", "1d"; None: not made."""
    written = {durations.parse(a): a for a in regime.averages} if regime else {}
    return written.get(ms) or BLOCKS.get(ms)


def _regime(book: Book, id_: str, t: RegimeTable) -> Regime:
    table, note = f"regime.{id_}", book.mistakes.add
    period(book, table, t.start, t.end)
    if t.o2_ref is not None and t.o2_ref >= t.base:
        note(
            table,
            "o2_ref",
            f"{t.o2_ref} % is not below the oxygen of air ({t.base} %)",
            "write the reference oxygen in %",
        )
    if t.o2_max is not None and t.o2_max >= t.base:
        note(table, "o2_max", f"{t.o2_max} % is not below the oxygen of air ({t.base} %)", "write a value below `base`")
    for key, ms, whole in (
        ("minute_valid", t.minute_valid, durations.MINUTE),
        ("hour_valid", t.hour_valid, durations.HOUR),
        ("day_valid", t.day_valid, durations.DAY),
    ):
        if ms > whole:
            note(table, key, f"asks for {durations.format(ms)} of {durations.format(whole)}", "write a part of it")
    lengths = [durations.parse(average) for average in t.averages]
    for text, ms in zip(t.averages, lengths, strict=True):
        if ms not in BLOCKS:
            note(table, "averages", f"`{text}` is not an average that is made here", "use `1min`, `1h` or `1d`")
    if len(set(lengths)) < len(lengths):
        note(table, "averages", "names one average twice", "keep one of them")
    standard = _kelvin(book, table, t.standard)
    return Regime(
        id=id_,
        o2_ref=t.o2_ref,
        base=t.base,
        o2_max=t.o2_max,
        standard_k=standard,
        molar_litres=t.molar_litres or (_WARM_LITRES if standard > 280 else _COLD_LITRES),
        minute_valid_ms=t.minute_valid,
        hour_valid_ms=t.hour_valid,
        day_valid_ms=t.day_valid,
        never_down=t.never_down,
        limits=dict(sorted((p, _limit(book, table, p, limit)) for p, limit in t.limits.items())),
        averages=tuple(sorted(t.averages, key=durations.parse)),
        start=t.start,
        end=t.end,
        source=t.source,
        molar=dict(sorted(t.molar.items())),
    )


def _kelvin(book: Book, table: str, given: Quantity | Fraction) -> Fraction:
    kelvin = given if isinstance(given, Fraction) else Fraction(273)
    if isinstance(given, Quantity):
        try:
            kelvin = given.to("K")
        except ConfigurationError as problem:
            book.noted(table, "standard", problem)
    if not 250 < kelvin < 350:
        book.mistakes.add(
            table, "standard", f"{float(kelvin):g} K is no standard state", "write `273 K`, `273.15 K` or `293.15 K`"
        )
    return kelvin


def _limit(book: Book, table: str, pollutant: str, given: Quantity | Fraction) -> Fraction:
    if isinstance(given, Fraction):
        return given
    try:
        return given.value * factor(given.unit, "mg/m3")
    except ConfigurationError as problem:
        book.noted(f"{table}.limits", pollutant, problem)
        return given.value
