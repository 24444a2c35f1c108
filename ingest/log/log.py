"""`Log`: durable records in preallocated segment files, one endless address space.

Invariants:
- `durable` is the end of what one finished fdatasync covers; readers never see beyond it.
- Segments are contiguous: each begins where the one before it ends, whatever else that one's file still holds.
- A segment goes only behind all cursors. Nothing else is ever deleted.
"""

from __future__ import annotations

import bisect
import errno
import itertools
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from devices.errors import EnvironmentFailure
from ingest.log import codec, reader
from ingest.log.cursors import Cursors
from ingest.log.reader import Damage, Span
from ingest.log.record import Entry, Record
from ingest.log.segment import Segment, base_of, sync_folder

SEGMENT_BYTES = 32 << 20
KEPT_DAMAGES = 1000


@dataclass(frozen=True, slots=True)
class LogState:
    """The log as page and metrics show it."""

    first: int
    durable: int
    received: int  # ms, of the newest record
    segments: int
    bytes: int  # on disk
    unstored: int  # bytes not yet behind the store cursor
    pressure: float
    damages: int
    clamped: int  # entries whose clock was behind the log's
    clamped_ms: int  # by how much the last of them was


@dataclass(slots=True)
class _Closed:
    span: Span
    received: int  # of its first record, ms


