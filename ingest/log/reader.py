"""Reading one segment: good records, and what is damaged between them.

Invariant: a record that passes its checksum is returned, whatever happened to the bytes before it.
Nothing is ever repaired or deleted here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ingest.log import codec
from ingest.log.record import Record

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are not what was written there: log positions start <= p < end."""

    segment: str  # file name
    start: int
    end: int
    kind: str  # "header", "length", "checksum", "zeroed", "truncated", "missing", "unknown-kind", "torn-tail"

    @property
    def lost(self) -> bool:
        """Whether something durable may have been there: a torn tail never was, a kill leaves it."""
        return self.kind != "torn-tail"

    def to_json(self) -> dict[str, str | int]:
        """As the API and `verify --json` tell it."""
        return {
            "segment": self.segment,
            "start": self.start,
            "end": self.end,
            "kind": self.kind,
            "text": str(self),
        }

    def __str__(self) -> str:
        """By name: segment, offset in its file, and how much of what kind."""
        base = self.segment.partition(".")[0]
        offset = self.start - int(base) if base.isdigit() else self.start
        return f"{self.segment or 'the log'}: {self.end - self.start:,} bytes from offset {offset:,}: {self.kind}"


class Span(NamedTuple):
    """A segment as a reader sees it: the positions base <= p < end in the file at `path`."""

    path: Path
    base: int
    end: int


class Source:
    """An open segment, addressed by log position."""

    def __init__(self, fd: int, span: Span) -> None:
        self._fd, self.span = fd, span

    def read(self, position: int, count: int) -> bytes:
        """Up to `count` bytes from `position`; fewer at the segment's or the file's end."""
        return os.pread(self._fd, min(count, self.span.end - position), position - self.span.base)


@contextmanager
def opened(span: Span) -> Iterator[Source]:
    """The segment, open for reading. Raises FileNotFoundError if it was pruned meanwhile."""
    fd = os.open(span.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield Source(fd, span)
    finally:
        os.close(fd)


def read(source: Source, start: int, max_bytes: int) -> tuple[list[Record], list[Damage], int]:
    """Records from `start`, at least one if there is one, and the position behind what was looked at."""
    end, position, at = source.span.end, start, 0
    data = source.read(start, max_bytes)
    records: list[Record] = []
    damages: list[Damage] = []
    while position < end:
        fault, size = codec.check(data, at, position, end)
        if fault and records:
            break  # what is cut off or damaged comes first in the next call
        if fault == "short":
            data, at, fault, size = _look(source, data, at, position)
        if fault:
            found = _resynchronise(source, position + 1)
            damages.append(Damage(source.span.path.name, position, found, _kind(source, position, found, fault)))
            position, at = found, 0
            data = source.read(position, max_bytes)
            continue
        record = codec.record(data, at)
        if record is None:
            damages.append(Damage(source.span.path.name, position, position + size, "unknown-kind"))
        else:
            records.append(record)
        position += size
        at += size
    return records, damages, position


def survey(source: Source, received: int) -> tuple[int, int, list[Damage]]:
    """Position behind the last good record, its receive time (else `received`), and the damage before it.

    What lies behind that record is a torn write or never was written: a normal end.
    """
    end, position, at = source.span.end, source.span.base, 0
    last, damages = position, list[Damage]()
    data = source.read(position, _BLOCK)
    while position < end:
        data, at, fault, size = _look(source, data, at, position)
        if fault:
            found = _resynchronise(source, position + 1)
            if found < end:
                damages.append(Damage(source.span.path.name, position, found, _kind(source, position, found, fault)))
            position, at = found, 0
            data = source.read(position, _BLOCK)
            continue
        received = codec.received(data, at)
        position += size
        at += size
        last = position
    return last, received, damages


def _look(source: Source, data: bytes, at: int, position: int) -> tuple[bytes, int, str, int]:
    """`codec.check` of the record at `position`, reading on as far as it needs: where it is now, fault, size."""
    fault, size = codec.check(data, at, position, source.span.end)
    for _ in range(2):  # once for the header, once for the body that the header tells of
        if fault == "short":
            data, at = source.read(position, max(size, _BLOCK)), 0
            fault, size = codec.check(data, at, position, source.span.end)
    return data, at, fault, size


def _resynchronise(source: Source, start: int) -> int:
    """The position of the next good record at or behind `start`; the segment's end if there is none."""
    end, overlap = source.span.end, len(codec.MAGIC) - 1
    for position in range(start, end, _BLOCK):
        data = source.read(position, _BLOCK + overlap)
        hit = data.find(codec.MAGIC)
        while hit >= 0:
            if not _look(source, data, hit, position + hit)[2]:
                return position + hit
            hit = data.find(codec.MAGIC, hit + 1)
        if not data:
            break
    return end


def _kind(source: Source, start: int, end: int, fault: str) -> str:
    """What kind of damage it is, as far as the bytes tell."""
    lost = source.read(start, min(end - start, _BLOCK))
    if len(lost) < min(end - start, _BLOCK):
        return "truncated"
    if not any(lost[: codec.HEADER.size]):
        return "zeroed"
    return "truncated" if fault == "short" else fault
