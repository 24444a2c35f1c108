"""The values that stand in tables: read once, exactly, each with a cause and a mend when it cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BaseModel, ConfigDict, PlainValidator

from devices import durations, names, topics, units
from devices.errors import ConfigurationError
from devices.plant.averages import average
from devices.plant.flags import LETTERS, MEANINGS, Meaning
from devices.units import Quantity, Unit
from devices.words import suggestion

T = TypeVar("T")
V = TypeVar("V")


class Table(BaseModel):
    """One table of the registry: unknown keys are mistakes, nothing is coerced, nothing changes afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)


class UnreadableValue(ValueError):
    """What pydantic carries from a value to the list of mistakes: each of `.mistakes` has a cause and a mend."""

    def __init__(self, mistake: ConfigurationError) -> None:
        self.mistakes = mistake.all if isinstance(mistake, _Several) else (mistake,)
        super().__init__(mistake.cause)


class _Several(ConfigurationError):
    """The mistakes of a list's values, all at once."""

    def __init__(self, mistakes: list[ConfigurationError]) -> None:
        self.all = tuple(mistakes)
        super().__init__(mistakes[0].cause, mend=mistakes[0].mend)


def _reads(parse: Callable[[Any], T]) -> PlainValidator:
    """`parse` as a pydantic validator that keeps the cause and the mend apart."""

    def validate(value: Any) -> T:
        try:
            return parse(value)
        except ConfigurationError as mistake:
            raise UnreadableValue(mistake) from None

    return PlainValidator(validate)


def _each(values: Iterable[V], read: Callable[[V], T]) -> tuple[T, ...]:
    """Every value read; ConfigurationError with all the mistakes of those that cannot be."""
    found: list[T] = []
    wrong: list[ConfigurationError] = []
    for value in values:
        try:
            found.append(read(value))
        except ConfigurationError as mistake:
            wrong += mistake.all if isinstance(mistake, _Several) else (mistake,)
    if wrong:
        raise _Several(wrong)
    return tuple(found)


def _text(value: object, example: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{_shown(value)} should be a text", mend=f"write it in quotes, like `{example}`")
    return value


def _number(value: object) -> Fraction:
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ConfigurationError(f"`{value}` is not a finite number", mend="write a decimal number")
        if value.adjusted() > 40 or value.adjusted() < -40:
            raise ConfigurationError(f"`{value}` is beyond any measure", mend="write it without a huge exponent")
        return Fraction(value)
    if isinstance(value, str) and (found := _decimal(value)) is not None:
        return found
    raise ConfigurationError(f"{_shown(value)} is not a number", mend="write a decimal number, like `0.01`")


def _decimal(text: str) -> Fraction | None:
    try:
        read = units.quantity(text.strip() + " 1")
    except ConfigurationError:
        return None
    return read.value if read.unit.symbol == "1" else None


def _positive(value: object) -> Fraction:
    number = _number(value)
    if number <= 0:
        raise ConfigurationError(f"{_shown(value)} is not above zero", mend="write a number above zero")
    return number


def _not_negative(value: object) -> Fraction:
    number = _number(value)
    if number < 0:
        raise ConfigurationError(f"{_shown(value)} is below zero", mend="write zero or more")
    return number


def _share(value: object) -> Fraction:
    percent = isinstance(value, str) and value.strip().endswith("%")
    number = units.quantity(str(value)).to("1") if percent else _number(value)
    if not 0 <= number <= 1:
        raise ConfigurationError(f"{_shown(value)} is not a share", mend="write a number from 0 to 1, or `40 %`")
    return number


def _percent(value: object) -> Fraction:
    if isinstance(value, str) and value.strip().endswith("%"):
        value = value.strip()[:-1].strip()
    number = _number(value)
    if not 0 <= number <= 100:
        raise ConfigurationError(f"{_shown(value)} is not a percentage", mend="write a number from 0 to 100")
    return number


def _quantity(value: object) -> Quantity:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise ConfigurationError(f"`{value}` has no unit", mend=f'write it with its unit in quotes, like "{value} t/h"')
    return units.quantity(_text(value, "25.8 GJ/t"))


def _measure(value: object) -> Quantity | Fraction:
    """A quantity, or a bare number whose unit the key implies."""
    if isinstance(value, str):
        bare = _decimal(value)
        return units.quantity(value) if bare is None else bare
    return _number(value)


def _duration(value: object) -> int:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise ConfigurationError(f"`{value}` has no unit of time", mend=f'write "{value}s", "{value}min" or "{value}h"')
    return durations.parse(_text(value, "15min"))


def _span(value: object) -> int:
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
        return date.fromisoformat(_text(value, "2026-01-01").strip())
    except ValueError:
        raise ConfigurationError(f"{_shown(value)} is not a day", mend="write it like `2026-01-01`") from None


_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})
"""Files of the time zone database, or of this machine, that are no zones of it."""


