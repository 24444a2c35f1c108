"""What the log holds: records, in the order in which they became durable.

A position is a byte offset in the log's one endless address space; it never repeats and never moves.
The position of a PUBLISH frame inside a record is `record.body_at + its offset in record.body`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class RecordKind(IntEnum):
    """What a record's body is."""

    FRAMES = 1  # raw MQTT PUBLISH frames, back to back, fixed header included
    COMMAND = 2  # one operator command, UTF-8 JSON
    TICK = 3  # empty: time passed while nothing arrived


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to append."""

    kind: RecordKind
    body: bytes
    received: int  # ms since 1970 UTC, never behind the entry before it
    registry: int  # Plant.version in force
    mqtt: int  # protocol level of the connection the frames came over: 5, or 4 (3.1.1); 0 otherwise


@dataclass(frozen=True, slots=True)
class Record:
    """Something read back, exactly as it was appended."""

    entry: Entry
    position: int  # of the record's first byte
    body_at: int  # of the body's first byte
    end: int  # of the next record's first byte: where a cursor that has handled this one stands
