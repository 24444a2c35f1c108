"""`Newest` on disk: times in blocks of bytes, so that 100,000 channels are saved in a moment.

A block is found by its number, which only the list of names explains: both move in one transaction. Channels that
the registry no longer has are kept by name, for they may come back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from ingest.newest import NEVER, Newest

SCHEMA = """
CREATE TABLE IF NOT EXISTS known (one INTEGER PRIMARY KEY CHECK (one = 1), names TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS covered (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS block (number INTEGER PRIMARY KEY, ts BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS gone (channel TEXT PRIMARY KEY, ts INTEGER NOT NULL) WITHOUT ROWID;
"""
BLOCK = 512
"""Channels of a block: one page of the file."""


class NewestTables:
    """What one database holds of the newest times of these channels."""

    def __init__(self, db: sqlite3.Connection, names: Sequence[str]) -> None:
        """Raises sqlite3.Error."""
        self._db, self._names = db, "\n".join(names)
        self.newest = Newest(len(names))
        kept = db.execute("SELECT names FROM known").fetchone()
        covered = db.execute("SELECT position FROM covered").fetchone()
        self.reached: int = covered[0] if covered else 0
        """Log position that this covers."""
        self._gone: dict[str, int] | None = None  # to be written with the other names
        blocks = b"".join(ts for (ts,) in db.execute("SELECT ts FROM block ORDER BY number"))
        ts = np.frombuffer(blocks, "<i8")
        if kept and kept[0] == self._names and len(ts) == len(names):
            self.newest.ts[:] = ts
            return
        before = kept[0].split("\n") if kept else []
        known = dict(db.execute("SELECT channel, ts FROM gone")) | dict(zip(before, ts.tolist(), strict=False))
        for channel, name in enumerate(names):
            self.newest.ts[channel] = known.pop(name, NEVER)
        self._gone = {name: ts for name, ts in known.items() if ts != NEVER}

    def save(self, position: int) -> None:
        """Everything before `position` is in the store; within the caller's transaction. Raises sqlite3.Error."""
        moved, ts = self.newest.moved(), self.newest.ts
        numbers = sorted({channel // BLOCK for channel in moved})
        if self._gone is not None:
            self._db.execute("DELETE FROM block")
            self._db.execute("DELETE FROM gone")
            self._db.executemany("INSERT INTO gone VALUES (?, ?)", self._gone.items())
            self._db.execute("INSERT OR REPLACE INTO known VALUES (1, ?)", (self._names,))
            numbers = list(range(-(-len(ts) // BLOCK)))
        blocks = [(n, ts[n * BLOCK : (n + 1) * BLOCK].astype("<i8").tobytes()) for n in numbers]
        self._db.executemany("INSERT OR REPLACE INTO block VALUES (?, ?)", blocks)
        self._db.execute("INSERT OR REPLACE INTO covered VALUES (1, ?)", (position,))

    def saved(self, position: int) -> None:
        """The transaction is through."""
        self._gone, self.reached = None, position
        self.newest.saved()
