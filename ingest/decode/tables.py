"""A plant as the arrays that the compiled pass reads. Made once for a registry version.

A large plant has few types of meters, so what a meter's keys mean is kept once for a *shape*: its keys in their
order, each with its place among the meter's channels and its ruler. Hot in the cache, whatever the number of meters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from devices.plant.model import Plant
from devices.ruler import Ruler
from ingest.decode.definition import Slot
from ingest.decode.lookup import SHAPE, Tables, enter
from ingest.decode.values import RESERVED

_FINEST = 18
"""Powers of ten in 64 bits."""


class Key(NamedTuple):
    """One key of a meter's payload."""

    field: str
    channel: int
    ruler: Ruler
    step: Fraction


class Topic(NamedTuple):
    """One meter."""

    topic: str
    name: str
    keys: Sequence[Key]


def of(plant: Plant, slots: Sequence[dict[str, Slot]], largest: int) -> Tables:
    """The tables of a plant; `slots` are the definition's: per meter, payload key -> (channel, ruler)."""
    return build(
        (
            Topic(
                meter.topic,
                meter.name,
                [Key(field, channel, ruler, plant.channels[channel].step) for field, (channel, ruler) in own.items()],
            )
            for meter, own in zip(plant.meters, slots, strict=True)
        ),
        largest,
    )


def build(topics: Iterable[Topic], largest: int) -> Tables:
    """Meter k is the k-th of `topics`. The last of several with one topic has it, as in `devices.topics`."""
    names = _Names()
    meters: list[tuple[int, ...]] = []
    slots: list[tuple[int, ...]] = []
    shapes: dict[tuple[tuple[object, ...], ...], tuple[int, int]] = {}  # -> first slot, shape
    owner: dict[str, int] = {}
    for index, (topic, name, keys) in enumerate(topics):
        if topic in owner:
            lost = owner[topic]
            meters[lost] = (0, 0, *meters[lost][2:])
        owner[topic] = index
        base = min((key.channel for key in keys), default=0)
        shape = tuple((k.field, k.channel - base, k.ruler.low, k.ruler.high, k.step) for k in keys if _plain(k.field))
        if shape not in shapes:
            shapes[shape] = len(slots), len(shapes)
            slots += _slots(shape, len(shapes) - 1, names)
        first, number = shapes[shape]
        if any(key.field in RESERVED for key in keys):
            first = -1
        named = names.of(name) if _plain(name) else (0, 1 << 30)  # longer than any payload: never the same
        meters.append((*names.of(topic), *named, base, first, number))
    slots.append((0, 0, -1, 0, 0, 0, 0, 1, 0))
    tables = Tables(
        names=names.array(),
        topics=np.full(_room(len(meters)), -1, np.int64),
        meters=np.array(meters, np.int32).reshape(-1, SHAPE + 1),
        keys=np.full(_room(len(slots)), -1, np.int32),
        slots=np.array(slots, np.int64),
        largest=np.array([largest], np.int64),
    )
    enter(tables)
    return tables


def _slots(shape: tuple[tuple[object, ...], ...], number: int, names: _Names) -> list[tuple[int, ...]]:
    found = []
    for field, offset, low, high, step in shape:
        places, units = _decimal(step)  # type: ignore[arg-type] # the shape's last
        if units:
            room = _FINEST - len(str(units)) + (units == 1)
            found.append((*names.of(str(field)), number, offset, low, high, places, units, room))
    return found  # type: ignore[return-value] # the shape is a key, so mypy sees objects


_USUAL = re.compile(r"[\w.:-]+")


def _plain(text: str) -> bool:
    """Whether a text stands in JSON as itself: no quote, no backslash, no control character."""
    return bool(_USUAL.fullmatch(text)) or json.dumps(text, ensure_ascii=False) == f'"{text}"'


def _decimal(step: Fraction) -> tuple[int, int]:
    """(places, units) with step = units × 10^-places, both small; units 0: not a decimal of few digits."""
    for places in range(_FINEST + 1):
        units = step * 10**places
        if units.denominator == 1:
            return (places, units.numerator) if units.numerator < 10**9 else (0, 0)
    return 0, 0


def _room(entries: int) -> int:
    """A power of two that leaves half of the places free: short searches."""
    return 1 << max(4, (2 * entries - 1).bit_length())


class _Names:
    """Texts back to back, each once."""

    def __init__(self) -> None:
        self._at: dict[str, tuple[int, int]] = {}
        self._parts: list[bytes] = []
        self._end = 0

    def of(self, text: str) -> tuple[int, int]:
        """Where a text stands, and its bytes' number."""
        if text not in self._at:
            self._parts.append(text.encode())
            self._at[text] = self._end, len(self._parts[-1])
            self._end += len(self._parts[-1])
        return self._at[text]

    def array(self) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """All of them."""
        return np.frombuffer(b"".join(self._parts) + bytes(8), np.uint8).copy()
