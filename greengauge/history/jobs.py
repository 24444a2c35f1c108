"""Restatings that are asked for: durable, numbered by who asked, each with how far it has come.

What a slice of one made known and how far it came are kept in one transaction, so after a kill it goes on there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from greengauge.history.file import HistoryFile

KEPT_DONE = 1_000
"""Finished ones that are remembered, so that the log's telling them again does nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    """Scores of (start, end] in event time, and what their windows still reach, are to be told anew."""

    key: str  # who asked: the same asked twice is one job
    start: int
    end: int
    reason: str
    asked: int  # when it was asked for, ms: its revisions are known from then on
    registry: int  # Plant.version in force then
    lines: tuple[str, ...] | None = None  # ids; None: all
    stacks: tuple[str, ...] | None = None
    reached: int | None = None  # told up to here; None: not begun
    share: float = 0.0
    state: str = "waiting"  # waiting | done


_COLUMNS = "key, start, stop, reason, asked, registry, lines, stacks, reached, share, state"


class Jobs(HistoryFile):
    """The restatings of a history."""

    def open_job(self, job: Job) -> bool:
        """Remember it; False where it is known already, done or not."""

        def put() -> bool:
            places = [None if ids is None else json.dumps(ids) for ids in (job.lines, job.stacks)]
            values = (job.key, job.start, job.end, job.reason, job.asked, job.registry, *places)
            return self._db.execute(
                "INSERT OR IGNORE INTO job (key, start, stop, reason, asked, registry, lines, stacks) "
                "VALUES (?,?,?,?,?,?,?,?)",
                values,
            ).rowcount > 0

        return self._write(put)

    def jobs(self) -> list[Job]:
        """Those not done, oldest first."""
        return [_job(row) for row in self._all(f"SELECT {_COLUMNS} FROM job WHERE state <> 'done' ORDER BY id", ())]  # noqa: S608 - our own names

    def job(self, key: str) -> Job | None:
        """One of them; None where nobody asked so."""
        rows = self._all(f"SELECT {_COLUMNS} FROM job WHERE key = ?", (key,))  # noqa: S608 - our own names
        return _job(rows[0]) if rows else None

    def finish_job(self, key: str) -> None:
        """It is done."""

        def finish() -> None:
            self._db.execute("UPDATE job SET state = 'done', share = 1 WHERE key = ?", (key,))
            self._db.execute(
                "DELETE FROM job WHERE state = 'done' AND id <= (SELECT max(id) FROM job) - ?", (KEPT_DONE,)
            )

        self._write(finish)

    def _come(self, key: str, reached: int | None, share: float) -> None:
        """Within a transaction: it has come this far."""
        self._db.execute("UPDATE job SET reached = ?, share = ? WHERE key = ?", (reached, share, key))


def _job(row: tuple[object, ...]) -> Job:
    key, start, end, reason, asked, registry, lines, stacks, reached, share, state = row
    places = [None if ids is None else tuple(json.loads(str(ids))) for ids in (lines, stacks)]
    return Job(key, start, end, reason, asked, registry, places[0], places[1], reached, share, state)  # type: ignore[arg-type] # as they were put
