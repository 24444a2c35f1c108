"""`Retained`: which retained topics this data folder may have left at the broker, so that what is gone is cleared.

A retained score of a line that the registry no longer has would stand at the broker for ever and look true. What may
be published follows from the registry, so the set is kept once per registry, before anything is published; asking the
broker (`greengauge/#`) was rejected: another service's topics would look like ours. The service's own alarms that stand
on no place of the plant (`service`) never go.
"""

from __future__ import annotations

import json
from pathlib import Path

import structlog

from devices.plant.model import Plant
from greengauge.operations import SILENT, silent_places
from ingest.whole_file import write_whole

log = structlog.get_logger()


def score_topic(scope: str) -> str:
    """Where a scope's scores or a stack's emissions go."""
    return f"greengauge/score/{scope}"


def alarm_topic(scope: str, id_: str) -> str:
    """Where an alarm goes."""
    return f"greengauge/alarm/{scope}/{id_}"


class Retained:
    """Topics of this plant, and those that an earlier registry of the same data folder had and this one has not."""

    def __init__(self, path: Path, plant: Plant) -> None:
        self._path = path
        scopes = [*(scope.id for scope in plant.scopes), *(f"stack:{stack.id}" for stack in plant.stacks)]
        alarms = {(rule.scope, rule.id) for rule in plant.alarms} | {(s, SILENT) for s in silent_places(plant)}
        self._present = {score_topic(scope) for scope in scopes} | {alarm_topic(*key) for key in alarms}
        before = self._before()
        self.gone = sorted(before - self._present)
        if before != self._present:
            self._keep(before | self._present)

    def cleared(self) -> None:
        """Nothing of `gone` stands at the broker any more."""
        self.gone = []
        self._keep(self._present)

    def _before(self) -> set[str]:
        try:
            return set(json.loads(self._path.read_bytes())) if self._path.exists() else set()
        except (OSError, ValueError, TypeError) as failure:
            log.warning("outputs.retained_unknown", cause=str(failure), where=str(self._path))
            return set()

    def _keep(self, topics: set[str]) -> None:
        try:
            write_whole(self._path, json.dumps(sorted(topics)).encode())
        except OSError as failure:  # then what goes later is not cleared: said, and no reason to stop
            log.warning("outputs.retained_not_kept", cause=failure.strerror, where=str(self._path))
