"""Where each meter's `seq` stands, kept with the quarantine: both read the log from the same cursor."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from ingest.decode.sequence import follow
from ingest.quarantine import tables


def take(db: sqlite3.Connection, numbers: Mapping[str, Sequence[int]], end: int) -> dict[str, int]:
    """See `Quarantine.follow`. One transaction: gaps, newest numbers and position move together."""
    with db:
        known = "SELECT newest FROM sequence WHERE meter = ?"
        rows = {meter: db.execute(known, (meter,)).fetchone() for meter in numbers}
        newest = {meter: row[0] for meter, row in rows.items() if row is not None}
        gaps = follow(newest, numbers)
        db.executemany(tables.SEQUENCE, [(meter, newest[meter], gaps.get(meter, 0)) for meter in numbers])
        db.execute("INSERT OR REPLACE INTO followed VALUES (1, ?)", (end,))
    return gaps
