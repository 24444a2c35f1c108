"""Helpers for the log's tests."""

from __future__ import annotations

from ingest.log import Log
from ingest.log.record import Entry, Record, RecordKind

NOW = 1_763_800_000_000


def frames(body: bytes, received: int = NOW) -> Entry:
    return Entry(RecordKind.FRAMES, body, received, 0x1234_5678_9ABC_DEF0, 5)


def everything(log: Log, start: int = 0, max_bytes: int = 1 << 16) -> list[Record]:
    """All that can be read, in calls of `max_bytes`."""
    found: list[Record] = []
    while records := log.read(start, max_bytes):
        found += records
        start = records[-1].end
    return found


def bodies(log: Log, start: int = 0) -> list[bytes]:
    return [record.entry.body for record in everything(log, start)]
