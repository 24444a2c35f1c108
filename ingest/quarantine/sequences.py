"""Where each meter's `seq` stands, kept with the quarantine: both read the log from the same cursor."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from ingest.decode.sequence import follow
from ingest.quarantine import tables

_KNOWN = "SELECT meter, newest FROM json_each(?) JOIN sequence ON meter = value"
"""One question, however many meters: one for each was most of the work."""


def take(db: sqlite3.Connection, numbers: Mapping[str, Sequence[int]], end: int) -> dict[str, int]:
    """See `Quarantine.follow`. One transaction: gaps, newest numbers and position move together."""
    with db:
        newest: dict[str, int] = dict(db.execute(_KNOWN, (json.dumps(list(numbers)),)))
        gaps = follow(newest, numbers)
        db.executemany(tables.SEQUENCE, [(meter, newest[meter], gaps.get(meter, 0)) for meter in numbers])
        db.execute("INSERT OR REPLACE INTO followed VALUES (1, ?)", (end,))
    return gaps
