"""What a restating is given: the span it is about, and the readings of the past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from devices.durations import DAY
from devices.readings import Readings

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
    reason: str  # in words: which channel, how late
    counters: frozenset[int] = frozenset()  # counters whose pair around the span is not known yet; it is read first

    def to_json(self) -> list[Any]:
        """Plain lists, for a snapshot."""
        return [self.start, self.end, sorted(self.lines), sorted(self.stacks), self.reason, sorted(self.counters)]

    @classmethod
    def from_json(cls, state: list[Any]) -> Touched:
        """What `to_json` gave."""
        start, end, lines, stacks, reason, counters = state
        return cls(start, end, frozenset(lines), frozenset(stacks), reason, frozenset(counters))

    def __or__(self, other: Touched) -> Touched:
        """Both as one span."""
        reasons = dict.fromkeys([*self.reason.split("; "), *other.reason.split("; ")])
        return Touched(
            min(self.start, other.start),
            max(self.end, other.end),
            self.lines | other.lines,
            self.stacks | other.stacks,
            shortened(list(reasons)),
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


def shortened(reasons: list[str], most: int = 3) -> str:
    """The first few reasons as one sentence, and how many more there are."""
    more = [r for r in reasons if r.startswith("and ") and r.endswith(" more")]
    plain = [r for r in reasons if r not in more]
    left = len(plain) - most + sum(int(r.split()[1]) for r in more)
    return "; ".join([*plain[:most], f"and {left} more"] if left > 0 else plain)
