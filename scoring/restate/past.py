"""What a restating is given: the span it is about, and the readings of the past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from devices.durations import DAY
from devices.readings import Readings
from scoring.restate.causes import Cause, from_json, joined, to_json

NEAR = DAY
"""Spans no further apart than the longest window that steps by minutes share most of their work: they are one."""


class Past(Protocol):
    """All readings ever taken in, from wherever they are kept (log, store, file)."""

    def read(self, start: int, end: int) -> Iterator[Readings]:
        """All readings with start < ts <= end, in pieces of ascending ts; within a piece in log order.

        So two readings of one key always stand in one piece. Raises `EnvironmentFailure` while they cannot be
        read: then the restating waits.
        """
        ...


@dataclass(frozen=True, slots=True)
class Touched:
    """A span (start, end] of event time, ms, in which sums changed after they were told, and of whom."""

    start: int
    end: int
    lines: frozenset[int]  # rows of Plant.lines
    stacks: frozenset[int]  # rows of Plant.stacks
    causes: tuple[Cause, ...]  # which channels, how late, and what of the span each changed
    counters: frozenset[int] = frozenset()  # counters whose pair around the span is not known yet; it is read first

    def to_json(self) -> list[Any]:
        """Plain lists, for a snapshot."""
        return [
            self.start,
            self.end,
            sorted(self.lines),
            sorted(self.stacks),
            to_json(self.causes),
            sorted(self.counters),
        ]

    @classmethod
    def from_json(cls, state: list[Any]) -> Touched:
        """What `to_json` gave."""
        start, end, lines, stacks, causes, counters = state
        return cls(start, end, frozenset(lines), frozenset(stacks), from_json(causes), frozenset(counters))

    def __or__(self, other: Touched) -> Touched:
        """Both as one span."""
        return Touched(
            min(self.start, other.start),
            max(self.end, other.end),
            self.lines | other.lines,
            self.stacks | other.stacks,
            joined((*self.causes, *other.causes)),
            self.counters | other.counters,
        )


def merged(spans: Iterable[Touched], *, near: int = NEAR) -> list[Touched]:
    """The spans in order of time, those that overlap or are `near` each other (ms) as one."""
    found: list[Touched] = []
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        if found and span.start <= found[-1].end + near:
            found[-1] |= span
        else:
            found.append(span)
    return found
