"""The version of a plant: a hash of everything that changes an output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
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
    for part in _canonical(value):
        found.update(part.encode())
    return int.from_bytes(found.digest(), "big") >> 1


def _canonical(value: Any) -> Iterator[str]:
    if value is None or isinstance(value, bool | int):
        yield f"{value if value is None or isinstance(value, bool) else int(value)},"
    elif isinstance(value, str):
        yield json.dumps(value) + ","
    elif isinstance(value, Fraction):
        yield f"{value.numerator}/{value.denominator},"
    elif isinstance(value, date):
        yield f"{value.isoformat()},"
    elif isinstance(value, Mapping):
        yield "{"
        for key in sorted(value):
            yield json.dumps(key) + ":"
            yield from _canonical(value[key])
        yield "}"
    elif isinstance(value, tuple):
        yield "["
        for item in value:
            yield from _canonical(item)
        yield "]"
    elif is_dataclass(value):
        yield "("
        for name, default in _names(value.__class__):
            item = getattr(value, name)
            if item != default and not _left_out(name, item):
                yield f"{name}="
                yield from _canonical(item)
        yield ")"
    else:
        raise TypeError(f"{type(value).__name__} has no canonical text")


def _left_out(name: str, item: object) -> bool:
    """The version itself, and where a number was read: that may be corrected without changing any score."""
    return name == "version" or (name == "source" and isinstance(item, str))


@lru_cache(maxsize=64)
def _names(kind: type[Any]) -> tuple[tuple[str, object], ...]:
    found = []
    for f in fields(kind):
        made = f.default if f.default_factory is MISSING else f.default_factory()
        found.append((f.name, made))
    return tuple(sorted(found, key=lambda pair: pair[0]))
