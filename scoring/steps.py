"""Closed steps of the rolling windows: which are still to be told, of whom, oldest first; and which were told."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from devices.durations import DAY, HOUR, MINUTE, SECOND
from devices.readings import I64

REMEMBERED = 4096
"""Told steps kept, so that they can be told again without reading the past: 68 h of minutes."""


def step_of(window_ms: int) -> int:
    """How far apart the ends of a rolling window of this length are, ms (semantics §3)."""
    return SECOND if window_ms <= HOUR else MINUTE if window_ms <= DAY else HOUR


def stored_step_of(window_ms: int) -> int:
    """How far apart its stored ends are, ms."""
    return MINUTE if window_ms <= DAY else HOUR


def up(ts: int, step: int) -> int:
    """The end of the step that `ts` lies in."""
    return -(-ts // step) * step


def bits(rows: Iterable[int]) -> int:
    """Rows as bits."""
    found = 0
    for row in rows:
        found |= 1 << row
    return found


def rows_of(found: int) -> list[int]:
    """The rows that stand in bits, ascending."""
    return [row for row, bit in enumerate(reversed(f"{found:b}")) if bit == "1"]


class Steps:
    """Steps of one length in which readings came for some rows (scopes or stacks): those to tell, those told."""

    def __init__(self, step: int, *, remembered: int = REMEMBERED) -> None:
        self.step = step
        self.forgotten = -(1 << 62)  # of told steps up to here nothing is known
        self._remembered = remembered
        self._rows: dict[int, int] = {}  # end of the step -> rows as bits
        self._ends: list[int] = []  # ascending
        self._told: dict[int, int] = {}
        self._told_ends: list[int] = []

    def touch(self, ts: I64, places: I64, rows: Sequence[int], marks: Sequence[int]) -> None:
        """Readings came at these times and places; a step before a row's watermark counts as told already.

        `rows[place]` are the rows that a reading of the place touches, as bits.
        """
        n = len(rows)
        if not len(ts):
            return
        ends = -(-ts // self.step)
        first, last = int(ends.min()), int(ends.max())
        if (last - first + 1) * n <= max(4 * len(ts), 4096):  # nearly always: so few that each may have a mark
            there = np.zeros((last - first + 1) * n, np.bool_)
            there[(ends - first) * n + places] = True
            found = np.flatnonzero(there) + first * n
        else:
            found = np.unique(ends * n + places)
        touched: dict[int, int] = {}
        for key in found.tolist():
            step, place = divmod(key, n)
            touched[step] = touched.get(step, 0) | rows[place]
        newest = max(marks, default=0)
        for step in sorted(touched):
            end = step * self.step
            late = bits(row for row in rows_of(touched[step]) if end <= marks[row]) if end <= newest else 0
            if due := touched[step] & ~late:
                if end not in self._rows:
                    insort(self._ends, end)
                self._rows[end] = self._rows.get(end, 0) | due
            if late := late & ~self._rows.get(end, 0):
                self.remember(end, late)

    def ask(self, end: int, rows: int) -> None:
        """These rows (bits) of a step are to be told, whatever the watermarks."""
        if end not in self._rows:
            insort(self._ends, end)
        self._rows[end] = self._rows.get(end, 0) | rows

    def due(self, marks: Sequence[int]) -> tuple[int, list[int]] | None:
        """The oldest step that a row's watermark has passed, and all such rows of it."""
        limit = max(marks, default=0)
        for end in self._ends:
            if end > limit:
                return None
            rows = [row for row in self.touched(end) if marks[row] >= end]
            if rows:
                return end, rows
        return None

    def told(self, end: int, rows: Iterable[int]) -> None:
        """These rows of the step are done."""
        done = bits(rows)
        self._rows[end] &= ~done
        self.remember(end, done)
        if not self._rows[end]:
            del self._rows[end]
            self._ends.remove(end)

    @property
    def oldest(self) -> int | None:
        """The end of the oldest step that is still to be told of somebody."""
        return self._ends[0] if self._ends else None

    def touched(self, end: int) -> list[int]:
        """The rows that this step is still to be told of."""
        return rows_of(self._rows.get(end, 0))

    def told_between(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The told steps with start <= end < stop, and their rows as bits."""
        for end in self._told_ends[bisect_left(self._told_ends, start) : bisect_left(self._told_ends, stop)]:
            yield end, self._told[end]

    def count(self, marks: Sequence[int]) -> int:
        """How many steps are due."""
        limit = max(marks, default=0)
        found = 0
        for end in self._ends:
            if end > limit:
                break
            found += any(marks[row] >= end for row in self.touched(end))
        return found

    def snapshot(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "rows": [[end, str(self._rows[end])] for end in self._ends],
            "told": [[end, str(self._told[end])] for end in self._told_ends],
            "forgotten": self.forgotten,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `snapshot`."""
        self._rows = {end: int(found) for end, found in state["rows"]}
        self._told = {end: int(found) for end, found in state["told"]}
        self._ends, self._told_ends = sorted(self._rows), sorted(self._told)
        self.forgotten = state["forgotten"]

    def remember(self, end: int, rows: int) -> None:
        """These rows (bits) of a step count as told."""
        if end <= self.forgotten:
            return
        if end not in self._told:
            insort(self._told_ends, end)
        self._told[end] = self._told.get(end, 0) | rows
        if len(self._told_ends) > self._remembered + self._remembered // 8:
            gone = self._told_ends[: -self._remembered]
            self._told_ends = self._told_ends[-self._remembered :]
            self.forgotten = gone[-1]
            for old in gone:
                del self._told[old]
