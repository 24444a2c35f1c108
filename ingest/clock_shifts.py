"""`ClockShifts`: where in the log receive times are to be read later or earlier, because the clock was wrong there.

While the wall clock has left the monotonic one, receive times go on from before the jump, and nobody judges by them
(`Gate`). If somebody then says that the wall clock is right, the records of that time were received by *its* time: the
shift is kept beside the log, durable before anything is decoded with it, so a replay decodes the same. A shift back has
no end: the log's own time goes on as it is, ahead of the wall's (`Clock.ahead`), and so it never stands still.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from devices.errors import DamagedData, EnvironmentFailure
from ingest.log.record import Record
from ingest.whole_file import write_whole

logger = logging.getLogger(__name__)


EVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Shift:
    """Records that begin at start <= position < end were received `offset` ms after the time that they carry."""

    start: int
    end: int  # `EVER` where it has none
    offset: int


class ClockShifts:
    """Every shift of one log."""

    def __init__(self, path: Path) -> None:
        """Raises DamagedData where the file can't be read: guessing would change what is decoded."""
        self._path = path
        try:
            self._shifts = [Shift(*map(int, row)) for row in json.loads(path.read_bytes())]
        except FileNotFoundError:
            self._shifts = []
        except (OSError, ValueError, TypeError) as error:
            raise DamagedData(
                f"the log's clock shifts cannot be read: {error}",
                where=str(path),
                mend="restore it, or move it away: what came while it was wrong is then judged by the wrong time",
            ) from error

    @property
    def ahead(self) -> int:
        """How far the log's own time runs before the wall's by now, ms."""
        return -sum(shift.offset for shift in self._shifts if shift.end == EVER)

    def add(self, shift: Shift) -> None:
        """Durable before it counts. EnvironmentFailure."""
        shifts = [*self._shifts, shift]
        try:
            write_whole(self._path, json.dumps([astuple(s) for s in shifts]).encode())
        except OSError as failure:
            raise EnvironmentFailure(
                f"the clock's shift cannot be kept: {failure.strerror}", where=str(self._path), mend="see the disk"
            ) from failure
        self._shifts = shifts
        until = "on" if shift.end == EVER else f"to {shift.end}"
        logger.warning("records from %d %s were received %+d ms apart", shift.start, until, shift.offset)

    def apply(self, records: Iterable[Record]) -> list[Record]:
        """The records with the receive times that are meant."""
        if not self._shifts:
            return list(records)
        return [self._shifted(record) for record in records]

    def _shifted(self, record: Record) -> Record:
        offset = sum(s.offset for s in self._shifts if s.start <= record.position < s.end)
        if not offset:
            return record
        return replace(record, entry=replace(record.entry, received=record.entry.received + offset))
