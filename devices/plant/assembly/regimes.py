"""Regimes: legal frames for stacks."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from devices import durations
from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.assembly.rules import period
from devices.plant.averages import NAMES, WITHIN, Average, average
from devices.plant.model import Regime, Specific
from devices.plant.molar import MOLAR
from devices.plant.tables.regime import RegimeTable
from devices.units import Quantity, factor

_COLD_LITRES, _WARM_LITRES = Fraction("22.4"), Fraction("24.055")  # l/mol at 0 °C and at 20 °C


def regimes(book: Book) -> dict[str, tuple[Regime, ...]]:
    """Every regime's entries, ascending by start."""
    found: dict[str, tuple[Regime, ...]] = {}
    for id_, tables in sorted(book.registry.regimes.items()):
        ordered = sorted(tables, key=lambda t: t.start or date.min)
        found[id_] = tuple(_regime(book, id_, table) for table in ordered)
        _agree(book, id_, found[id_])
    return found


def average_name(text: str, regime: Regime | None) -> str | None:
    """What an average is called: as the regime writes it, else its common name; None where it makes none."""
    if text == NAMES["month"] + WITHIN:
        return text if regime and regime.month_share is not None else None
    asked = average(text)
    if asked.kind in ("half-hour", "hour") and regime and durations.parse(asked.name) != regime.block_ms:
        return None
    written = [average(a) for a in regime.written] if regime else []
    same = [a.name for a in written if (a.kind, a.days) == (asked.kind, asked.days)]
    if not same and asked.kind in ("month", "operating-days"):
        return asked.name if asked.kind == "month" and regime and regime.month_share is not None else None
    return same[0] if same else NAMES[asked.kind]


def averages_of(regime: Regime | None) -> list[str]:
    """Every average that the regime makes, the shorter first."""
    block = "hour" if regime is None or regime.block_ms == durations.HOUR else "half-hour"
    names = [average_name(NAMES[kind], regime) for kind in ("minute", block, "day", "month")]  # type: ignore[index]
    operating = [a for a in regime.written if average(a).kind == "operating-days"] if regime else []
    within = [NAMES["month"] + WITHIN] if regime and regime.month_share is not None else []
    return [name for name in names if name] + within + operating


def _regime(book: Book, id_: str, t: RegimeTable) -> Regime:
    table, note = f"regime.{id_}", book.mistakes.add
    period(book, table, t.start, t.end)
    if t.o2_ref is not None and t.o2_ref >= t.base:
        note(
            table,
            "o2_ref",
            f"{float(t.o2_ref):g} % is not below the oxygen of air ({float(t.base):g} %)",
            "write the reference oxygen in %",
        )
    if t.o2_max is not None and t.o2_max >= t.base:
        cause = f"{float(t.o2_max):g} % is not below the oxygen of air ({float(t.base):g} %)"
        note(table, "o2_max", cause, "write a value below `base`")
    made = _averages(book, table, t)
    halves = _is_half(t)
    block = 30 * durations.MINUTE if halves else durations.HOUR
    valid, valid_key = (t.half_hour_valid, "half_hour_valid") if halves else (t.hour_valid, "hour_valid")
    for key, ms, whole in (
        ("minute_valid", t.minute_valid, durations.MINUTE),
        (valid_key, valid, block),
        ("day_valid", t.day_valid or 0, durations.DAY),
    ):
        if ms > whole:
            note(table, key, f"asks for {durations.format(ms)} of {durations.format(whole)}", "write a part of it")
    quadrants = t.hour_rule == "quadrants"
    if quadrants and halves:
        note(
            table, "hour_rule", "quadrants are of an hour, and the block is half of one", 'leave out `block = "30min"`'
        )
    standard = _kelvin(book, table, t.standard)
    if t.per is not None:
        book.knows("product", t.per, book.registry.products, table, "per", f"[product.{t.per}]")
    litres = t.molar_litres or (_WARM_LITRES if standard > 280 else _COLD_LITRES)
    limits, specific = _limits(book, table, t, litres)
    return Regime(
        id=id_,
        o2_ref=t.o2_ref,
        base=t.base,
        o2_max=t.ceiling,
        standard_k=standard,
        molar_litres=litres,
        minute_valid_ms=t.minute_valid,
        hour_valid_ms=valid,
        day_valid_ms=_day_valid(t),
        never_down=t.never_down,
        limits=limits.get("", {}),
        averages=tuple(a.name for a in made),
        start=t.start,
        end=t.end,
        source=t.source,
        molar=dict(sorted(t.molar.items())),
        flags=dict(sorted(t.flags.items())),
        block_ms=block,
        quadrants=quadrants,
        confidence=dict(sorted(t.confidence.items())),
        day_discarded=t.day_discarded,
        year_discarded=t.year_discarded,
        month_share=t.month_share,
        per=t.per,
        average_limits={a: found for a, found in sorted(limits.items()) if a},
        specific=specific,
    )


