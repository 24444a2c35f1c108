"""`History`: every closed step and block with all its revisions, and every alarm event, in one SQLite file.

It is derived state: replaying the log writes the same rows again (`INSERT OR IGNORE` by key), so a
crash between a commit here and the scores' cursor costs nothing. `row` numbers rise with insertion:
whoever delivers outputs elsewhere (InfluxDB) keeps the last row it delivered in `delivered`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from pydantic_core import to_json

from devices.errors import DamagedData, EnvironmentFailure, GreengaugeError
from ingest.derived import damaged, put_aside
from scoring.results import Changes, Emission, Score

T = TypeVar("T")

QUARTER_MS = 900_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL,
    c TEXT NOT NULL, fixed TEXT NOT NULL, UNIQUE (kind, a, b, c));
CREATE TABLE IF NOT EXISTS step (row INTEGER PRIMARY KEY, series INTEGER NOT NULL, ts INTEGER NOT NULL,
    revision INTEGER NOT NULL, lifecycle TEXT NOT NULL, known_at INTEGER NOT NULL, value REAL, body TEXT NOT NULL,
    UNIQUE (series, ts, revision, lifecycle));
CREATE TABLE IF NOT EXISTS alarm (row INTEGER PRIMARY KEY, ts INTEGER NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL,
    event TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (scope, id, ts, event));
CREATE TABLE IF NOT EXISTS delivered (what TEXT PRIMARY KEY, row INTEGER NOT NULL);
"""

# Constant for one series: stored once beside its name, not in each of its rows.
_SCORE_FIXED = ("level", "unit", "output_unit")
_SCORE_ROW = (
    "numerator",
    "denominator",
    "output",
    "basis",
    "completeness",
    "quality",
    "operation",
    "reason",
    "stale",
    "last",
    "low",
    "high",
    "uncertainty_missing",
)
_EMISSION_FIXED = ("raw_unit", "unit")
_EMISSION_ROW = (
    "raw", "limit", "headroom", "allowed_mean", "unavoidable_at", "valid", "valid_minutes", "elapsed_minutes",
    "block_minutes", "completeness", "quality", "operation", "reason", "stale", "last", "low", "high", "breach",
    "extra",
)  # fmt: skip
_SCORE_BODY, _EMISSION_BODY = attrgetter(*_SCORE_ROW), attrgetter(*_EMISSION_ROW)


