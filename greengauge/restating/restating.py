"""`Restating`: all that is told anew beside live work: what late readings touched, then recomputations."""

from __future__ import annotations

from typing import Any

from devices import times
from devices.plant.model import Plant
from greengauge.history import History
from greengauge.history.jobs import Job
from greengauge.restating.recomputing import Recomputing
from scoring.engine import Engine
from scoring.restate import Past


class Restating:
    """Worked in slices on the engine's thread. Not thread-safe."""

    def __init__(self, plant: Plant, history: History, past: Past) -> None:
        self._recomputing = Recomputing(plant, history, past)

    @property
    def durable(self) -> bool:
        """Whether what is still to do survives a kill."""
        return self._recomputing.durable

    def ask(self, job: Job) -> None:
        """A recomputation."""
        self._recomputing.ask(job)

    def step(self, engine: Engine, budget_s: float) -> bool:
        """Work for about so long; whether there was anything to do. Raises EnvironmentFailure of the history."""
        return self._recomputing.step(engine.clock, budget_s)

    def state(self) -> dict[str, Any]:
        """For page and metrics: {"jobs", "share", "text"}."""
        jobs = self._recomputing.jobs
        if not jobs:
            return {"jobs": 0, "share": 1.0, "text": "ok"}
        job = jobs[0]
        text = f"restating {_day(job.start)} .. {_day(job.end)}, {int(100 * job.share)} %"
        if self._recomputing.trouble:
            text += f", waiting: {self._recomputing.trouble}"
        if len(jobs) > 1:
            text += f", {len(jobs) - 1} more"
        return {"jobs": len(jobs), "share": round(job.share, 4), "text": text}


def _day(ms: int) -> str:
    return times.format(ms)[:10]
