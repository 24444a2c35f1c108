"""`Log`: durable records in preallocated segment files, one endless address space.

Invariants:
- `durable` is the end of what one finished fdatasync covers; readers never see beyond it.
- Segments are contiguous: each begins where the one before it ends, whatever else that one's file still holds.
- A segment goes only behind all cursors. Nothing else is ever deleted.
"""

from __future__ import annotations

import bisect
import errno
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from devices.errors import EnvironmentFailure
from ingest.log import codec, reader
from ingest.log.cursors import Cursors
from ingest.log.reader import Damage, Span
from ingest.log.record import Entry, Record
from ingest.log.recovery import Closed, recover
from ingest.log.reserve import Reserve
from ingest.log.segment import Segment, sync_folder
from ingest.log.state import NAMED_DAMAGES, Damages, LogState

log = logging.getLogger("greengauge.log")

SEGMENT_BYTES = 32 << 20


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
        self._segment: Segment | None = None
        self._segment_received = 0
        self._clamped = self._clamped_ms = 0
        self._damages = Damages()
        self._undeletable = ""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
            self.cursors = Cursors(folder / "cursors")
            found = recover(folder, self.cursors.greatest())
            self._reserve = Reserve(folder)
        except OSError as failure:
            raise self._failed("the log cannot be opened", failure) from failure
        self._closed, self._durable, self._received = found.closed, found.end, found.received
        self._damages.note(found.damages)

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

    def began(self) -> int | None:
        """Receive time of the oldest record still kept, ms; None in an empty log."""
        with self._lock:
            if self._closed:
                return self._closed[0].received
            return self._segment_received if self._segment is not None else None

    def since(self, received: int) -> int:
        """A position from which on stands all that was received at `received` (ms) or later; some before it may too."""
        with self._lock:
            later = bisect.bisect_left(self._closed, received, key=lambda closed: closed.received)
            if later < len(self._closed) or not self._closed:
                return self._closed[max(later - 1, 0)].span.base if self._closed else self._first()
            if self._segment is not None and self._segment_received < received:
                return self._segment.base
            return self._closed[-1].span.base

    def read(self, start: int, max_bytes: int) -> list[Record]:
        """Durable records from `start`, about `max_bytes` of them, at least one if there is one.

        A `start` before `first` means `first`. Damage is stepped over and noted in `damages`. Blocking.
        """
        start = max(start, self.first)
        while start < self._durable:
            span = self._span(start)
            try:
                with reader.opened(span) as source:
                    records, damages, start = reader.read(source, start, max_bytes)
            except FileNotFoundError:  # pruned meanwhile, or removed by hand
                if span.base >= self.first:
                    self._damages.note([Damage(span.path.name, start, span.end, "missing")])
                start = span.end
                continue
            self._damages.note(damages)
            if records:
                return records
        return []

    def damages(self) -> list[Damage]:
        """Every damage met so far, the newest thousand."""
        return self._damages.all()

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
            size = max(needed, self._segment_bytes)
            try:
                self._reserve.must_leave(size)
                segment = Segment(self.folder, self._durable, size)
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
                self._closed.append(Closed(span, self._segment_received))
        segment.seal(self._durable)

    # --- room ----------------------------------------------------------------------------------

    def pressure(self) -> float:
        """Bytes that some reader still needs, as a share of the quota: from 1.0 on, take nothing in."""
        return self._unhandled() / self._quota

    def prune(self) -> int:
        """Delete whole segments behind all cursors, oldest first: those older than the retention, and as many as
        the quota asks for. Returns the bytes given back.
        """
        self._tend_reserve()
        before = self.first
        oldest_kept = self._received - self._retention_ms
        while self._closed:
            newer = self._closed[1].received if len(self._closed) > 1 else self._received
            expired = newer < oldest_kept  # a segment's first record is no older than the whole segment before it
            if not (expired or self._bytes() > self._quota) or not self._drop_oldest():
                break
        return self.first - before

    def _tend_reserve(self) -> None:
        """Now and then: whoever else fills the disk does not say so."""
        try:
            self._reserve.tend(self._segment_bytes)
        except OSError as failure:  # of a disk that cannot even be asked: appending will say what it is
            log.warning("the reserve in %s cannot be looked after: %s", self.folder, failure.strerror)

    def _drop_oldest(self) -> bool:
        with self._lock:
            if not self._closed or self._closed[0].span.end > self.cursors.least():
                return False
            oldest = self._closed.pop(0)  # first of all: no reader may look for a file that is gone
        try:
            oldest.span.path.unlink(missing_ok=True)
        except OSError as failure:  # it stays: a log that only grows is still a log
            words = f"{oldest.span.path.name} cannot be deleted: {failure.strerror}"
            if words != self._undeletable:
                log.error(  # noqa: TRY400 - words for people, no traceback
                    "%s; check the disk and that this user may write in %s", words, self.folder
                )
            self._undeletable = words
            with self._lock:
                self._closed.insert(0, oldest)
            return False
        self._undeletable = ""
        return True

    def state(self) -> LogState:
        """What page and metrics show."""
        with self._lock:
            first = self._first()
            segments = len(self._closed) + (self._segment is not None)
        lost = self._damages.lost()
        return LogState(
            first=first,
            durable=self._durable,
            received=self._received,
            segments=segments,
            bytes=self._bytes(),
            unhandled=self._unhandled(),
            slowest=self.cursors.slowest(),
            pressure=self.pressure(),
            damages=len(lost),
            clamped=self._clamped,
            clamped_ms=self._clamped_ms,
            undeletable=self._undeletable,
            damaged=tuple(lost[-NAMED_DAMAGES:]),
            disk_full=not self._reserve.held,
        )

    def close(self) -> None:
        """Give the open segment's unused room back and close the files."""
        self._seal()
        self.cursors.close()

    # --- inside --------------------------------------------------------------------------------

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

    def _unhandled(self) -> int:
        return self._durable - min(max(self.cursors.least(), self.first), self._durable)

    def _bytes(self) -> int:
        with self._lock:
            closed = sum(item.span.end - item.span.base for item in self._closed)
            return closed + (self._segment.room if self._segment else 0)

    def _failed(self, what: str, failure: OSError) -> EnvironmentFailure:
        full = failure.errno in (errno.ENOSPC, errno.EDQUOT)
        return EnvironmentFailure(
            f"{what}: {failure.strerror}",
            where=str(self.folder),
            mend="free space on that disk" if full else "check the disk and that this user may write there",
        )
