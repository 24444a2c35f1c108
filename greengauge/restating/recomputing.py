"""`Recomputing`: recomputations in the order they were asked for, worked off in slices, resumed where they were."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from greengauge.history import History
from greengauge.history.jobs import Job
from greengauge.restating.rescore import Rescore
from scoring.restate import Past
from scoring.results import Changes
from scoring.stacks import Stacks

WAIT_S = 5.0
"""Pause before a past that could not be read is asked again."""


class Recomputing:
    """The jobs of a history. Not thread-safe: one owner steps it."""

    def __init__(
        self, plant: Plant, history: History, past: Past, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` tells seconds, for pauses."""
        self._plant, self._history, self._past, self._clock = plant, history, past, clock
        self._asked: list[Job] = []  # not yet in the history
        self._jobs: list[Job] | None = None  # None: to be looked up
        self._work: Rescore | None = None
        self._not_before = 0.0
        self.trouble = ""
        """Why it waits, in words; empty while it does not."""

    @property
    def jobs(self) -> list[Job]:
        """Those not done, the one at work first."""
        return [*(self._jobs or []), *self._asked]

    @property
    def durable(self) -> bool:
        """Whether all that was asked for is in the history."""
        return not self._asked

    def ask(self, job: Job) -> None:
        """Another one; what was asked already stays as it is."""
        self._asked.append(job)

    def step(self, now: int, budget_s: float, known: Stacks | None = None) -> bool:
        """Work for about so long, its revisions known at `now` (ms); whether there was anything to do. `known`: the
        stacks' days as they stand.

        Raises EnvironmentFailure where the history cannot be written.
        """
        while self._asked:
            self._history.open_job(self._asked[0])
            del self._asked[0]
            self._jobs = None
        if self._jobs is None:
            self._jobs = self._history.jobs()
        if not self._jobs or self._clock() < self._not_before:
            return False
        if self._work is None:
            self._work = self._begin(self._jobs[0], now, known)
        try:
            changes = self._work.step(budget_s, now)
        except EnvironmentFailure as failure:
            self.trouble, self._work = failure.cause, None
            self._not_before = self._clock() + WAIT_S
            return False
        self.trouble = ""
        try:
            self._keep(self._jobs[0], self._work, self._history.settle(changes, told_only=True))
        except EnvironmentFailure:
            self._work = None  # what it told is not kept: from where the job stands
            raise
        return True

    def _keep(self, job: Job, work: Rescore, told: Changes) -> None:
        share = min(1.0, max(job.share, work.share))
        come = replace(job, registry=self._plant.version, reached=work.reached, share=share)
        self._history.add_of_job(told, come)
        if work.done:
            self._history.finish_job(job.key)
            self._work = self._jobs = None
        elif self._jobs:
            self._jobs[0] = come

    def _begin(self, job: Job, newest: int, known: Stacks | None) -> Rescore:
        return Rescore(
            self._plant,
            self._past,
            job.start,
            job.end,
            newest=newest,
            reason=job.reason,
            reached=job.reached if job.registry == self._plant.version else None,
            known=known,
        )
