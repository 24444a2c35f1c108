"""Recomputations that are asked for: durable, each with how far it has come.

What a slice of one made known and how far it came are kept in one transaction, so after a kill it goes on there.
(Restatings of late readings need no such book: the engine's snapshot holds what is still to do.)
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.errors import EnvironmentFailure
from greengauge.history.file import HistoryFile

KEPT_DONE = 1_000
"""Finished ones that are remembered, so that the log's telling them again does nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    """Final scores of (start, end] in event time, and of what their windows still reach, are to be told anew."""

    key: str  # who asked: the same asked twice is one job
    start: int
    end: int
    reason: str
    registry: int  # Plant.version by which it came as far as it has
    reached: int | None = None  # told up to here; None: not begun
    share: float = 0.0
    revised: int = 0  # new revisions so far
    done: bool = False


_ALL = "SELECT key, start, stop, reason, registry, reached, share, revised, done FROM job ORDER BY id"


def look(path: Path) -> list[Job]:
    """All jobs of a history that another process writes; none where there is none yet. Raises EnvironmentFailure."""
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
            return [_job(row) for row in db.execute(_ALL)]
    except sqlite3.Error as failure:
        if "no such table" in str(failure):
            return []
        raise EnvironmentFailure(
            f"the history can't be read: {failure}", where=str(path), mend="see the disk and this user's rights"
        ) from failure


class Jobs(HistoryFile):
    """The recomputations of a history."""

    def open_job(self, job: Job) -> bool:
        """Remember it; False where it is known already, done or not."""

        def put() -> bool:
            values = (job.key, job.start, job.end, job.reason, job.registry)
            insert = "INSERT OR IGNORE INTO job (key, start, stop, reason, registry) VALUES (?,?,?,?,?)"
            return self._db.execute(insert, values).rowcount > 0

        return self._write(put)

    def jobs(self) -> list[Job]:
        """Those not done, oldest first."""
        return [job for job in self.all_jobs() if not job.done]

    def all_jobs(self) -> list[Job]:
        """Those remembered, done or not, oldest first."""
        return [_job(row) for row in self._all(_ALL, ())]

    def finish_job(self, key: str) -> None:
        """It is done."""

        def finish() -> None:
            self._db.execute("UPDATE job SET done = 1, share = 1 WHERE key = ?", (key,))
            self._db.execute("DELETE FROM job WHERE done AND id <= (SELECT max(id) FROM job) - ?", (KEPT_DONE,))

        self._write(finish)

    def _come(self, job: Job, revised: int) -> None:
        """Within a transaction: it has come as far as `job` says, with so many revisions more."""
        self._db.execute(
            "UPDATE job SET registry = ?, reached = ?, share = ?, revised = revised + ? WHERE key = ?",
            (job.registry, job.reached, job.share, revised, job.key),
        )


def _job(row: tuple[Any, ...]) -> Job:
    return Job(*(*row[:-1], bool(row[-1])))
