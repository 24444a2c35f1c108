"""The values that stand in tables: read once, exactly, each with a cause and a mend when it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from devices import durations, names, topics, units
from devices.errors import ConfigurationError
from devices.plant.averages import average
from devices.plant.flags import LETTERS, MEANINGS, Meaning
from devices.plant.tables.reading import as_list, as_number, as_table, as_text, as_written, bare_number, each, reads
from devices.units import Quantity, Unit
from devices.words import suggestion


def _positive(value: object) -> Fraction:
    number = as_number(value)
    if number <= 0:
        raise ConfigurationError(f"{as_written(value)} is not above zero", mend="write a number above zero")
    return number


def _not_negative(value: object) -> Fraction:
    number = as_number(value)
    if number < 0:
        raise ConfigurationError(f"{as_written(value)} is below zero", mend="write zero or more")
    return number


def _share(value: object) -> Fraction:
    percent = isinstance(value, str) and value.strip().endswith("%")
    number = units.quantity(str(value)).to("1") if percent else as_number(value)
    if not 0 <= number <= 1:
        raise ConfigurationError(f"{as_written(value)} is not a share", mend="write a number from 0 to 1, or `40 %`")
    return number


def _percent(value: object) -> Fraction:
    if isinstance(value, str) and value.strip().endswith("%"):
        value = value.strip()[:-1].strip()
    number = as_number(value)
    if not 0 <= number <= 100:
        raise ConfigurationError(f"{as_written(value)} is not a percentage", mend="write a number from 0 to 100")
    return number


def _quantity(value: object) -> Quantity:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise ConfigurationError(f"`{value}` has no unit", mend=f'write it with its unit in quotes, like "{value} t/h"')
    return units.quantity(as_text(value, "25.8 GJ/t"))


def measure(value: object) -> Quantity | Fraction:
    """A quantity, or a bare number whose unit the key implies."""
    if isinstance(value, str):
        bare = bare_number(value)
        return units.quantity(value) if bare is None else bare
    return as_number(value)


def _duration(value: object) -> int:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise ConfigurationError(f"`{value}` has no unit of time", mend=f'write "{value}s", "{value}min" or "{value}h"')
    return durations.parse(as_text(value, "15min"))


def span(value: object) -> int:
    """A duration above zero, ms."""
    ms = _duration(value)
    if ms == 0:
        raise ConfigurationError("the duration is zero", mend="write a duration above zero, like `1s`")
    return ms


def _day(value: object) -> date:
    if isinstance(value, datetime):
        raise ConfigurationError(f"`{value}` is a moment, not a day", mend="write the day alone, like `2026-01-01`")
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(as_text(value, "2026-01-01").strip())
    except ValueError:
        raise ConfigurationError(f"{as_written(value)} is not a day", mend="write it like `2026-01-01`") from None


_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})
"""Files of the time zone database, or of this machine, that are no zones of it."""


@lru_cache(maxsize=256)
def zone_name(text: str) -> str:
    """A name of the IANA list that means the same on every machine."""
    if text in _NO_PLACES or text.startswith(("posix/", "right/")):
        raise ConfigurationError(
            f"{names.shown(text)} names no place: other machines and browsers do not know it",
            mend=suggestion(text.removeprefix("posix/").removeprefix("right/"), available_timezones())
            or "use a name of the IANA list, like `Asia/Shanghai`",
        )
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        offset = text.upper().startswith(("UTC", "GMT", "+", "-"))  # `UTC+8` knows no summer time and no law
        near = "" if offset else suggestion(text, available_timezones())
        mend = near or "use a name of the IANA list, like `Asia/Shanghai`"
        raise ConfigurationError(f"there is no time zone {names.shown(text)}", mend=mend) from None
    return text


def _names(value: object) -> tuple[str, ...]:
    return each(as_list(value, '["k1"]'), lambda v: names.name(as_text(v, "k1")))


def _range(value: object) -> tuple[Fraction, Fraction]:
    ends = as_list(value, "[0, 500]")
    if len(ends) != 2:
        raise ConfigurationError(f"a range has two ends, not {len(ends)}", mend="write `[lowest, highest]`")
    low, high = (as_number(end) for end in ends)
    if low >= high:
        raise ConfigurationError(
            f"the range ends ({high}) where it begins ({low}) or before", mend="write `[lowest, highest]`"
        )
    return low, high


def _limits(value: object) -> dict[str, dict[str, Quantity | Fraction]]:
    """Average → pollutant → limit; under "" what holds for every average that the regime lists."""
    found: dict[str, dict[str, Quantity | Fraction]] = {}
    for key, given in as_table(value, "{ nox = 50, so2 = 35 }").items():
        if isinstance(given, dict):
            found[average(key).name] = {names.name(pollutant): _limit(pollutant, v) for pollutant, v in given.items()}
        else:
            found.setdefault("", {})[names.name(key)] = _limit(key, given)
    return found


def _limit(pollutant: str, value: object) -> Quantity | Fraction:
    limit = measure(value)
    if (limit if isinstance(limit, Fraction) else limit.value) <= 0:
        raise ConfigurationError(f"`{pollutant}` is not above zero", mend="leave out what has no limit")
    return limit


def _averages(value: object) -> tuple[str, ...]:
    texts = each(as_list(value, '["1h", "1d"]'), lambda v: average(as_text(v, "1h")).name)
    if not texts:
        raise ConfigurationError("the list is empty", mend='write at least one average, like `["1h"]`')
    return texts


def _shares(value: object) -> dict[str, Fraction]:
    return {names.name(key): _share(v) for key, v in as_table(value, '{ nox = "20 %" }').items()}


def _flags(value: object) -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for key, meaning in as_table(value, '{ C = "calibration" }').items():
        if key not in LETTERS or len(key) != 1:
            raise ConfigurationError(f"`{key}` is no HJ 212 letter", mend=f"use one of {', '.join(LETTERS)}")
        if meaning not in MEANINGS:
            mend = suggestion(str(meaning), MEANINGS) or f"use one of {', '.join(MEANINGS)}"
            raise ConfigurationError(f"`{key}` means {as_written(meaning)}, which is nothing here", mend=mend)
        found[key] = meaning
    return found


def _permits(value: object) -> dict[str, Quantity]:
    found = {names.name(key): _quantity(v) for key, v in as_table(value, '{ nox = "120 t" }').items()}
    for key, permit in found.items():
        if permit.value <= 0 or permit.unit.dimension != "mass":
            raise ConfigurationError(f"`{key}` is no mass a year", mend='write it like `{ nox = "120 t" }`')
    return found


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(f"{as_written(value)} is not a whole number", mend="write zero or more")
    return value


def _masses(value: object) -> dict[str, Fraction]:
    return {names.name(key): _positive(v) for key, v in as_table(value, "{ so2 = 64.06 }").items()}


@dataclass(frozen=True, slots=True)
class Doubt:
    """An uncertainty as written: of the reading, absolute with its unit, or both."""

    relative: Fraction
    absolute: Quantity | None


def _doubt(value: object) -> Doubt:
    texts = value if isinstance(value, list) else [value]
    relative: Fraction | None = None
    absolute: Quantity | None = None
    for item in texts:
        text = as_text(item, "1.5%")
        if text.strip().endswith("%") and relative is None:
            relative = _share(text)
        elif not text.strip().endswith("%") and absolute is None:
            absolute = _quantity(text)
            if absolute.value < 0:
                raise ConfigurationError(f"{as_written(text)} is below zero", mend="write zero or more")
        else:
            raise ConfigurationError(
                "says the same twice", mend='write one share of the reading and one absolute, like `["1%", "0.2 t/h"]`'
            )
    if relative is None and absolute is None:
        raise ConfigurationError("the list is empty", mend='write it like `"1.5%"` or `"0.2 t/h"`')
    return Doubt(relative or Fraction(0), absolute)


def _levels(value: object) -> tuple[Fraction, ...]:
    found = each(as_list(value, "[100, 107, 117]"), as_number)
    if not found:
        raise ConfigurationError("the list is empty", mend="write the levels, best first, like `[100, 107, 117]`")
    return found


def _norm_id(value: object) -> str:
    """As an identifier; norms are called as people call them, with spaces."""
    return names.name(as_text(value, _NORM), also=": ")


_NORM = "GB 16780-2021 clinker"


Text = Annotated[str, reads(lambda v: as_text(v, "…"))]
Template = Annotated[
    str, reads(lambda v: topics.check_template(as_text(v, "plant/{enterprise}/{site}/{area}/{line}/{meter}")))
]
Name = Annotated[str, reads(lambda v: names.name(as_text(v, "k1")))]
Identifier = Annotated[str, reads(lambda v: names.identifier(as_text(v, "grid:CN")))]
FieldName = Annotated[str, reads(lambda v: names.field(as_text(v, "nox")))]
NormId = Annotated[str, reads(_norm_id)]
NormIds = Annotated[tuple[str, ...], reads(lambda v: each(as_list(v, f'["{_NORM}"]'), _norm_id))]
Zone = Annotated[str, reads(lambda v: zone_name(as_text(v, "Asia/Shanghai")))]
UnitOf = Annotated[Unit, reads(lambda v: units.unit(as_text(v, "t/h")))]
Number = Annotated[Fraction, reads(as_number)]
Positive = Annotated[Fraction, reads(_positive)]
NotNegative = Annotated[Fraction, reads(_not_negative)]
Share = Annotated[Fraction, reads(_share)]
Percent = Annotated[Fraction, reads(_percent)]
Measured = Annotated[Quantity, reads(_quantity)]
Measure = Annotated[Quantity | Fraction, reads(measure)]
DelayMs = Annotated[int, reads(_duration)]
SpanMs = Annotated[int, reads(span)]
Day = Annotated[date, reads(_day)]
Names = Annotated[tuple[str, ...], reads(_names)]
Range = Annotated[tuple[Fraction, Fraction], reads(_range)]
Limits = Annotated[dict[str, dict[str, Quantity | Fraction]], reads(_limits)]
Averages = Annotated[tuple[str, ...], reads(_averages)]
Shares = Annotated[dict[str, Fraction], reads(_shares)]
Flags = Annotated[dict[str, Meaning], reads(_flags)]
Permits = Annotated[dict[str, Quantity], reads(_permits)]
Count = Annotated[int, reads(_count)]
Uncertain = Annotated[Doubt, reads(_doubt)]
Levels = Annotated[tuple[Fraction, ...], reads(_levels)]
Masses = Annotated[dict[str, Fraction], reads(_masses)]
