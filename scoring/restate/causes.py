"""What came late and what it changed, channel by channel, until it is told again; and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from devices.durations import DAY, HOUR, MINUTE, SECOND
from devices.plant.model import Plant

_APART = 8
"""Spans of one channel that are kept apart; of more the two nearest become one."""
_NAMED = 3
"""Channels that a reason names."""


class Cause(NamedTuple):
    """Readings of one channel came late and changed the sums of one channel (it, or what is derived from it) in
    (start, end], ms.
    """

    channel: int  # row of Plant.channels: whose sums changed
    source: int  # ... whose readings came
    start: int
    end: int
    readings: int  # how many came; 0: what was there is only read now as it is
    corrections: int  # of them
    late: int  # ms, the latest of them; without any, how far back the sums changed
    was: int | None = None  # steps: what the one correction replaced, and by what
    now: int | None = None


def joined(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """In order, those that touch as one; of one channel and source a few spans at most."""
    ordered = sorted(causes, key=lambda c: c[:4])
    found: list[Cause] = []
    for _, alike in groupby(ordered, key=lambda c: c[:2]):
        spans: list[Cause] = []
        for cause in alike:
            if spans and cause.start <= spans[-1].end:
                spans[-1] = _both(spans[-1], cause)
            else:
                spans.append(cause)
        while len(spans) > _APART:
            at = min(range(1, len(spans)), key=lambda i: spans[i].start - spans[i - 1].end)
            spans[at - 1 : at + 1] = [_both(spans[at - 1], spans[at])]
        found += spans
    return tuple(found)


def _both(one: Cause, other: Cause) -> Cause:
    if one == other:
        return one
    more, late = one.readings + other.readings, max(one.late, other.late)
    return Cause(
        one.channel, one.source, one.start, max(one.end, other.end), more, one.corrections + other.corrections, late
    )


class Book:
    """The causes of what is still to be told again, by the channel whose sums changed."""

    def __init__(self, causes: Iterable[Cause] = ()) -> None:
        self._causes: dict[int, tuple[Cause, ...]] = {}
        self.add(causes)

    def add(self, causes: Iterable[Cause]) -> None:
        """Some more."""
        new: dict[int, list[Cause]] = {}
        for cause in causes:
            new.setdefault(cause.channel, []).append(cause)
        for channel, more in new.items():
            self._causes[channel] = joined([*self._causes.get(channel, ()), *more])

    def clear(self) -> None:
        """All of it is told."""
        self._causes.clear()

    def of(self, sets: Iterable[frozenset[int]]) -> list[Cause]:
        """Those that changed a channel in one of these sets."""
        changed = {channel for channels in sets for channel in channels & self._causes.keys()}
        return [cause for channel in sorted(changed) for cause in self._causes[channel]]

    def __iter__(self) -> Iterator[Cause]:
        return (cause for _, causes in sorted(self._causes.items()) for cause in causes)


def to_json(causes: Iterable[Cause]) -> list[Any]:
    """Plain lists, for a snapshot."""
    return [list(cause) for cause in causes]


def from_json(state: Iterable[Any]) -> tuple[Cause, ...]:
    """What `to_json` gave."""
    return tuple(Cause(*cause) for cause in state)


def words(plant: Plant, causes: Iterable[Cause], *, here: str = "") -> str:
    """One sentence: which channels, how late; the place of a channel too, unless it is `here` ("line k1")."""
    by_source = attrgetter("source")
    said = [_said(plant, list(alike), here) for _, alike in groupby(sorted(causes, key=by_source), key=by_source)]
    return "; ".join([*said[:_NAMED], f"and {len(said) - _NAMED} more"] if len(said) > _NAMED else said)


def place(plant: Plant, channel: int) -> str:
    """The line or stack that the channel's meter stands at."""
    meter = plant.meters[plant.channels[channel].meter]
    if meter.line is not None:
        return f"line {plant.lines[meter.line].name}"
    return "" if meter.stack is None else f"stack {plant.stacks[meter.stack].name}"


def _said(plant: Plant, causes: list[Cause], here: str) -> str:
    """Of one source; what it changed through several channels came once."""
    source = plant.channels[causes[0].source]
    name = f"{plant.meters[source.meter].name}.{source.name}"
    if (at := place(plant, source.index)) != here:
        name += f" ({at})"
    each = [_one(list(alike)) for _, alike in groupby(causes, key=attrgetter("channel"))]
    came = max(each, key=attrgetter("readings", "late"))
    if not came.readings:
        return f"{name} was read again only now and counts {about(came.late)} back"
    n, corrections = came.readings, came.corrections
    what = f"{n} readings" if n > 1 else "a correction" if corrections else "a reading"
    if corrections and n > 1:
        what = f"{n} readings ({corrections} of them corrections)"
    if came.was is not None and came.now is not None:
        name += f" from {_number(came.was * source.step)} to {_number(came.now * source.step)}"
    return f"{what} of {name} came {'up to ' if n > 1 else ''}{about(came.late)} late"


def _one(causes: list[Cause]) -> Cause:
    """Those of one channel and source, as one."""
    found = causes[0]
    for cause in causes[1:]:
        found = _both(found, cause)
    return found


def _number(value: Fraction) -> str:
    return f"{float(value):.12g}"


def about(ms: int) -> str:
    """A length of time for people."""
    for unit, size, least in (("d", DAY, 2 * DAY), ("h", HOUR, 2 * HOUR), ("min", MINUTE, 2 * MINUTE)):
        if ms >= least:
            return f"{round(ms / size, 1):g} {unit}"
    return f"{round(max(ms, 0) / SECOND):g} s"
