"""The embedded store: SQLite with InfluxDB's meaning, for those who have no InfluxDB (yet).

A row is one field of one series at one time, so writing a point again overwrites field by field by
itself. A field keeps the type it first had, as InfluxDB would have it, so moving over later never
finds a conflict. One thread writes, one reads (WAL), the event loop never waits.
"""

from __future__ import annotations

import sqlite3
import time
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from devices.errors import DamagedData, EnvironmentFailure
from ingest import line_protocol as lp
from ingest.derived import damaged
from ingest.store.base import BadPoint, Series, Span, StoreDown
from ingest.worker import Worker

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, head BLOB, field TEXT, UNIQUE (head, field));
CREATE TABLE IF NOT EXISTS kind (measurement TEXT, field TEXT, type TEXT NOT NULL, PRIMARY KEY (measurement, field));
CREATE TABLE IF NOT EXISTS value (series INTEGER, ts INTEGER, v, PRIMARY KEY (series, ts)) WITHOUT ROWID;
"""
_PUT = "INSERT INTO value VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET v = excluded.v"
_TRIM_EVERY_S = 60.0
_TRIM_AT_LEAST = 10_000
"""Values that may go at once, however few came."""
_OLDEST = "SELECT ts FROM value WHERE series = ? AND ts < ? ORDER BY ts LIMIT ?"
_FORGET = f"DELETE FROM value WHERE series = ? AND ts IN ({_OLDEST})"  # noqa: S608 - our own words
_MEND = (
    "stop the service, then put a backup in its place, or move store.db away with its -wal and -shm: "
    "a new store begins with what comes from then on"
)


class EmbeddedStore:
    """A store in one SQLite file inside `folder`; `keep_ms` bounds it to that much time behind the newest point."""

    writes_at_once = 1  # SQLite has one writer

    def __init__(self, folder: Path, *, keep_ms: int | None = None) -> None:
        self.name = f"embedded in {folder}"
        self._keep_ms = keep_ms
        path = self._path = folder / "store.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = _open(path)
            self._db.executescript(_SCHEMA)
            self._reader = _open(path)
            self._heads: dict[bytes, str] = {}  # series -> its measurement
            self._learn()
        except (OSError, sqlite3.Error) as failure:
            if isinstance(failure, sqlite3.Error) and damaged(failure):
                raise DamagedData(f"the embedded store is damaged: {failure}", where=str(path), mend=_MEND) from failure
            raise EnvironmentFailure(
                f"the embedded store cannot be opened: {failure}",
                where=str(path),
                mend="free space on that disk, and check that this user may write there",
            ) from failure
        self._found: dict[tuple[str, str, tuple[tuple[str, str], ...]], tuple[int, list[int]]] = {}
        self._newest = 0
        self._came = 0  # values since the last trim
        self._next = 0  # the series it goes on with
        self._trimmed = time.monotonic()
        self._writing, self._reading = Worker("embedded store"), Worker("embedded store queries")

    async def write(self, lines: Sequence[bytes]) -> list[BadPoint]:
        """See `Store.write`."""
        return await self._writing.call(lambda: self._write(lines))

    async def look_up(self, spans: Sequence[Span]) -> list[dict[int, float | str]]:
        """See `Store.look_up`."""
        return await self._reading.call(lambda: [self._held(span) for span in spans])

    async def close(self) -> None:
        """See `Store.close`."""
        await self._writing.call(self._db.close)
        await self._reading.call(self._reader.close)
        self._writing.stop()
        self._reading.stop()

    def _write(self, lines: Sequence[bytes]) -> list[BadPoint]:
        rows: list[tuple[int, int, lp.Value]] = []
        bad: list[BadPoint] = []
        try:
            for number, line in enumerate(lines):
                bad += [BadPoint(number, field, reason) for field, reason in self._take(line, rows)]
            self._db.executemany(_PUT, rows)
            self._db.commit()
            self._newest = max(self._newest, max((ts for _, ts, _ in rows), default=0))
            self._came += len(rows)
            self._trim()
        except sqlite3.Error as failure:
            with suppress(sqlite3.Error):  # of a damaged file: the same words again
                self._db.rollback()
                self._learn()  # what this batch taught about series and kinds is not on disk either
            raise self._down(failure) from failure
        return bad

    def _take(self, line: bytes, rows: list[tuple[int, int, lp.Value]]) -> list[tuple[str, str]]:
        """Add one line's values to `rows`; its (field, reason) that cannot be taken."""
        refused: list[tuple[str, str]] = []
        try:
            head, fields, time_text = lp.split(line)
            ts = int(time_text)
            values = [lp.parse_field(field) for field in fields]
            measurement = self._heads.get(head) or self._heads.setdefault(head, lp.parse_head(head)[0])
        except ValueError as problem:
            return [("", f"unable to parse: {problem}")]
        for field, v in values:
            kind = self._kinds.get((measurement, field))
            if kind is None:
                kind = self._kinds[measurement, field] = type(v).__name__
                self._db.execute("INSERT INTO kind VALUES (?, ?, ?)", (measurement, field, kind))
            if type(v).__name__ != kind:
                refused.append(
                    (field, f"field type conflict: {field!r} is {type(v).__name__}, already exists as {kind}")
                )
                continue
            key = (head, field)
            if key not in self._ids:
                added = self._db.execute("INSERT INTO series (head, field) VALUES (?, ?)", key).lastrowid
                self._ids[key] = added or 0
            rows.append((self._ids[key], ts, v))
        return refused

    def _held(self, span: Span) -> dict[int, float | str]:
        # The table without row ids is one b-tree by (series, time): each of these is one range of it.
        sql = "SELECT ts, v FROM value WHERE series = ? AND ts >= ? AND ts <= ?"
        try:
            rows = [
                row
                for i in self._matching(span.series)
                for row in self._reader.execute(sql, (i, span.first, span.last))
            ]
        except sqlite3.Error as failure:
            raise self._down(failure) from failure
        return dict(sorted(rows))

    def _learn(self) -> None:
        self._ids = {(bytes(h), f): i for i, h, f in self._db.execute("SELECT id, head, field FROM series")}
        self._kinds = {(m, f): t for m, f, t in self._db.execute("SELECT measurement, field, type FROM kind")}

    def _down(self, failure: sqlite3.Error) -> StoreDown:
        if damaged(failure):
            return StoreDown(f"{self._path} is damaged: {failure}; {_MEND}", standing=True)
        return StoreDown(f"{self._path}: {failure}")

    def _matching(self, series: Series) -> list[int]:
        """Series of this field whose tags include the asked ones."""
        wanted = (series.measurement, series.field, tuple(sorted(series.tags.items())))
        known = self._found.get(wanted)
        total = len(self._ids)
        if known is None or known[0] != total:
            ids = []
            for head, i in list(self._reader.execute("SELECT head, id FROM series WHERE field = ?", (series.field,))):
                measurement, tags = lp.parse_head(bytes(head))
                if measurement == series.measurement and series.tags.items() <= tags.items():
                    ids.append(i)
            if len(self._found) > 10_000:
                self._found.clear()
            known = self._found[wanted] = (total, ids)
        return known[1]

    def _trim(self) -> None:
        if self._keep_ms is None or time.monotonic() - self._trimmed < _TRIM_EVERY_S:
            return
        self._trimmed = time.monotonic()
        # In bites, so that no write waits long for it; and of twice what came, so that a clock that was set years
        # ahead does not empty the store before somebody has seen it.
        left, self._came = max(_TRIM_AT_LEAST, 2 * self._came), 0
        ids = sorted(self._ids.values())
        begin = bisect_left(ids, self._next)
        for i in ids[begin:] + ids[:begin]:
            self._next = i
            gone = self._db.execute(_FORGET, (i, i, self._newest - self._keep_ms, left)).rowcount
            left -= gone
            if left <= 0:
                break
        self._db.commit()


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, check_same_thread=False, timeout=10.0)  # each is used by one worker only
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # the store cursor moves past what is in here
    return db
