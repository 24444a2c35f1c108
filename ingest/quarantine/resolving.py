"""What a retry let in leaves the quarantine; what of it goes on waiting stays."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from ingest.quarantine import tables


class Retried(NamedTuple):
    """A reject that was let in."""

    position: int
    item: int
    reason: str
    left: tuple[str, ...] = ()  # names of it that go on waiting


def resolve(db: sqlite3.Connection, retried: Sequence[Retried], at: int, other: str) -> None:
    """See `Quarantine.resolve`. One transaction. `other`: the topic under which too many are counted."""
    with db:
        for one in retried:
            key = one.position, one.item, one.reason
            marked = db.execute("INSERT OR IGNORE INTO retried VALUES (?, ?, ?, ?)", (*key, at)).rowcount
            chosen = "SELECT id, topic, outcome, lost, names, length(payload) FROM reject"
            row = db.execute(f"{chosen} WHERE position = ? AND item = ? AND reason = ?", key).fetchone()
            if row is None or not marked:
                continue
            number, topic, outcome, lost, names, size = row
            left = len(one.left)
            db.execute(tables.LESS, (0 if left else 1, lost - left, one.reason, topic, other, outcome))
            for name in set(json.loads(names)) - set(one.left):
                db.execute("UPDATE pending SET messages = messages - 1 WHERE name = ?", (name,))
            if left:
                db.execute("UPDATE reject SET lost = ?, names = ? WHERE id = ?", (left, json.dumps(one.left), number))
            else:
                db.execute("DELETE FROM reject WHERE id = ?", (number,))
                db.execute("UPDATE total SET rows = rows - 1, bytes = bytes - ?", (size or 0,))
        db.execute("DELETE FROM pending WHERE messages <= 0")
        db.execute("DELETE FROM tally WHERE messages <= 0")


def forget(db: sqlite3.Connection, before: int) -> None:
    """See `Quarantine.forget_retried`."""
    with db:
        db.execute("DELETE FROM retried WHERE at < ?", (before,))
