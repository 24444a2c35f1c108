"""Lines that are alike: instances of one type of meters, which a large plant has by the hundred.

What is worked out of a line's registry entry is worked out once for all lines that differ in names only.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from devices.plant.model import Channel, Line, Plant
from devices.plant.values import Input
from devices.plant.weighed import weighed_rows

_WHERE = ("index", "meter", "name", "field", "source")
"""Of a channel's fields, those that say where it stands and not what it is."""
_SIMPLER = {
    "unit": ("unit.symbol",),
    "step": ("step.numerator", "step.denominator"),
    "times": ("times.numerator", "times.denominator"),
}
"""The same said by something that is compared at once."""
_WHAT = attrgetter(*(name for f in fields(Channel) if f.name not in _WHERE for name in _SIMPLER.get(f.name, (f.name,))))


class Likeness:
    """By line of a plant: the first line that is like it, and which channel stands for which."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.rows = [[c for m in line.meters for c in plant.meters[m].channels] for line in plant.lines]
        """By line: rows of Plant.channels, in the order in which those of lines that are alike correspond."""
        named = {way.channel for p in plant.products.values() if isinstance(way := p.process, Input)}
        named |= {row for row, _ in weighed_rows(plant)}
        found: dict[Hashable, int] = {}
        self.first = [found.setdefault(self._key(line, named), line.index) for line in plant.lines]
        """By line: the first that is like it; itself where there is none before it."""

    def to(self, line: Line) -> dict[int, int]:
        """From the channels of the first line that is like it to its own."""
        return dict(zip(self.rows[self.first[line.index]], self.rows[line.index], strict=True))

    def _key(self, line: Line, named: set[int | None]) -> Hashable:
        """Equal for lines that are alike. What names a row of its own (a laboratory, a feed) makes a line unlike."""
        rows = self.rows[line.index]
        channels = [self._plant.channels[row] for row in rows]
        place = {row: n for n, row in enumerate(rows)}
        if any(c.labs or c.index in named or not (c.source is None or c.source in place) for c in channels):
            return line.index
        derived = tuple((n, place[c.source]) for n, c in enumerate(channels) if c.source is not None)
        return (line.site, line.lcd, derived, _whats(channels))


def _whats(channels: Sequence[Channel]) -> tuple[Any, ...]:
    return tuple(map(_WHAT, channels))


_last: tuple[Plant, Likeness] | None = None


def likeness(plant: Plant) -> Likeness:
    """Of the plant; kept of the one asked for last, since several parts of an engine ask."""
    global _last
    if _last is None or _last[0] is not plant:
        _last = plant, Likeness(plant)
    return _last[1]
