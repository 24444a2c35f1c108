"""`Reads`: which channels stand behind each thing that is told, and over which time: whom a late reading concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

from devices.plant.model import Plant
from scoring.degrees import Degrees
from scoring.degrees.coverage import ROWS
from scoring.degrees.forms import LineForm
from scoring.energy import SpecificEnergy
from scoring.restate.causes import Book, Cause, place, words
from scoring.restate.told import with_reason
from scoring.results import Changes, ChannelSum, Emission, Energy, Score
from scoring.stacks import Stacks
from scoring.windows.sums import CoverageGroup

Thing = TypeVar("Thing", Score, Emission, Energy, ChannelSum)
_OTHERS = frozenset(("theoretical", "gd", "cd", "waste", "peer"))
"""Sums that no part of the low-carbon degree's detail is made of."""


class Reads:
    """Compiled for what is asked of, and remembered."""

    def __init__(
        self,
        plant: Plant,
        degrees: Degrees,
        energy: SpecificEnergy,
        stacks: Stacks,
        groups: Iterable[CoverageGroup],
    ) -> None:
        self._plant, self._degrees, self._energy, self._stacks = plant, degrees, energy, stacks
        self._scopes = {scope.id: scope for scope in plant.scopes}
        self._windows = dict(zip(plant.windows, plant.window_ms, strict=True))
        self._required = {(g.line, g.degree): g.channels for g in groups}
        self._of_line: dict[tuple[int, str], frozenset[int]] = {}

    @cached_property
    def _rows(self) -> dict[tuple[str, str], int]:
        """By meter and channel."""
        channels = self._plant.channels
        return {(meter.name, channels[c].name): c for meter in self._plant.meters for c in meter.channels}

    def because(self, changes: Changes, causes: Book | Iterable[Cause]) -> Changes:
        """The changes, each with those of the causes for telling it again that it reads."""
        book = causes if isinstance(causes, Book) else Book(causes)

        def say(things: tuple[Thing, ...]) -> tuple[Thing, ...]:
            return tuple(replace(thing, reason=with_reason(thing.reason, self._why(thing, book))) for thing in things)

        return replace(
            changes,
            scores=say(changes.scores),
            emissions=say(changes.emissions),
            sums=say(changes.sums),
            energies=say(changes.energies),
        )

    def _why(self, thing: Score | Emission | Energy | ChannelSum, book: Book) -> str:
        """What of the book it reads in its own time; else at any; else what came in its place and made it be told."""
        start, end = self._time(thing)
        found = book.of(self._of(thing))
        found = [c for c in found if c.start < end and start < c.end] or found
        found = found or book.of((self._around(thing),))
        return words(self._plant, found, here=self._here(thing)) or "late readings"

    def _time(self, thing: Score | Emission | Energy | ChannelSum) -> tuple[int, int]:
        if isinstance(thing, Emission):
            return self._stacks.span(thing)
        return thing.ts - self._windows[thing.window], thing.ts

    def _here(self, thing: Score | Emission | Energy | ChannelSum) -> str:
        """The line or stack that the thing is of; empty for a scope of many."""
        if isinstance(thing, ChannelSum):
            return place(self._plant, self._rows[thing.meter, thing.channel])
        if isinstance(thing, Emission):
            return f"stack {self._plant.stacks[self._stacks.row(thing.scope)].name}"
        return f"line {self._plant.lines[self._scopes[thing.scope].lines[0]].name}" if thing.level == "line" else ""

    # --- channels ---------------------------------------------------------------------------------

    def _of(self, thing: Score | Emission | Energy | ChannelSum) -> Iterator[frozenset[int]]:
        """The channels that it is made of, line by line."""
        if isinstance(thing, ChannelSum):
            yield frozenset((self._rows[thing.meter, thing.channel],))
        elif isinstance(thing, Emission):
            yield self._stacks.reads(self._stacks.row(thing.scope), thing.pollutant)
        elif isinstance(thing, Energy):
            for line in self._energy.lines(self._scopes[thing.scope].index, thing.energy, thing.product):
                yield self._known(line, thing.energy)
        else:
            for line in self._scopes[thing.scope].lines:
                yield self._known(line, thing.degree)

    def _known(self, line: int, name: str) -> frozenset[int]:
        found = self._of_line.get((line, name))
        if found is None:
            found = self._of_line[line, name] = self._line(line, name)
        return found

    def _line(self, line: int, name: str) -> frozenset[int]:
        """What a degree or energy of a line is made of: its sums, the output, whether the line runs, completeness."""
        form, own = self._degrees.forms[line], self._plant.lines[line]
        slots = {*form.slots[ROWS.index(name)]}
        for period in form.periods:
            kept = [*period.made.values(), *period.used.values()]
            kept += [terms for flows in period.flows.values() for terms in flows] if name in ("gd", "cd") else []
            if name == "lcd":
                kept += [terms for to, terms in period.sums.items() if to not in _OTHERS]
            slots |= {slot for terms in kept for row, _ in terms for slot in period.alike[row]}
        says = [own.running, own.heat_up]
        return _channels(form, slots) | {s.channel for s in says if s}.union(self._required[line, name])

    def _around(self, thing: Score | Emission | Energy | ChannelSum) -> frozenset[int]:
        """All channels of the thing's lines or stack."""
        if isinstance(thing, ChannelSum):
            return frozenset()
        if isinstance(thing, Emission):
            meters: Iterable[int] = self._plant.stacks[self._stacks.row(thing.scope)].meters
        else:
            meters = [m for line in self._scopes[thing.scope].lines for m in self._plant.lines[line].meters]
        return frozenset(c for m in meters for c in self._plant.meters[m].channels)


def _channels(form: LineForm, slots: Iterable[int]) -> frozenset[int]:
    return frozenset(form.channels[slot - form.every.start] for slot in slots)