@lru_cache(maxsize=256)
def _zone_name(text: str) -> str:
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


def _list(value: object, example: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigurationError(f"{_shown(value)} should be a list", mend=f"write it in brackets, like `{example}`")
    return value


def _names(value: object) -> tuple[str, ...]:
    return _each(_list(value, '["k1"]'), lambda v: names.name(_text(v, "k1")))


def _range(value: object) -> tuple[Fraction, Fraction]:
    ends = _list(value, "[0, 500]")
    if len(ends) != 2:
        raise ConfigurationError(f"a range has two ends, not {len(ends)}", mend="write `[lowest, highest]`")
    low, high = (_number(end) for end in ends)
    if low >= high:
        raise ConfigurationError(
            f"the range ends ({high}) where it begins ({low}) or before", mend="write `[lowest, highest]`"
        )
    return low, high


def _limits(value: object) -> dict[str, dict[str, Quantity | Fraction]]:
    """Average → pollutant → limit; under "" what holds for every average that the regime lists."""
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"{_shown(value)} should be a table", mend="write it like `{ nox = 50, so2 = 35 }` (mg/m3)"
        )
    found: dict[str, dict[str, Quantity | Fraction]] = {}
    for key, given in value.items():
        if isinstance(given, dict):
            found[average(key).name] = {names.name(pollutant): _limit(pollutant, v) for pollutant, v in given.items()}
        else:
            found.setdefault("", {})[names.name(key)] = _limit(key, given)
    return found


def _limit(pollutant: str, value: object) -> Quantity | Fraction:
    limit = _measure(value)
    if (limit if isinstance(limit, Fraction) else limit.value) <= 0:
        raise ConfigurationError(f"`{pollutant}` is not above zero", mend="leave out what has no limit")
    return limit


def _averages(value: object) -> tuple[str, ...]:
    texts = _each(_list(value, '["1h", "1d"]'), lambda v: average(_text(v, "1h")).name)
    if not texts:
        raise ConfigurationError("the list is empty", mend='write at least one average, like `["1h"]`')
    return texts