class Log:
    """The log seam's first implementation. `append` and `prune` belong to one thread, all else to any."""

    def __init__(
        self,
        folder: Path,
        *,
        quota: int = 20 << 30,
        retention_ms: int = 96 * 3_600_000,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Opens or begins the log in `folder` (which the caller has locked). Raises EnvironmentFailure.

        After a kill the end is found by reading the last segment; writing goes on in a new one.
        """
        self.folder = folder
        self._quota, self._retention_ms, self._segment_bytes = quota, retention_ms, segment_bytes
        self._lock = threading.Lock()  # guards the index: _closed, _segment, _durable
        self._closed: list[_Closed] = []
        self._segment: Segment | None = None
        self._segment_received = 0
        self._received = 0
        self._clamped = self._clamped_ms = 0
        self._damages: dict[tuple[str, int], Damage] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
            self.cursors = Cursors(folder / "cursors")
            self._durable = self._recover()
        except OSError as failure:
            raise self._failed("the log cannot be opened", failure) from failure

    # --- read ----------------------------------------------------------------------------------

    @property
    def first(self) -> int:
        """The oldest position still kept."""
        with self._lock:
            return self._first()

    @property
    def durable(self) -> int:
        """The position behind the newest durable record: where the next one begins."""
        return self._durable

    @property
    def received(self) -> int:
        """Receive time of the newest record, ms; 0 in an empty log."""
        return self._received

    def read(self, start: int, max_bytes: int) -> list[Record]:
        """Durable records from `start`, about `max_bytes` of them, at least one if there is one.

        A `start` before `first` means `first`. Damage is stepped over and noted in `damages`. Blocking.
        """
        while start < self._durable:
            span = self._span(start)
            start = max(start, span.base)
            try:
                with reader.opened(span) as source:
                    records, damages, start = reader.read(source, start, max_bytes)
            except FileNotFoundError:  # pruned meanwhile, or removed by hand
                if span.base >= self.first:
                    self._note([Damage(span.path.name, start, span.end, "missing")])
                start = span.end
                continue
            self._note(damages)
            if records:
                return records
        return []

    def damages(self) -> list[Damage]:
        """Every damage met so far, the newest thousand."""
        with self._lock:
            return list(self._damages.values())

    # --- append --------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> int:
        """Write a group with one write and one fdatasync; the new durable end. Blocking.

        A receive time behind the log's is raised to it and counted. Raises EnvironmentFailure: then nothing of
        the group is promised, the segment is sealed at its last good end, and the next append begins another.
        """
        if not entries:
            return self._durable
        start = position = self._durable
        parts: list[bytes] = []
        received, clamped, clamped_ms = self._received, 0, self._clamped_ms
        for entry in entries:
            if entry.received < received:
                clamped, clamped_ms = clamped + 1, received - entry.received
                entry = replace(entry, received=received)
            received = entry.received
            parts += codec.encode(entry, position)
            position += codec.size(entry)
        segment = self._room(position - start)
        try:
            segment.write(b"".join(parts), start)
        except OSError as failure:
            self._seal()
            raise self._failed("the log cannot be written", failure) from failure
        if start == segment.base:
            self._segment_received = max(entries[0].received, self._received)
        self._received, self._clamped, self._clamped_ms = received, self._clamped + clamped, clamped_ms
        self._durable = position
        return position

    def _room(self, needed: int) -> Segment:
        """The segment that takes `needed` more bytes, a new one if the present one is full or gone."""
        if self._segment is not None and self._durable + needed > self._segment.limit:
            self._seal()
        while self._segment is None:
            try:
                segment = Segment(self.folder, self._durable, max(needed, self._segment_bytes))
            except OSError as failure:
                full = failure.errno in (errno.ENOSPC, errno.EDQUOT)
                if full and self._drop_oldest():  # intake is the promise, retention a convenience
                    continue
                raise self._failed("the log cannot begin a new segment", failure) from failure
            with self._lock:
                self._segment = segment
        return self._segment

    def _seal(self) -> None:
        segment = self._segment
        if segment is None:
            return
        with self._lock:
            self._segment = None
            if self._durable > segment.base:
                span = Span(segment.path, segment.base, self._durable)
                self._closed.append(_Closed(span, self._segment_received))
        segment.seal(self._durable)

    # --- room ----------------------------------------------------------------------------------

    def pressure(self) -> float:
        """Bytes that are not yet behind the store cursor, as a share of the quota: from 1.0 on, take nothing in."""
        return self._unstored() / self._quota

    def prune(self) -> int:
        """Delete whole segments behind all cursors, oldest first: those older than the retention, and as many as
        the quota asks for. Returns the bytes given back.
        """
        before = self.first
        oldest_kept = self._received - self._retention_ms
        while self._closed:
            newer = self._closed[1].received if len(self._closed) > 1 else self._received
            expired = newer < oldest_kept  # a segment's first record is no older than the whole segment before it
            if not (expired or self._bytes() > self._quota) or not self._drop_oldest():
                break
        return self.first - before

    def _drop_oldest(self) -> bool:
        with self._lock:
            if not self._closed or self._closed[0].span.end > self.cursors.least():
                return False
            oldest = self._closed.pop(0)
        oldest.span.path.unlink(missing_ok=True)
        return True

    def state(self) -> LogState:
        """What page and metrics show."""
        with self._lock:
            first, damages = self._first(), len(self._damages)
            segments = len(self._closed) + (self._segment is not None)
        return LogState(
            first=first,
            durable=self._durable,
            received=self._received,
            segments=segments,
            bytes=self._bytes(),
            unstored=self._unstored(),
            pressure=self.pressure(),
            damages=damages,
            clamped=self._clamped,
            clamped_ms=self._clamped_ms,
        )

    def close(self) -> None:
        """Give the open segment's unused room back and close the files."""
        self._seal()
        self.cursors.close()

    # --- inside --------------------------------------------------------------------------------

    def _recover(self) -> int:
        """Index the folder's segments and find the durable end."""
        for leftover in self.folder.glob("*.new"):
            leftover.unlink()
        bases = sorted((base, path) for path in self.folder.iterdir() if (base := base_of(path)) is not None)
        for (base, path), (end, _) in itertools.pairwise(bases):
            self._closed.append(_Closed(Span(path, base, end), 0))
        end = self._recover_last(*bases[-1]) if bases else 0
        for closed in reversed(self._closed):
            if self._received:
                break
            with reader.opened(closed.span) as source:
                _, self._received, _ = reader.survey(source, 0)
        before = 0
        for closed in self._closed:  # only for the retention, so not worth reading whole records to check them
            before = closed.received = min(max(before, _first_received(closed.span)), self._received)
        return self._behind_cursors(end)

    def _recover_last(self, base: int, path: Path) -> int:
        """Index the segment that was being written; its durable end."""
        whole = Span(path, base, base + path.stat().st_size)
        with reader.opened(whole) as source:
            end, self._received, damages = reader.survey(source, self._received)
            rest = source.read(end, whole.end - end).rstrip(b"\0")
        if rest:  # a group that a kill or power cut interrupted: never acknowledged, so no loss
            damages.append(Damage(path.name, end, end + len(rest), "torn-tail"))
        self._note(damages)
        if end > base:
            self._closed.append(_Closed(Span(path, base, end), 0))
            with path.open("r+b") as file:
                file.truncate(end - base + len(rest))
                os.fsync(file.fileno())  # what the killed process wrote and had not synced yet counts from now on
        return end

    def _behind_cursors(self, end: int) -> int:
        """Never begin before a cursor: its reader would take the new records for old ones."""
        beyond = self.cursors.greatest()
        if beyond <= end:
            return end
        last = self._closed[-1].span.path.name if self._closed else ""
        self._note([Damage(last, end, beyond, "missing")])
        if self._closed:
            self._closed[-1].span = self._closed[-1].span._replace(end=beyond)
        return beyond

    def _first(self) -> int:
        return self._closed[0].span.base if self._closed else self._segment.base if self._segment else self._durable

    def _span(self, position: int) -> Span:
        """The segment that holds `position`, or the first one."""
        with self._lock:
            index = bisect.bisect_right(self._closed, position, key=lambda closed: closed.span.base) - 1
            if self._closed and position < self._closed[-1].span.end:
                return self._closed[max(index, 0)].span
            assert self._segment is not None, "positions below `durable` are in a segment"  # noqa: S101 - our invariant
            return Span(self._segment.path, self._segment.base, self._durable)

    def _unstored(self) -> int:
        return self._durable - min(max(self.cursors.get("store"), self.first), self._durable)

    def _bytes(self) -> int:
        with self._lock:
            closed = sum(item.span.end - item.span.base for item in self._closed)
            return closed + (self._segment.room if self._segment else 0)

    def _note(self, damages: Sequence[Damage]) -> None:
        with self._lock:
            for damage in damages:
                self._damages[damage.segment, damage.start] = damage
            while len(self._damages) > KEPT_DAMAGES:
                del self._damages[next(iter(self._damages))]

    def _failed(self, what: str, failure: OSError) -> EnvironmentFailure:
        full = failure.errno in (errno.ENOSPC, errno.EDQUOT)
        return EnvironmentFailure(
            f"{what}: {failure.strerror}",
            where=str(self.folder),
            mend="free space on that disk" if full else "check the disk and that this user may write there",
        )


def _first_received(span: Span) -> int:
    """Receive time in the first header of a segment, unchecked; 0 if there is none."""
    with reader.opened(span) as source:
        header = source.read(span.base, codec.HEADER.size)
    whole = len(header) == codec.HEADER.size and header.startswith(codec.MAGIC)
    return codec.received(header, 0) if whole else 0