def _averages(book: Book, table: str, t: RegimeTable) -> list[Average]:
    """Those listed, the shorter first."""
    made = [average(a) for a in (t.averages if "averages" in t.model_fields_set or not _is_half(t) else ("30min",))]
    kinds = [(a.kind, a.days) for a in made]
    if len(set(kinds)) < len(kinds):
        book.mistakes.add(table, "averages", "names one average twice", "keep one of them")
    wrong = "hour" if _is_half(t) else "half-hour"
    if wrong in {a.kind for a in [*made, *map(average, filter(None, t.limits))]}:
        cause = f"asks for `{NAMES[wrong]}`, and days are made of {'half-hours' if _is_half(t) else 'hours'}"
        book.mistakes.add(table, "averages", cause, "say which in `block`, and keep one of `30min` and `1h`")
    return sorted(made, key=lambda a: a.rank)


def _is_half(t: RegimeTable) -> bool:
    """What `block` says; where it is silent, an average over 30 min says it."""
    if "block" in t.model_fields_set:
        return t.block == "30min"
    kinds = {average(a).kind for a in (*t.averages, *filter(None, t.limits))}
    return "half-hour" in kinds and ("hour" not in kinds or "averages" not in t.model_fields_set)


def _day_valid(t: RegimeTable) -> int:
    if t.day_valid is not None:
        return t.day_valid
    return 20 * durations.HOUR if t.day_discarded is None else 0


def _agree(book: Book, id_: str, entries: tuple[Regime, ...]) -> None:
    """What a stack is built of cannot change from one day to the next."""
    for key, values in (
        ("block", {r.block_ms for r in entries}),
        ("hour_rule", {r.quadrants for r in entries}),
        ("flags", {tuple(r.flags.items()) for r in entries}),
        ("per", {r.per for r in entries}),
    ):
        if len(values) > 1:
            cause = f"`{key}` is not the same in all entries of the regime"
            book.mistakes.add(f"regime.{id_}", key, cause, "give the later one a name of its own")


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


def _limits(
    book: Book, table: str, t: RegimeTable, litres: Fraction
) -> tuple[dict[str, dict[str, Fraction]], dict[str, Specific]]:
    """Average ("" for all) → pollutant → mg/m3; and the limits of mass per product, which hold for all."""
    found: dict[str, dict[str, Fraction]] = {}
    specific: dict[str, Specific] = {}
    for over, limits in t.limits.items():
        for pollutant, given in sorted(limits.items()):
            if isinstance(given, Quantity) and given.unit.dimension == "mass/mass":
                if t.per is None:
                    cause = f"`{given.unit}` is per product, and the regime does not say of which"
                    book.mistakes.add(f"{table}.limits", pollutant, cause, 'add `per = "clinker"` to the regime')
                specific[pollutant] = Specific(given.value, given.unit.symbol, given.value * given.unit.scale)
            else:
                found.setdefault(over, {})[pollutant] = _limit(book, table, t, pollutant, given, litres)
    return found, specific


def _limit(
    book: Book, table: str, t: RegimeTable, pollutant: str, given: Quantity | Fraction, litres: Fraction
) -> Fraction:
    if isinstance(given, Fraction):
        return given
    if given.unit.symbol in ("ppm", "ppb"):
        mass = t.molar.get(pollutant) or (MOLAR[pollutant].mass if pollutant in MOLAR else None)
        if mass is not None:
            return given.to("ppm") * mass / litres
        cause = f"no molar mass is known for `{pollutant}`: `{given.unit}` cannot be made mg/m3"
        book.mistakes.add(
            f"{table}.limits", pollutant, cause, f"write it in mg/m3, or add `molar = {{ {pollutant} = … }}`"
        )
        return given.value
    try:
        return given.value * factor(given.unit, "mg/m3")
    except ConfigurationError as problem:
        book.noted(f"{table}.limits", pollutant, problem)
        return given.value
