"""How a key of the registry is read: each value by a function of its own that says what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator

from devices import names, units
from devices.errors import ConfigurationError

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


def reads(parse: Callable[[Any], T]) -> PlainValidator:
    """`parse` as a pydantic validator that keeps the cause and the mend apart."""

    def validate(value: Any) -> T:
        try:
            return parse(value)
        except ConfigurationError as mistake:
            raise UnreadableValue(mistake) from None

    return PlainValidator(validate)


def each(values: Iterable[V], read: Callable[[V], T]) -> tuple[T, ...]:
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


def as_text(value: object, example: str) -> str:
    """The text; `example` says how one is written."""
    if not isinstance(value, str):
        raise ConfigurationError(f"{as_written(value)} should be a text", mend=f"write it in quotes, like `{example}`")
    return value


def as_number(value: object) -> Fraction:
    """A number of TOML or in quotes, exactly."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ConfigurationError(f"`{value}` is not a finite number", mend="write a decimal number")
        if value.adjusted() > 40 or value.adjusted() < -40:
            raise ConfigurationError(f"`{value}` is beyond any measure", mend="write it without a huge exponent")
        return Fraction(value)
    if isinstance(value, str) and (found := bare_number(value)) is not None:
        return found
    raise ConfigurationError(f"{as_written(value)} is not a number", mend="write a decimal number, like `0.01`")


def bare_number(text: str) -> Fraction | None:
    """The number that a text is; None where it is none, or has a unit."""
    try:
        read = units.quantity(text.strip() + " 1")
    except ConfigurationError:
        return None
    return read.value if read.unit.symbol == "1" else None


def as_list(value: object, example: str) -> list[Any]:
    """The list."""
    if not isinstance(value, list):
        raise ConfigurationError(
            f"{as_written(value)} should be a list", mend=f"write it in brackets, like `{example}`"
        )
    return value


def as_table(value: object, example: str) -> dict[str, Any]:
    """The table."""
    if not isinstance(value, dict):
        raise ConfigurationError(f"{as_written(value)} should be a table", mend=f"write it like `{example}`")
    return value


def as_written(value: object) -> str:
    """A value as the user wrote it, for a cause."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return names.shown(value)
    return "a table" if isinstance(value, dict) else "a list" if isinstance(value, list) else f"`{value}`"
