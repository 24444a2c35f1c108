"""Which keys go with which kind of channel, and which unit and size."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.model import Kind
from devices.plant.tables.channel import ChannelTable
from devices.units import Unit, factor

KINDS = {"amount": Kind.AMOUNT, "counter": Kind.COUNTER, "rate": Kind.RATE, "level": Kind.LEVEL}

INT64_MAX = 2**63 - 1
RATE_MAX = 2**63 // 3_600_000
"""Greatest count of a rate or level: multiplied by the milliseconds of an hour, a cell of the sums, it still fits
64 bits. Longer spans are sums of cells in 96 bits, so no window of `LONGEST_WINDOW` can overflow either."""

HOUR_MS = 3_600_000

_ONLY = {
    "period": ("amount", "an amount alone covers a declared period; a counter covers the time since its last reading"),
    "modulus": ("counter", "only a counter wraps"),
    "rise_max": ("counter", "only a counter rises"),
    "of": ("derived", "only a derived channel has a source"),
    "times": ("derived", "only a derived channel is a multiple of another"),
    "delay": ("derived", "only a derived channel is shifted in time"),
}
_NOT_DERIVED = frozenset(
    ("field", "step", "every", "max_gap", "range", "period", "modulus", "rise_max", "water", "state", "gauge")
)


def check_keys(book: Book, table: str, t: ChannelTable) -> None:
    """Notes keys that mean nothing for this kind."""
    for key in sorted(t.model_fields_set):
        kind, why = _ONLY.get(key, ("", ""))
        if t.kind == "derived" and key in _NOT_DERIVED:
            book.mistakes.add(table, key, "a derived channel takes this from its source", "leave it out")
        elif kind and kind != t.kind:
            book.mistakes.add(
                table, key, f"does not go with kind `{t.kind}`: {why}", f'leave it out, or say `kind = "{kind}"`'
            )
    if t.kind == "counter" and t.modulus is not None and t.rise_max is None:
        cause = "`modulus` needs it: without it a reset cannot be told from a wrap"
        book.mistakes.add(table, "rise_max", cause, 'add the fastest rise that can be true, like `rise_max = "50/min"`')


def check_unit(book: Book, table: str, kind: Kind, unit: Unit) -> None:
    """Notes a unit that does not go with the kind: a rate is something per time, amounts and counters are not."""
    if kind is Kind.RATE and not unit.is_rate:
        mend = f'write it per time, like `{unit}/h`, or say `kind = "amount"`'
        book.mistakes.add(table, "unit", f"`{unit}` is not per time, so it is no rate", mend)
    if kind in (Kind.AMOUNT, Kind.COUNTER):
        if unit.is_rate:
            mend = f'say `kind = "rate"`, or write the amount\'s unit, like `{unit.integral[0]}`'
            book.mistakes.add(table, "unit", f"`{unit}` is per time, so it is a rate", mend)
        elif unit.dimension == "temperature" or "/" in unit.dimension:
            book.mistakes.add(table, "unit", f"`{unit}` cannot be added up", 'say `kind = "level"`')


def steps(book: Book, table: str, t: ChannelTable, kind: Kind, every_ms: int) -> tuple[int | None, int | None]:
    """The range in steps, inclusive; notes one that a sum could not hold."""
    if t.range is None:
        return None, None
    low, high = ceil(t.range[0] / t.step), floor(t.range[1] / t.step)
    most = max(abs(low), abs(high))
    allowed = RATE_MAX if kind in (Kind.RATE, Kind.LEVEL) else INT64_MAX
    if kind is Kind.AMOUNT:
        allowed = INT64_MAX // max(1, -(-HOUR_MS // every_ms))
    if most > allowed:
        finest = _decade_above(max(abs(t.range[0]), abs(t.range[1])) / allowed)
        mend = f"use a coarser `step`, at least {finest}, or a smaller `range`"
        book.mistakes.add(
            table,
            "step",
            f"an hour of readings at the range's end is more than {float(t.step):g} steps can count in 64 bits",
            mend,
        )
    if low > high:
        book.mistakes.add(table, "range", "no step lies within it", "use a finer `step` or a wider `range`")
    return low, high


def modulus_steps(book: Book, table: str, t: ChannelTable) -> int | None:
    """Where the counter wraps, in steps."""
    if t.modulus is None:
        return None
    count = t.modulus / t.step
    if count.denominator != 1:
        book.mistakes.add(
            table, "modulus", f"is not a whole number of steps of {float(t.step):g}", "use a step that divides it"
        )
    if count > INT64_MAX:
        book.mistakes.add(table, "modulus", "is more steps than 64 bits can count", "use a coarser `step`")
    return int(count)


def rise_steps(book: Book, table: str, t: ChannelTable, unit: Unit) -> Fraction | None:
    """The fastest true rise in steps per millisecond. `50/min` is in the channel's unit; `50 kWh/min` says it."""
    if t.rise_max is None:
        return None
    given = t.rise_max
    try:
        per_s = given.to("1/s") if given.unit.dimension == "1/time" else given.value * factor(given.unit, f"{unit}/s")
    except ConfigurationError as problem:
        book.mistakes.add(table, "rise_max", problem.cause, f"write it per time, like `1/min` or `1 {unit}/min`")
        return None
    rise = per_s / 1000 / t.step
    if rise <= 0:
        book.mistakes.add(table, "rise_max", "is not above zero", "write the fastest rise that can be true")
    if rise * HOUR_MS > INT64_MAX:
        book.mistakes.add(
            table, "rise_max", "an hour of it is more steps than 64 bits can count", "use a coarser `step`"
        )
    return rise


def _decade_above(value: Fraction) -> str:
    step = Fraction(1, 10**18)
    while step < value:
        step *= 10
    return f"{float(step):g}"
