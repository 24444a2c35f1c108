"""`Store`: where readings and scores are kept for queries. One contract, one contract test, several stores.

A point is keyed by (measurement, tags, time); writing it again overwrites field by field and adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BadPoint:
    """A point, or a field of one, that the store will never take."""

    line: int  # which line of the batch
    field: str  # "" for the whole point
    reason: str  # the store's own words


class StoreDown(Exception):
    """The store cannot take anything now: try again after `retry_after` seconds."""

    def __init__(self, cause: str, *, retry_after: float = 0.0, standing: bool = False) -> None:
        self.cause, self.retry_after, self.standing = cause, retry_after, standing  # standing: needs a person
        super().__init__(cause)


@dataclass(frozen=True, slots=True)
class Series:
    """What to ask for: one field of one measurement with these tags."""

    measurement: str
    field: str
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """A series between two times (ms), both included."""

    series: Series
    first: int
    last: int


class Store(Protocol):
    """The store seam."""

    name: str  # for people: "InfluxDB 2.7.12 at http://…", "embedded in DIR"
    writes_at_once: int  # calls of `write` that may overlap and gain by it; in whatever order they take effect

    async def write(self, lines: Sequence[bytes]) -> list[BadPoint]:
        """Write line-protocol points (ms precision), all of one call or, where some are bad, all but those.

        Raises `StoreDown` if nothing is known to be written; writing the same again is harmless.
        """
        ...

    async def look_up(self, spans: Sequence[Span]) -> list[dict[int, float | str]]:
        """What the store holds of each span: time -> value, ascending. So the writer learns whether a late one is news.

        Raises `StoreDown`; with `standing` if it may not be asked (a token that can only write).
        """
        ...

    async def close(self) -> None:
        """Release connections and files."""
        ...
