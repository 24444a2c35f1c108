"""`Rescore`: the final scores of a stretch of the past, from its readings, by an engine of its own.

It reads from so far back that the first score's longest window is whole, in time order, and keeps only what lies
in the stretch or is reached by it. It works in slices, and what it tells is whole up to `reached`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from devices.durations import DAY, HOUR, MINUTE
from devices.plant.model import Plant
from devices.readings import Readings
from greengauge.replay import hourly
from scoring.engine import Engine
from scoring.results import Changes, Emission, Score
from scoring.watch import ROLLING

SLACK_MS = DAY + HOUR
"""Read before the first window, so that the counter pair or held level which reaches into it is there."""
BLOCKS_MS = 32 * DAY
"""The longest block, a month of local days."""


class Past(Protocol):
    """All readings with start < ts <= end, pieces in time order; some may be empty ("nothing just now")."""

    def read(self, start: int, end: int) -> Iterator[Readings]: ...  # noqa: D102 - said above


@dataclass(frozen=True, slots=True)
class Stretch:
    """What to score: steps and blocks that (start, end] touches, of these lines' and stacks' scopes."""

    start: int
    end: int
    until: int  # nothing after it is final yet
    scopes: frozenset[str]  # ids, stacks' too


@dataclass(slots=True)
class Rescore:
    """One stretch. `step` it until `done`."""

    plant: Plant
    past: Past
    stretch: Stretch
    reached: int | None = None  # steps and blocks up to here are told
    done: bool = False
    _engine: Engine = field(init=False)
    _pieces: Iterator[Readings] = field(init=False)
    _begin: int = field(init=False)
    _stop: int = field(init=False)
    _read: int = field(init=False)
    _lag: int = field(init=False)

    def __post_init__(self) -> None:
        longest = max(self.plant.window_ms, default=0)
        back = max(longest, BLOCKS_MS if self.plant.stacks else 0) + SLACK_MS
        first = self.stretch.start if self.reached is None else max(self.stretch.start, self.reached)
        slowest = max((meter.every_ms for meter in self.plant.meters), default=0)
        self._lag = self.plant.intake.grace_ms + 3 * slowest + HOUR
        self._begin = self._read = first - back
        self._stop = min(self.stretch.end + longest, self.stretch.until)
        self._engine = Engine(replace(self.plant, alarms=()), event_clock=True)
        self._pieces = hourly(self.past.read(self._begin, self._stop + self._lag))

    @property
    def share(self) -> float:
        """How much of it is read, 0 to 1."""
        return min(1.0, (self._read - self._begin) / max(1, self._stop + self._lag - self._begin))

    def step(self, budget_s: float) -> Changes:
        """Work for about `budget_s`; what became known, as final. Raises EnvironmentFailure of the past."""
        until = time.perf_counter() + budget_s
        scores: list[Score] = []
        emissions: list[Emission] = []
        while not self.done and time.perf_counter() < until:
            changes = self._work(until)
            scores += filter(self._wanted, changes.scores)
            emissions += filter(self._wanted, changes.emissions)
        return Changes(tuple(scores), tuple(emissions))

    def _work(self, until: float) -> Changes:
        if self._engine.behind():
            changes = self._engine.advance(max(0.0, until - time.perf_counter()))
            if not self._engine.behind():
                told = self._read - self._lag
                self.reached = told if self.reached is None else max(self.reached, told)
            return changes
        piece = next(self._pieces, None)
        if piece is None:
            self.done, self.reached = True, self._stop
            return self._engine.finish()
        if len(piece):
            self._engine.push(piece)
            self._read = max(self._read, int(piece.ts.max()))
        return self._engine.advance(0.0)

    def _wanted(self, thing: Score | Emission) -> bool:
        """Touched by the stretch, final by now, and whole: nothing before the readings' begin is in it."""
        if thing.scope not in self.stretch.scopes or thing.lifecycle == "live":
            return False
        if isinstance(thing, Score):
            first, last = thing.ts - self.plant.window_ms[self.plant.windows.index(thing.window)], thing.ts
        elif thing.average == ROLLING:
            first, last = thing.ts - MINUTE, thing.ts
        else:
            first, last = thing.ts, thing.ts + thing.block_minutes * MINUTE
        return (
            first >= self._begin + SLACK_MS
            and first < self.stretch.end
            and self.stretch.start < last <= min(self._stop, self.stretch.until)
        )
