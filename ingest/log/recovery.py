"""Opening a log that was left in any state: which segments there are, and where the durable end is."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ingest.log import codec, reader
from ingest.log.reader import Damage, Span
from ingest.log.segment import base_of


@dataclass(slots=True)
class Closed:
    """A segment that is not written any more."""

    span: Span
    received: int  # of its first record, ms


class Recovered(NamedTuple):
    """What was found."""

    closed: list[Closed]
    end: int  # where the next record goes
    received: int  # ms, of the newest good record; 0 if there is none
    damages: list[Damage]


def recover(folder: Path, cursor: int) -> Recovered:
    """Index the folder's segments; `cursor` is the foremost one. Raises OSError."""
    for leftover in folder.glob("*.new"):
        leftover.unlink()
    bases = sorted((base, path) for path in folder.iterdir() if (base := base_of(path)) is not None)
    closed = [Closed(Span(path, base, end), 0) for (base, path), (end, _) in itertools.pairwise(bases)]
    end, received, damages = 0, 0, list[Damage]()
    if bases:
        base, path = bases[-1]
        end, received, damages = _last(base, path)
        if end > base:
            closed.append(Closed(Span(path, base, end), 0))
    for item in reversed(closed):
        if received:
            break
        with reader.opened(item.span) as source:
            received = reader.survey(source, 0)[1]
    before = 0
    for item in closed:  # only for the retention, so not worth reading whole records to check them
        before = item.received = min(max(before, first_received(item.span)), received)
    if cursor > end:  # never begin before a cursor: its reader would take the new records for old ones
        damages.append(Damage(closed[-1].span.path.name if closed else "", end, cursor, "missing"))
        end = cursor
        if closed:
            closed[-1].span = closed[-1].span._replace(end=cursor)
    return Recovered(closed, end, received, damages)


def _last(base: int, path: Path) -> tuple[int, int, list[Damage]]:
    """The segment that was being written: its durable end, receive time there (0: no record), damage before it."""
    whole = Span(path, base, base + path.stat().st_size)
    with reader.opened(whole) as source:
        end, received, damages = reader.survey(source, 0)
        rest = source.read(end, whole.end - end).rstrip(b"\0")
    if rest:  # a group that a kill or power cut interrupted: never acknowledged, so no loss
        damages.append(Damage(path.name, end, end + len(rest), "torn-tail"))
    if end > base:
        with path.open("r+b") as file:
            file.truncate(end - base + len(rest))
            os.fsync(file.fileno())  # what the killed process wrote and had not synced yet counts from now on
    return end, received, damages


def first_received(span: Span) -> int:
    """Receive time in the first header of a segment, unchecked; 0 if there is none."""
    with reader.opened(span) as source:
        header = source.read(span.base, codec.HEADER.size)
    whole = len(header) == codec.HEADER.size and header.startswith(codec.MAGIC)
    return codec.received(header, 0) if whole else 0
