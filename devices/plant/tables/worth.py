"""A value as a registry writes it: a number, the id of a dated factor, or a laboratory's channel."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from devices import names
from devices.errors import ConfigurationError
from devices.plant.tables.reading import reads
from devices.plant.tables.values import measure
from devices.units import Quantity
from devices.words import suggestion

_KEYS = ("channel", "factor", "default")


@dataclass(frozen=True, slots=True)
class Said:
    """`value`, or `name` of a factor or channel, then with what holds where a laboratory has said nothing."""

    value: Quantity | Fraction | None = None
    name: str = ""
    default: Quantity | Fraction | None = None


def _said(value: object) -> Said:
    if isinstance(value, dict):
        return _named(value)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ConfigurationError(
            "should be a number, the id of a factor or a channel", mend='write it like "0.525 t CO2/t" or "k1-lab.cao"'
        )
    if isinstance(value, str) and not value.strip()[:1].isdigit() and value.strip()[:1] not in ("-", "+", "."):
        return Said(name=names.identifier(value.strip()))
    return Said(measure(value))


def _named(table: dict[str, Any]) -> Said:
    for key in table:
        if key not in _KEYS:
            mend = suggestion(key, _KEYS) or 'write `{ channel = "k1-lab.cao", default = "64.6 %" }`'
            raise ConfigurationError(f"`{key}` says nothing here", mend=mend)
    named = [table[key] for key in ("channel", "factor") if key in table]
    if len(named) != 1 or not isinstance(named[0], str):
        raise ConfigurationError(
            "names no one channel or factor", mend='write `{ channel = "k1-lab.cao", default = "64.6 %" }`'
        )
    default = table.get("default")
    return Said(name=names.identifier(named[0]), default=None if default is None else measure(default))


Worth = Annotated[Said, reads(_said)]


def _process(value: object) -> Said | dict[str, Any]:
    methods = isinstance(value, dict) and not set(value) & set(_KEYS)
    return value if methods and isinstance(value, dict) else _said(value)


ProcessWorth = Annotated[Said | dict[str, Any], reads(_process)]
