"""Reading backward: what came before a time, as far as it is needed to understand what comes after it."""

from __future__ import annotations

import numpy as np

from devices.durations import HOUR
from devices.readings import Readings
from scoring.restate.past import Past

ENOUGH = 8
"""Readings of a counter before: the one that makes the pair, and some more to tell whether it is a spike."""


class Backward:
    """All readings from `start` to `end`, and before that the last few of each counter that has none there."""

    def __init__(self, past: Past, start: int, end: int, counters: frozenset[int], limit_ms: int) -> None:
        self._past, self._start, self._limit = past, start, end - limit_ms
        self._low, self._width = end, HOUR
        self._times: dict[int, list[int]] = {c: [] for c in counters}  # descending
        self._found: list[list[Readings]] = []

    def step(self) -> bool:
        """Read one slice further back; whether that is enough. EnvironmentFailure: nothing is lost, ask again."""
        missing = [c for c, times in self._times.items() if len(times) < ENOUGH]
        inside = self._low > self._start
        if not inside and (not missing or self._low <= self._limit):
            return True
        low = self._low - self._width
        if inside:
            low = max(low, self._start)
        pieces = list(self._past.read(low, self._low))
        if not inside:
            pieces = [p.take(np.isin(p.channel, missing)) for p in pieces]
        self._found.append([p for p in pieces if len(p)])
        for c in missing:
            times = [p.ts[p.channel == c] for p in pieces]
            self._times[c] += np.unique(np.concatenate(times))[::-1].tolist() if times else []
        self._low = low
        self._width *= 1 if inside else 2
        return False

    def earliest(self, counter: int) -> int | None:
        """Time of the earliest of the last few readings before the end; None where there is none."""
        times = self._times[counter][:ENOUGH]
        return times[-1] if times else None

    def batches(self) -> list[Readings]:
        """What was read, in order of time."""
        return [piece for pieces in reversed(self._found) for piece in pieces]
