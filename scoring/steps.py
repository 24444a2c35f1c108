"""Closed steps of the rolling windows: which are still to be told, of whom, oldest first."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from devices.durations import DAY, HOUR, MINUTE, SECOND
from devices.readings import I64


def step_of(window_ms: int) -> int:
    """How far apart the ends of a rolling window of this length are, ms (semantics §3)."""
    return SECOND if window_ms <= HOUR else MINUTE if window_ms <= DAY else HOUR


def stored_step_of(window_ms: int) -> int:
    """How far apart its stored ends are, ms."""
    return MINUTE if window_ms <= DAY else HOUR


def up(ts: int, step: int) -> int:
    """The end of the step that `ts` lies in."""
    return -(-ts // step) * step


class Steps:
    """Steps of one length in which readings came for some rows (scopes or stacks), and which are not final yet."""

    def __init__(self, step: int) -> None:
        self.step = step
        self._rows: dict[int, int] = {}  # end of the step -> rows as bits
        self._ends: list[int] = []  # ascending

    def touch(self, ts: I64, rows: Sequence[int], marks: Sequence[int]) -> None:
        """Readings came for these rows at these times; what lies before a row's watermark is final."""
        for end in (np.unique(-(-ts // self.step)) * self.step).tolist():
            bits = 0
            for row in rows:
                if end > marks[row]:
                    bits |= 1 << row
            if bits:
                if end not in self._rows:
                    insort(self._ends, end)
                self._rows[end] = self._rows.get(end, 0) | bits

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
        for row in rows:
            self._rows[end] &= ~(1 << row)
        if not self._rows[end]:
            del self._rows[end]
            self._ends.remove(end)

    def touched(self, end: int) -> list[int]:
        """The rows that this step is still to be told of."""
        bits = self._rows.get(end, 0)
        return [row for row in range(bits.bit_length()) if bits >> row & 1]

    def count(self, marks: Sequence[int]) -> int:
        """How many steps are due."""
        limit = max(marks, default=0)
        found = 0
        for end in self._ends:
            if end > limit:
                break
            found += any(marks[row] >= end for row in self.touched(end))
        return found

    def last(self) -> int | None:
        """The newest step that is not final."""
        return self._ends[-1] if self._ends else None

    def snapshot(self) -> list[Any]:
        """Plain JSON."""
        return [[end, str(self._rows[end])] for end in self._ends]

    def restore(self, state: list[Any]) -> None:
        """Go on from `snapshot`."""
        self._rows = {end: int(bits) for end, bits in state}
        self._ends = sorted(self._rows)