class History:
    """The embedded history. One connection behind one lock: worker threads of the service share it.

    Everything raises EnvironmentFailure where the disk refuses, DamagedData where the file is no history any more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self.renewed = not path.exists() or path.stat().st_size == 0
        """The file is new, for the first time or because it was damaged."""
        self._try(self._start)

    def add(self, changes: Changes) -> None:
        """Keep what became known, all or nothing; what is already kept stays as it is."""
        self._try(lambda: self._add(changes))

    def _add(self, changes: Changes) -> None:
        try:
            self._insert(changes)
        except BaseException:
            self._series = self._known_series()  # those made by what was rolled back are gone
            raise

    def _insert(self, changes: Changes) -> None:
        with self._db:
            self._db.executemany(
                "INSERT OR IGNORE INTO step (series, ts, revision, lifecycle, known_at, value, body) "
                "VALUES (?,?,?,?,?,?,?)",
                [
                    *(
                        self._row("degree", s, (s.scope, s.degree, s.window), _SCORE_FIXED, _SCORE_BODY)
                        for s in changes.scores
                    ),
                    *(
                        self._row("emission", e, (e.scope, e.pollutant, e.average), _EMISSION_FIXED, _EMISSION_BODY)
                        for e in changes.emissions
                    ),
                ],
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO alarm (ts, scope, id, event, body) VALUES (?,?,?,?,?)",
                [(e.ts, e.alarm.scope, e.alarm.id, e.event, json.dumps(e.alarm.to_json())) for e in changes.alarms],
            )

    def scores(
        self, scope: str | None, degree: str | None, window: str | None, at: int | None, known_at: int | None
    ) -> list[Score]:
        """The newest known score of each matching series at or before `at`, as known at `known_at`."""
        return [
            Score(scope=a, degree=b, window=c, **row, detail={})  # type: ignore[arg-type] # b was a degree when stored
            for a, b, c, row in self._newest("degree", (scope, degree, window), at, known_at)
        ]

    def emissions(
        self,
        scope: str | None,
        pollutant: str | None,
        average: str | None,
        at: int | None,
        known_at: int | None,
    ) -> list[Emission]:
        """The newest known emission of each matching series at or before `at`, as known at `known_at`."""
        return [
            Emission(scope=a, pollutant=b, average=c, **row)
            for a, b, c, row in self._newest("emission", (scope, pollutant, average), at, known_at)
        ]

    def trend(
        self, kind: str, name: tuple[str, str, str], start: int, end: int, points: int
    ) -> list[tuple[int, float | None]]:
        """At most `points` values of one series with start < ts <= end: the last of each step, newest revision."""
        series = self._series.get((kind, *name))
        step = max(1, -((start - end) // max(1, points)))  # rounded up: never a point too many
        rows = self._all(
            # the bare `value` is that of the row with the maximum; rows stay far below 2**40
            "SELECT ts, value, MAX(revision * 1099511627776 + row) FROM step WHERE series = ? AND ts IN "
            "(SELECT MAX(ts) FROM step WHERE series = ? AND ts > ? AND ts <= ? GROUP BY (ts - ? - 1) / ?) "
            "GROUP BY ts ORDER BY ts",
            (series, series, start, end, start, step),
        )
        return [(ts, value) for ts, value, _ in rows]

    def alarm_events(self, limit: int) -> list[dict[str, Any]]:
        """The newest alarm events, newest first."""
        rows = self._all("SELECT ts, event, body FROM alarm ORDER BY row DESC LIMIT ?", (limit,))
        return [{"ts": ts, "event": event} | json.loads(body) for ts, event, body in rows]

    # --- delivery to the store ------------------------------------------------------------------

    def undelivered(self, limit: int) -> tuple[list[Score | Emission], int]:
        """The oldest closed steps and blocks not yet delivered, and the row to mark once they are."""
        after = self._delivered("step")
        rows = self._all(
            "SELECT row, kind, a, b, c, fixed, ts, revision, lifecycle, known_at, value, body "
            "FROM step JOIN series ON id = series WHERE row > ? ORDER BY row LIMIT ?",
            (after, limit),
        )
        things: list[Score | Emission] = []
        for _, kind, a, b, c, *rest in rows:
            fields = _thaw(rest)
            if kind == "degree":
                things.append(Score(scope=a, degree=b, window=c, **fields, detail={}))
            else:
                things.append(Emission(scope=a, pollutant=b, average=c, **fields))
        return things, rows[-1][0] if rows else after

    def undelivered_alarms(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """The oldest alarm events not yet delivered, and the row to mark once they are."""
        after = self._delivered("alarm")
        rows = self._all("SELECT row, ts, event, body FROM alarm WHERE row > ? ORDER BY row LIMIT ?", (after, limit))
        return [{"ts": ts, "event": event} | json.loads(body) for _, ts, event, body in rows], rows[-1][
            0
        ] if rows else after

    def pending(self) -> int:
        """How many steps and blocks are not delivered yet."""
        (newest,) = self._all("SELECT MAX(row) FROM step", ())[0]
        return max(0, (newest or 0) - self._delivered("step"))

    def mark_delivered(self, what: str, row: int) -> None:
        """Everything up to `row` of "step" or "alarm" is in the store."""

        def mark() -> None:
            with self._db:
                self._db.execute("INSERT OR REPLACE INTO delivered (what, row) VALUES (?, ?)", (what, row))

        self._try(mark)

    def thin(self, before: int, *, delivered: bool, most: int = 20_000) -> bool:
        """Keep quarter hours only of the next `most` rows with ts < `before`; whether there may be more to look at.

        Hour and day blocks start on quarter hours in every time zone, so none of them goes. With `delivered`,
        what the store has not got yet stays.
        """

        def thin() -> bool:
            done = self._delivered("thinned")
            last = self._delivered("step") if delivered else 2**62
            rows = self._db.execute(
                "SELECT row, ts FROM step WHERE row > ? AND row <= ? ORDER BY row LIMIT ?", (done, last, most)
            ).fetchall()
            old = list(takewhile(lambda found: found[1] < before, rows))
            if not old:
                return False
            with self._db:
                self._db.executemany("DELETE FROM step WHERE row = ?", [(row,) for row, ts in old if ts % QUARTER_MS])
                self._db.execute("INSERT OR REPLACE INTO delivered (what, row) VALUES ('thinned', ?)", (old[-1][0],))
            return len(old) == most

        return self._try(thin)

    def sync(self) -> None:
        """Everything added so far survives a power cut once this returns (called before a snapshot is saved)."""
        self._try(lambda: self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    # --- inside -------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._db = sqlite3.connect(self._path, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        self._series = self._known_series()

    def _try(self, work: Callable[[], T]) -> T:
        """Work on the file; a damaged one is put aside, and the work done on a new one."""
        with self._lock:
            try:
                try:
                    return work()
                except sqlite3.Error as error:
                    if not damaged(error):
                        raise
                    self._db.close()
                    put_aside(self._path, "the history", error)
                    self.renewed = True
                    self._start()
                    return work()
            except sqlite3.Error as error:
                raise _failure(self._path, error) from error

    def _known_series(self) -> dict[tuple[str, str, str, str], int]:
        rows = self._db.execute("SELECT id, kind, a, b, c FROM series")
        return {(kind, a, b, c): number for number, kind, a, b, c in rows}

    def _delivered(self, what: str) -> int:
        rows = self._all("SELECT row FROM delivered WHERE what = ?", (what,))
        return int(rows[0][0]) if rows else 0

    def _all(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        return self._try(lambda: self._db.execute(query, values).fetchall())

    def _row(
        self,
        kind: str,
        thing: Score | Emission,
        name: tuple[str, str, str],
        fixed: Sequence[str],
        body: Callable[[Any], tuple[Any, ...]],
    ) -> tuple[Any, ...]:
        series = self._series.get((kind, *name))
        if series is None:
            constant = json.dumps({key: getattr(thing, key) for key in fixed})
            series = self._db.execute(
                "INSERT INTO series (kind, a, b, c, fixed) VALUES (?,?,?,?,?) RETURNING id",
                (kind, *name, constant),
            ).fetchone()[0]
            self._series[kind, *name] = series
        packed = to_json(body(thing)).decode()  # a seventh of json.dumps' time, and a day has 340,000 rows
        return series, thing.ts, thing.revision, thing.lifecycle, thing.known_at, thing.value, packed

    def _newest(
        self, kind: str, name: tuple[str | None, str | None, str | None], at: int | None, known_at: int | None
    ) -> Iterable[tuple[str, str, str, dict[str, Any]]]:
        end = at if at is not None else 2**62
        known = known_at if known_at is not None else 2**62
        with self._lock:
            known_series = sorted(self._series.items())
        for (of, *parts), series in known_series:
            if of != kind or any(
                wanted is not None and wanted != part for wanted, part in zip(name, parts, strict=True)
            ):
                continue
            for row in self._all(
                "SELECT fixed, ts, revision, lifecycle, known_at, value, body FROM step JOIN series ON id = series "
                "WHERE series = ? AND ts <= ? AND known_at <= ? ORDER BY ts DESC, revision DESC, row DESC LIMIT 1",
                (series, end, known),
            ):
                yield parts[0], parts[1], parts[2], _thaw(row)


def _failure(path: Path, error: sqlite3.Error) -> GreengaugeError:
    if isinstance(error, sqlite3.OperationalError):
        return EnvironmentFailure(f"the history can't be used: {error}", where=str(path), mend="see the disk's space")
    return DamagedData(
        f"the history is damaged: {error}", where=str(path), mend="move the file away to go on with an empty one"
    )


def _thaw(row: Sequence[Any]) -> dict[str, Any]:
    fixed, ts, revision, lifecycle, known_at, value, body = row
    constant = json.loads(fixed)
    names = _SCORE_ROW if "level" in constant else _EMISSION_ROW
    return {
        **constant,
        **dict(zip(names, json.loads(body), strict=False)),  # rows of an older version end earlier
        "ts": ts,
        "revision": revision,
        "lifecycle": lifecycle,
        "known_at": known_at,
        "value": value,
    }
