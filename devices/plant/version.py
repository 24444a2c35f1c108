"""The version of a plant: a hash of everything that changes an output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any

from devices.plant.model import Plant


def version(plant: Plant) -> int:
    """63 bits of BLAKE2b over the plant's canonical text: the same for any order of keys and tables, any comments.

    What has its default value is left out, so that a key which a later release adds changes no version.
    """
    return digest(plant)


def digest(value: Any) -> int:
    """63 bits of BLAKE2b over the canonical text of records, mappings, tuples and plain values."""
    found = hashlib.blake2b(digest_size=8)
    text: list[str] = []

    def full() -> None:
        found.update("".join(text).encode())
        text.clear()

    _canonical(value, text, full)
    full()
    return int.from_bytes(found.digest(), "big") >> 1


def _canonical(value: Any, text: list[str], full: Callable[[], object]) -> None:
    """Append the canonical text; `full` takes it away now and then. No generators: a large plant has millions."""
    if value is None or isinstance(value, bool | int):
        text.append(f"{value if value is None or isinstance(value, bool) else int(value)},")
    elif isinstance(value, str):
        text.append(_quoted(value) + ",")
    elif isinstance(value, Fraction):
        text.append(f"{value.numerator}/{value.denominator},")
    elif isinstance(value, tuple):
        text.append("[")
        for item in value:
            _canonical(item, text, full)
        text.append("]")
        if len(text) > _MANY:
            full()
    elif (names := _names(value.__class__)) is not None:
        text.append("(")
        for name, default in names:
            item = getattr(value, name)
            if item != default and not _left_out(name, item):
                text.append(f"{name}=")
                _canonical(item, text, full)
        text.append(")")
        if len(text) > _MANY:
            full()
    elif isinstance(value, date):
        text.append(f"{value.isoformat()},")
    elif isinstance(value, Mapping):
        text.append("{")
        for key in sorted(value):
            text.append(_quoted(key) + ":")
            _canonical(value[key], text, full)
        text.append("}")
    else:
        raise TypeError(f"{type(value).__name__} has no canonical text")


_MANY = 10_000
_quoted = json.encoder.encode_basestring_ascii


def _left_out(name: str, item: object) -> bool:
    """The version itself, and where a number was read: that may be corrected without changing any score."""
    return name == "version" or (name == "source" and isinstance(item, str))


@lru_cache(maxsize=256)
def _names(kind: type[Any]) -> tuple[tuple[str, object], ...] | None:
    """A record's fields in order, with their defaults; None if it is no record."""
    if not is_dataclass(kind):
        return None
    found = []
    for f in fields(kind):
        made = f.default if f.default_factory is MISSING else f.default_factory()
        found.append((f.name, made))
    return tuple(sorted(found, key=lambda pair: pair[0]))
