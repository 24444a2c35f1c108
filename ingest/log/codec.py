"""One record as bytes. Drawn byte by byte in docs/log-format.md; frozen: a test holds a golden segment against it."""

from __future__ import annotations

import struct

import google_crc32c

from ingest.log.record import Entry, Record, RecordKind

MAGIC = b"GGR\x01"
HEADER = struct.Struct("<4sIqIBBHqq")  # magic, CRC32C, position, length, kind, mqtt, 0, received, registry
_AFTER_CRC = 8
_KINDS = {int(kind): kind for kind in RecordKind}


def size(entry: Entry) -> int:
    """Bytes that the entry takes in the log."""
    return HEADER.size + len(entry.body)


def encode(entry: Entry, position: int) -> tuple[bytes, bytes]:
    """Header and body of the record at `position`; apart, so that the body is not copied twice."""
    body = entry.body
    rest = HEADER.pack(
        MAGIC, 0, position, len(body), entry.kind, entry.mqtt, 0, entry.received, entry.registry
    )[_AFTER_CRC:]  # fmt: skip
    crc = google_crc32c.extend(google_crc32c.value(rest), body)
    return MAGIC + crc.to_bytes(4, "little") + rest, body


def check(data: bytes, at: int, position: int, end: int) -> tuple[str, int]:
    """Whether `data[at]`, log position `position` of a segment that ends at `end`, begins a good record.

    ("", size) if so; ("short", size needed) if `data` ends too early to tell; else what is wrong with it
    ("header", "length", "checksum"), 0. The position inside the header makes a record that was copied
    elsewhere, or sits in somebody's payload, no record.
    """
    if len(data) - at < HEADER.size:
        return ("short", HEADER.size) if position + HEADER.size <= end else ("header", 0)
    magic, crc, here, length, *_ = HEADER.unpack_from(data, at)
    if magic != MAGIC or here != position:
        return "header", 0
    whole = HEADER.size + length
    if position + whole > end:
        return "length", 0
    if len(data) - at < whole:
        return "short", whole
    if google_crc32c.value(data[at + _AFTER_CRC : at + whole]) != crc:
        return "checksum", 0
    return "", whole


def received(data: bytes, at: int) -> int:
    """Receive time of the record at `data[at]`, ms."""
    return int(HEADER.unpack_from(data, at)[7])


def record(data: bytes, at: int) -> Record | None:
    """The record that `check` found good; None where its kind is of a later version."""
    _, _, position, length, kind, mqtt, _, received, registry = HEADER.unpack_from(data, at)
    known = _KINDS.get(kind)
    if known is None:
        return None
    body_at = position + HEADER.size
    body = data[at + HEADER.size : at + HEADER.size + length]
    return Record(Entry(known, body, received, registry, mqtt), position, body_at, body_at + length)
