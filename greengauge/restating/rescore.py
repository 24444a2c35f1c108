"""`Rescore`: the final scores of a stretch of the past by today's registry, from its readings, by an engine of its own.

It reads from so far back that the first score's longest window is whole, in time order, and tells what touches the
stretch. It works in slices; all that lies before `reached` is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from devices.durations import DAY, HOUR, MINUTE
from devices.plant.model import Plant
from devices.readings import Readings
from greengauge.replay.replay import hourly
from scoring.engine import Engine
from scoring.kinds import Kind
from scoring.restate import Past
from scoring.restate.told import with_reason
from scoring.results import Changes, Emission, Energy, Score
from scoring.stacks import Stacks
from scoring.stamp import Stamp
from scoring.watch import ROLLING

SLACK_MS = DAY + HOUR
"""Read before the first window, so that the counter pair or held level which reaches into it is there."""
LAG_MS = DAY
"""Steps are told so much later, so that counter pairs this far apart are whole when they are."""
BLOCKS_MS = 32 * DAY
"""The longest block, a month of local days."""
NEVER = 1 << 62

Thing = TypeVar("Thing", Score, Emission, Energy)


class Rescore:
    """One stretch (start, end] of event time. `step` it until `done`."""

    def __init__(
        self,
        plant: Plant,
        past: Past,
        start: int,
        end: int,
        *,
        newest: int,
        reason: str,
        reached: int | None = None,
        known: Stacks | None = None,
    ) -> None:
        """`newest` is the newest event time there may be; `reached` is where an earlier run of it stopped; `known` has
        the days before what is read, which permits, rolling operating days and a year's discarded days count.
        """
        longest = max(plant.window_ms, default=0)
        self._plant, self._start, self._end, self._reason = plant, start, end, reason
        self.done, self.reached, self._ended = False, reached, False
        slowest = max((meter.every_ms for meter in plant.meters), default=0)
        self._lag = plant.intake.grace_ms + 3 * slowest + LAG_MS + HOUR  # what is read is final this much later
        back = max(longest, BLOCKS_MS if plant.stacks else 0) + SLACK_MS
        self._first = start - back
        after = start if reached is None else max(start, reached)
        self._begin = self._read = after - back
        self._stop = min(end + longest, newest)
        self._after = after
        self._engine = Engine(plant, event_clock=True, patience_ms=0, lag_ms=LAG_MS)
        self._engine.agenda.wanted = self._wanted
        if known is not None:
            self._engine.stacks.seed(known, after - 2 * DAY)
        self._pieces = _hourly(past.read(self._begin, self._stop + self._lag))

    @property
    def share(self) -> float:
        """How much of the whole stretch is read, 0 to 1; a run that began in the midst counts what was before."""
        return 1.0 if self.done else (self._read - self._first) / max(1, self._stop + self._lag - self._first)

    def step(self, budget_s: float, known_at: int) -> Changes:
        """Work for about `budget_s`; what was found, as restated with revision 0. EnvironmentFailure of the past."""
        until = time.perf_counter() + budget_s
        scores: list[Score] = []
        emissions: list[Emission] = []
        energies: list[Energy] = []
        while not self.done and time.perf_counter() < until:
            changes = self._work(until)
            scores += (self._restated(s, known_at) for s in changes.scores if self._touched(s))
            emissions += (self._restated(e, known_at) for e in changes.emissions if self._touched(e))
            energies += (self._restated(e, known_at) for e in changes.energies if self._touched(e))
        return Changes(tuple(scores), tuple(emissions), energies=tuple(energies))

    def _work(self, until: float) -> Changes:
        if self._ended:
            return self._rest()
        if not self._engine.behind():
            self.reached = max(self._read - self._lag, self.reached or -NEVER)
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
                return self._rest()
            if len(piece):
                self._engine.push(piece)
                self._read = max(self._read, int(piece.ts.max()))
        return self._engine.advance(max(0.0, until - time.perf_counter()))

    def _rest(self) -> Changes:
        """What the end of the readings leaves to tell: step by step, then the blocks."""
        due = self._engine.agenda.next(NEVER)
        if due is None:
            self.done = True
            return self._engine.finish()
        self.reached = max(self.reached or 0, due[0] - 1)  # all before it is told
        return self._engine.agenda.tell(*due, Stamp("final", 0, self._engine.clock))

    def _restated(self, thing: Thing, known_at: int) -> Thing:
        why = with_reason(thing.reason, self._reason)
        return replace(thing, lifecycle="restated", known_at=known_at, reason=why)

    def _wanted(self, kind: Kind, end: int, rows: Sequence[int]) -> tuple[list[int], list[int]]:
        """The rows and windows of a step that are told: after where it began, and reached by the stretch."""
        windows = [w for w, ms in enumerate(kind.lengths) if end - ms < self._end]
        return (list(rows), windows) if self._after < end <= self._stop else ([], [])

    def _touched(self, thing: Score | Emission | Energy) -> bool:
        """Blocks: by the stretch, those of an earlier run too; and whole: they begin after the first reading."""
        if not isinstance(thing, Emission) or thing.average == ROLLING:
            return thing.lifecycle != "live"  # the agenda has looked
        last = thing.ts + thing.block_minutes * MINUTE
        whole = thing.ts >= self._begin + SLACK_MS
        return whole and thing.ts < self._end and self._start < last <= self._stop


def _hourly(pieces: Iterator[Readings]) -> Iterator[Readings]:
    """In pieces of an hour at most; empty ones ("nothing just now") come through, so that time can be kept."""
    for piece in pieces:
        if len(piece):
            yield from hourly([piece])
        else:
            yield piece
