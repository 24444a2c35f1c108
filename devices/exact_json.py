"""JSON whose numbers stay text: `1.50` is read as the characters 1.50, and no float is made on the way.

A number becomes a `Whole` or a `Real` (both are the text itself), a token that JSON does not have (NaN,
Infinity) an `Odd`, and an object in which a key stands twice a `Twice`: the caller decides what that means.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any


class Whole(str):
    """The text of a number without point and exponent."""

    __slots__ = ()


class Real(str):
    """The text of a number with a point or an exponent."""

    __slots__ = ()


class Odd(str):
    """A token that Python would take and JSON does not have: NaN, Infinity, -Infinity."""

    __slots__ = ()


class Twice(str):
    """In place of an object: the key that stands in it more than once."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Twice:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    return Twice(next(key for key, times in Counter(keys).items() if times > 1))


_JSON = json.JSONDecoder(parse_int=Whole, parse_float=Real, parse_constant=Odd, object_pairs_hook=_object)


def loads(text: str) -> Any:
    """Read one JSON text. Raises json.JSONDecodeError."""
    return _JSON.decode(text)


def spans(array: str) -> list[tuple[int, int]]:
    """Where each item of a JSON array, already known to be well formed, begins and ends in its text."""
    found: list[tuple[int, int]] = []
    at = array.index("[") + 1
    while True:
        while array[at] in " \t\r\n,":
            at += 1
        if array[at] == "]":
            return found
        _, end = _JSON.raw_decode(array, at)
        found.append((at, end))
        at = end
