"""`HistoryFile`: the SQLite file of the history. One connection behind one lock: worker threads share it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from devices.errors import DamagedData, EnvironmentFailure, GreengaugeError
from greengauge.history.rows import Key
from ingest.derived import damaged, put_aside

T = TypeVar("T")

BUSY_S = 0.2
"""How long another program's lock (a backup's) is waited for: gauges wait as long. Then it is tried again later."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL,
    c TEXT NOT NULL, fixed TEXT NOT NULL, UNIQUE (kind, a, b, c));
CREATE TABLE IF NOT EXISTS constant (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS step (row INTEGER PRIMARY KEY, series INTEGER NOT NULL, ts INTEGER NOT NULL,
    revision INTEGER NOT NULL, lifecycle TEXT NOT NULL, known_at INTEGER NOT NULL, value REAL, body TEXT NOT NULL,
    constant INTEGER NOT NULL DEFAULT 0, UNIQUE (series, ts, revision, lifecycle));
CREATE TABLE IF NOT EXISTS alarm (row INTEGER PRIMARY KEY, ts INTEGER NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL,
    event TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (scope, id, ts, event));
CREATE TABLE IF NOT EXISTS delivered (what TEXT PRIMARY KEY, row INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, start INTEGER NOT NULL,
    stop INTEGER NOT NULL, reason TEXT NOT NULL, registry INTEGER NOT NULL, reached INTEGER,
    share REAL NOT NULL DEFAULT 0, revised INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0);
"""
_SYNCED = "INSERT INTO delivered VALUES ('synced', 1) ON CONFLICT (what) DO UPDATE SET row = row + 1"
# `series.fixed` is the constant part of the first format's rows, which have constant 0: theirs was one a series.

ROW = "ts, revision, lifecycle, known_at, value, body"
"""The columns of a row, as `rows.thaw` takes them."""
CONSTANT = "coalesce((SELECT text FROM constant WHERE constant.id = step.constant), series.fixed)"


class HistoryFile:
    """Everything raises EnvironmentFailure where the disk refuses, DamagedData where the file is no history any more.

    A damaged file is put aside, and a new one takes its place: the log tells it again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self.renewed = not path.exists() or path.stat().st_size == 0
        """The file is new, for the first time or because it was damaged."""
        self._db: sqlite3.Connection
        self._series: dict[Key, int] = {}
        self._try(self._start)

    def sync(self) -> None:
        """Everything added so far survives a power cut once this returns (called before a snapshot is saved).

        A commit with synchronous=FULL syncs the whole WAL file, and with it what was committed before. A checkpoint
        would not do: while anyone reads it may sync nothing, and it says so only in its answer.
        """

        def commit() -> None:
            self._db.execute("PRAGMA synchronous = FULL")
            try:
                with self._db:
                    self._db.execute(_SYNCED)
            finally:
                self._db.execute("PRAGMA synchronous = NORMAL")

        self._try(commit)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _start(self) -> None:
        self._db = sqlite3.connect(self._path, check_same_thread=False, timeout=BUSY_S)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        if "constant" not in {row[1] for row in self._db.execute("PRAGMA table_info(step)")}:  # of the first format
            self._db.execute("ALTER TABLE step ADD COLUMN constant INTEGER NOT NULL DEFAULT 0")
        self._learn()

    def _learn(self) -> None:
        """What of the file is kept in memory: the series."""
        rows = self._db.execute("SELECT id, kind, a, b, c FROM series")
        self._series = {(kind, a, b, c): number for number, kind, a, b, c in rows}

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

    def _write(self, work: Callable[[], T]) -> T:
        """The work as one transaction: all of it or nothing."""

        def whole() -> T:
            try:
                with self._db:
                    return work()
            except BaseException:
                self._learn()  # series made by what was rolled back are gone
                raise

        return self._try(whole)

    def _all(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        return self._try(lambda: self._db.execute(query, values).fetchall())


def _failure(path: Path, error: sqlite3.Error) -> GreengaugeError:
    if isinstance(error, sqlite3.OperationalError):
        return EnvironmentFailure(f"the history can't be used: {error}", where=str(path), mend="see the disk's space")
    return DamagedData(
        f"the history is damaged: {error}", where=str(path), mend="move the file away to go on with an empty one"
    )