def _table(value: object, example: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{_shown(value)} should be a table", mend=f"write it like `{example}`")
    return value


def _shares(value: object) -> dict[str, Fraction]:
    return {names.name(key): _share(v) for key, v in _table(value, '{ nox = "20 %" }').items()}


def _flags(value: object) -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for key, meaning in _table(value, '{ C = "calibration" }').items():
        if key not in LETTERS or len(key) != 1:
            raise ConfigurationError(f"`{key}` is no HJ 212 letter", mend=f"use one of {', '.join(LETTERS)}")
        if meaning not in MEANINGS:
            mend = suggestion(str(meaning), MEANINGS) or f"use one of {', '.join(MEANINGS)}"
            raise ConfigurationError(f"`{key}` means {_shown(meaning)}, which is nothing here", mend=mend)
        found[key] = meaning
    return found


def _permits(value: object) -> dict[str, Quantity]:
    found = {names.name(key): _quantity(v) for key, v in _table(value, '{ nox = "120 t" }').items()}
    for key, permit in found.items():
        if permit.value <= 0 or permit.unit.dimension != "mass":
            raise ConfigurationError(f"`{key}` is no mass a year", mend='write it like `{ nox = "120 t" }`')
    return found


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(f"{_shown(value)} is not a whole number", mend="write zero or more")
    return value


def _masses(value: object) -> dict[str, Fraction]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{_shown(value)} should be a table", mend="write it like `{ so2 = 64.06 }` (g/mol)")
    return {names.name(key): _positive(v) for key, v in value.items()}


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
        text = _text(item, "1.5%")
        if text.strip().endswith("%") and relative is None:
            relative = _share(text)
        elif not text.strip().endswith("%") and absolute is None:
            absolute = _quantity(text)
            if absolute.value < 0:
                raise ConfigurationError(f"{_shown(text)} is below zero", mend="write zero or more")
        else:
            raise ConfigurationError(
                "says the same twice", mend='write one share of the reading and one absolute, like `["1%", "0.2 t/h"]`'
            )
    if relative is None and absolute is None:
        raise ConfigurationError("the list is empty", mend='write it like `"1.5%"` or `"0.2 t/h"`')
    return Doubt(relative or Fraction(0), absolute)


def _levels(value: object) -> tuple[Fraction, ...]:
    found = _each(_list(value, "[100, 107, 117]"), _number)
    if not found:
        raise ConfigurationError("the list is empty", mend="write the levels, best first, like `[100, 107, 117]`")
    return found


def _norm_id(value: object) -> str:
    """As an identifier; norms are called as people call them, with spaces."""
    return names.name(_text(value, _NORM), also=": ")


_NORM = "GB 16780-2021 clinker"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return names.shown(value)
    return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else f"`{value}`"


Text = Annotated[str, _reads(lambda v: _text(v, "…"))]
Template = Annotated[
    str, _reads(lambda v: topics.check_template(_text(v, "plant/{enterprise}/{site}/{area}/{line}/{meter}")))
]
Name = Annotated[str, _reads(lambda v: names.name(_text(v, "k1")))]
Identifier = Annotated[str, _reads(lambda v: names.identifier(_text(v, "grid:CN")))]
FieldName = Annotated[str, _reads(lambda v: names.field(_text(v, "nox")))]
NormId = Annotated[str, _reads(_norm_id)]
NormIds = Annotated[tuple[str, ...], _reads(lambda v: _each(_list(v, f'["{_NORM}"]'), _norm_id))]
Zone = Annotated[str, _reads(lambda v: _zone_name(_text(v, "Asia/Shanghai")))]
UnitOf = Annotated[Unit, _reads(lambda v: units.unit(_text(v, "t/h")))]
Number = Annotated[Fraction, _reads(_number)]
Positive = Annotated[Fraction, _reads(_positive)]
NotNegative = Annotated[Fraction, _reads(_not_negative)]
Share = Annotated[Fraction, _reads(_share)]
Percent = Annotated[Fraction, _reads(_percent)]
Measured = Annotated[Quantity, _reads(_quantity)]
Measure = Annotated[Quantity | Fraction, _reads(_measure)]
DelayMs = Annotated[int, _reads(_duration)]
SpanMs = Annotated[int, _reads(_span)]
Day = Annotated[date, _reads(_day)]
Names = Annotated[tuple[str, ...], _reads(_names)]
Range = Annotated[tuple[Fraction, Fraction], _reads(_range)]
Limits = Annotated[dict[str, dict[str, Quantity | Fraction]], _reads(_limits)]
Averages = Annotated[tuple[str, ...], _reads(_averages)]
Shares = Annotated[dict[str, Fraction], _reads(_shares)]
Flags = Annotated[dict[str, Meaning], _reads(_flags)]
Permits = Annotated[dict[str, Quantity], _reads(_permits)]
Count = Annotated[int, _reads(_count)]
Uncertain = Annotated[Doubt, _reads(_doubt)]
Levels = Annotated[tuple[Fraction, ...], _reads(_levels)]
Masses = Annotated[dict[str, Fraction], _reads(_masses)]

reads, measure, each, listing, text, span = _reads, _measure, _each, _list, _text, _span
"""For the tables that read values of their own."""
