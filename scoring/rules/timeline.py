"""Dated values on a site's clock: an entry is in force from the local midnight at which its first day begins.

Periods are (start, end] like every window (semantics §3), so the reading stamped exactly at midnight still
belongs to the day before. The entry with the later start wins. After its end an entry stays in force and is
marked expired: an old value that says so is better than none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVER = -(1 << 62)
"""Before any event time."""
NEVER = 1 << 62


class Valid(Protocol):
    """What has a first and a last day; None: without end."""

    @property
    def start(self) -> date | None:
        """First day."""
        ...

    @property
    def end(self) -> date | None:
        """Last day."""
        ...


E = TypeVar("E", bound=Valid)


def midnight(day: date, zone: str) -> int:
    """The instant (ms) at which `day` begins in `zone`.

    Where the clocks jump over midnight that is the jump; where they pass it twice, the first time.
    """
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return (local.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def edges(entries: Iterable[Valid], zone: str) -> list[int]:
    """Instants (ms, ascending) at which another entry comes into force."""
    return sorted({midnight(entry.start, zone) for entry in entries if entry.start})


@dataclass(frozen=True, slots=True)
class Period(Generic[E]):
    """One entry while it is in force."""

    entry: E
    begins: int  # ms
    expires: int  # ms; in force, but marked, after this


class Timeline(Generic[E]):
    """The entries of one id on one zone's clock."""

    def __init__(self, entries: Sequence[E], zone: str) -> None:
        periods = [Period(e, _begins(e, zone), _expires(e, zone)) for e in entries]
        self.periods = tuple(sorted(periods, key=lambda p: p.begins))  # stable: of equal starts the last one wins
        self._begins = [p.begins for p in self.periods]

    def at(self, end: int) -> int:
        """Row of `periods` in force in a span that ends at `end` and has no edge inside; -1 before the first."""
        return bisect_left(self._begins, end) - 1


def _begins(entry: Valid, zone: str) -> int:
    return midnight(entry.start, zone) if entry.start else EVER


def _expires(entry: Valid, zone: str) -> int:
    return midnight(entry.end + timedelta(days=1), zone) if entry.end and entry.end < date.max else NEVER
