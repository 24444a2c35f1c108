"""`Restating`: what is to be told anew, worked off in slices on the engine's thread, after live work.

Late readings first (the engine knows which spans they touched), then recomputations in the order they were asked
for. Whatever needs a store that is down waits, says so, and is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from devices import times
from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from greengauge.history import History
from greengauge.history.jobs import Job
from greengauge.restating.rescore import Rescore
from scoring.engine import Engine
from scoring.restate import Past

WAIT_S = 5.0
"""Pause before a past that could not be read is asked again."""


class Restating:
    """The one at work and those waiting. Not thread-safe: the engine's owner steps it."""

    def __init__(self, plant: Plant, history: History, past: Past, *, clock: Callable[[], float] = time.monotonic):
        self._plant, self._history, self._past, self._clock = plant, history, past, clock
        self._jobs: list[Job] | None = None  # None: to be looked up
        self._work: Rescore | None = None
        self._trouble, self._not_before = "", 0.0

    def ask(self, job: Job) -> None:
        """Another recomputation; asked already, it stays as it is. Raises EnvironmentFailure."""
        self._history.open_job(job)
        self._jobs = None

    def step(self, engine: Engine, budget_s: float) -> bool:
        """Work for about so long; whether there was anything to do. Raises EnvironmentFailure of the history."""
        if self._jobs is None:
            self._jobs = self._history.jobs()
        if not self._jobs or self._clock() < self._not_before:
            return False
        job = self._jobs[0]
        if self._work is None:
            self._work = self._begin(job, engine.clock)
        try:
            changes = self._work.step(budget_s, engine.clock)
        except EnvironmentFailure as failure:
            self._trouble, self._work = failure.cause, None
            self._not_before = self._clock() + WAIT_S
            return False
        self._trouble = ""
        told = self._history.settle(changes, told_only=True)
        share = min(1.0, max(job.share, self._work.share))
        job = replace(job, registry=self._plant.version, reached=self._work.reached, share=share)
        self._history.add_of_job(told, job)
        self._jobs[0] = job
        if self._work.done:
            self._history.finish_job(job.key)
            self._work, self._jobs = None, None
        return True

    def state(self) -> dict[str, Any]:
        """For page and metrics: {"jobs", "share", "text"}."""
        jobs = self._jobs or []
        if not jobs:
            return {"jobs": 0, "share": 1.0, "text": "ok"}
        job = jobs[0]
        text = f"restating {_day(job.start)} .. {_day(job.end)}, {int(100 * job.share)} %"
        if self._trouble:
            text += f", waiting: {self._trouble}"
        if len(jobs) > 1:
            text += f", {len(jobs) - 1} more"
        return {"jobs": len(jobs), "share": round(job.share, 4), "text": text}

    def _begin(self, job: Job, newest: int) -> Rescore:
        reached = job.reached if job.registry == self._plant.version else None
        return Rescore(self._plant, self._past, job.start, job.end, newest=newest, reason=job.reason, reached=reached)


def _day(ms: int) -> str:
    return times.format(ms)[:10]
