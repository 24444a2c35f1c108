"""`Restating`: all that is told anew beside live work: what late readings touched, then recomputations.

Late readings need no book of jobs: what they touched stays in the engine's snapshot until it is told. Whatever needs
a store that is down waits, says so, and is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from devices import times
from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from greengauge.history import History
from greengauge.history.jobs import Job
from greengauge.restating.recomputing import WAIT_S, Recomputing
from scoring.engine import Engine
from scoring.restate import Past, Touched
from scoring.restate.restater import Restater
from scoring.results import Changes


class Restating:
    """Worked in slices on the engine's thread. Not thread-safe."""

    def __init__(
        self, plant: Plant, history: History, past: Past, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` tells seconds, for pauses."""
        self._history, self._past, self._clock = history, past, clock
        self._recomputing = Recomputing(plant, history, past, clock=clock)
        self._span: Touched | None = None
        self._late: Restater | None = None
        self._waiting = 0  # spans behind the one at work
        self._unkept: Changes | None = None  # told, not yet in the history
        self._trouble, self._not_before = "", 0.0

    @property
    def durable(self) -> bool:
        """Whether nothing is lost if a snapshot is taken now."""
        return self._recomputing.durable and self._unkept is None

    def ask(self, job: Job) -> None:
        """A recomputation."""
        self._recomputing.ask(job)

    def step(self, engine: Engine, budget_s: float) -> bool:
        """Work for about so long; whether there was anything to do. Raises EnvironmentFailure of the history."""
        return self._step_late(engine, budget_s) or self._recomputing.step(engine.clock, budget_s, engine.stacks)

    def state(self) -> dict[str, Any]:
        """For page and metrics: {"jobs", "share", "text"}."""
        jobs = self._recomputing.jobs
        count = len(jobs) + self._waiting + (self._span is not None)
        if self._span is not None:
            done, total = (0, 1) if self._late is None else self._late.progress
            return _told(self._span.start, self._span.end, done / max(1, total), self._trouble, count)
        if jobs:
            return _told(jobs[0].start, jobs[0].end, jobs[0].share, self._recomputing.trouble, count)
        return {"jobs": 0, "share": 1.0, "text": "ok"}

    def _step_late(self, engine: Engine, budget_s: float) -> bool:
        if self._clock() < self._not_before:
            return False
        if self._late is None:
            spans = engine.pending()
            self._span, self._waiting = (spans[0], len(spans) - 1) if spans else (None, 0)
            if self._span is None:
                return False
            self._late = Restater(engine, self._span, self._past)
        try:
            if self._unkept is None:
                self._unkept = self._late.step(budget_s)
        except EnvironmentFailure as failure:  # it goes on with the same one
            self._trouble, self._not_before = failure.cause, self._clock() + WAIT_S
            return False
        self._trouble = ""
        self._history.add(self._history.settle(self._unkept))
        self._unkept = None
        if self._late.done:
            self._late = self._span = None
        return True


def _told(start: int, end: int, share: float, trouble: str, count: int) -> dict[str, Any]:
    text = f"{_day(start)} .. {_day(end)}, {int(100 * share)} %"
    if trouble:
        text += f", waiting: {trouble}"
    if count > 1:
        text += f", {count - 1} more"
    return {"jobs": count, "share": round(share, 4), "text": text}


def _day(ms: int) -> str:
    return times.format(ms)[:10]
