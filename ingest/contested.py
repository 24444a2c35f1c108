"""`Contested`: the keys of which several values came, or one with a `rev`, and which of them won; in SQLite.

Where none of them can be is known by channel, from the least and the greatest time remembered: nearly every late
reading is so told apart without asking the file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from devices.errors import EnvironmentFailure
from ingest.late import Keys
from ingest.newest import NEVER

KEPT = 1_000_000
"""Remembered keys, at about 100 bytes each; beyond it those remembered first are forgotten."""
SEEN = 32
"""Different values of one key remembered; a meter that sends more of them has other troubles."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS winner (channel TEXT, ts INTEGER, rev INTEGER, text BLOB, letter INTEGER, seen TEXT,
    UNIQUE (channel, ts));
"""
_RECALL = """
SELECT json_extract(asked.value, '$[0]'), rev, text, letter, seen FROM json_each(?) AS asked
    JOIN winner ON channel = json_extract(asked.value, '$[1]') AND ts = json_extract(asked.value, '$[2]')
"""
_AT_ONCE = 10_000

Key = tuple[int, int]
"""channel, ts"""


@dataclass(slots=True)
class Winner:
    """The winning reading of a key so far, and every (rev, value) seen for it, oldest first."""

    rev: int
    text: bytes
    letter: int
    seen: list[tuple[int, float]]
    tracked: bool = False  # remembered: sent again whenever its key turns up
    changed: bool = False


class Contested:
    """The winners of one database, for channels of these names. Raises sqlite3.Error."""

    def __init__(self, db: sqlite3.Connection, names: Sequence[str]) -> None:
        self._db, self._names = db, names
        self._count: int = db.execute("SELECT count(*) FROM winner").fetchone()[0]
        self._first = np.full(len(names), np.iinfo(np.int64).max)  # no key of a channel is remembered before this
        self._last = np.full(len(names), NEVER, np.int64)  # ... or behind this
        if self._count:
            rows = {name: channel for channel, name in enumerate(names)}
            for name, first, last in db.execute("SELECT channel, min(ts), max(ts) FROM winner GROUP BY channel"):
                if name in rows:
                    self._first[rows[name]], self._last[rows[name]] = first, last

    def of(self, keys: Keys) -> dict[int, Winner]:
        """Those of the late keys that are remembered, by their number."""
        possible = keys.late & (keys.ts >= self._first[keys.channel]) & (keys.ts <= self._last[keys.channel])
        found: dict[int, Winner] = {}
        numbers = np.flatnonzero(possible).tolist()
        for at in range(0, len(numbers), _AT_ONCE):
            asked = [(k, self._names[keys.channel[k]], int(keys.ts[k])) for k in numbers[at : at + _AT_ONCE]]
            for k, rev, text, letter, seen in self._db.execute(_RECALL, (json.dumps(asked),)):
                found[k] = Winner(rev, bytes(text), letter, [(r, v) for r, v in json.loads(seen)], tracked=True)
        return found

    def keep(self, tracked: Mapping[Key, Winner]) -> None:
        """Remember these, within the caller's transaction."""
        rows = [
            (self._names[channel], ts, w.rev, w.text, w.letter, json.dumps(w.seen[-SEEN:]))
            for (channel, ts), w in tracked.items()
        ]
        channel, ts = (np.array(column, np.int64) for column in zip(*tracked, strict=True))
        np.minimum.at(self._first, channel, ts)  # also if the transaction fails: nothing is missed by it
        np.maximum.at(self._last, channel, ts)
        before = self._db.total_changes
        self._db.executemany("INSERT OR REPLACE INTO winner VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._count += self._db.total_changes - before
        if self._count > KEPT:
            self._count = self._db.execute("SELECT count(*) FROM winner").fetchone()[0]
            surplus = self._count - KEPT * 9 // 10
            if surplus > 0:
                oldest = "SELECT rowid FROM winner ORDER BY rowid LIMIT ?"
                self._db.execute(f"DELETE FROM winner WHERE rowid IN ({oldest})", (surplus,))  # noqa: S608 - constant
                self._count -= surplus


class ContestedBeside:
    """The same read beside the writer, by whoever verifies; a file that is not there yet holds none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=10) if path.exists() else None

    def of(self, name: str, ts: int) -> list[tuple[int, float]]:
        """Every (rev, value) seen of "meter.channel" at that time. Raises EnvironmentFailure."""
        if self._db is None:
            return []
        sql = "SELECT seen FROM winner WHERE channel = ? AND ts = ?"
        try:
            with closing(self._db.execute(sql, (name, ts))) as found:
                row = found.fetchone()
        except sqlite3.Error as failure:
            raise EnvironmentFailure(
                f"the writer's memory cannot be read: {failure}", where=str(self._path), mend="see the disk"
            ) from failure
        return [] if row is None else [(int(rev), float(value)) for rev, value in json.loads(row[0])]

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
