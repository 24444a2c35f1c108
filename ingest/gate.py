"""`Gate`: how far those who judge readings by their receive time may read the log.

While the wall clock has left the monotonic one, frames are logged and acknowledged as ever, but nobody decodes them and
no alarm moves: the gate is shut at the first record of that time. It opens when the clock comes back, or when somebody
says that the wall clock is right (`shift`).
"""

from __future__ import annotations

from ingest.clock_shifts import EVER, ClockShifts, Shift
from ingest.log import Log
from ingest.log.record import Record

READ_BYTES = 1 << 20


class Gate:
    """Written by the intake, on the event loop; read from any thread."""

    def __init__(self, log: Log, shifts: ClockShifts | None = None) -> None:
        self._log, self._shifts = log, shifts
        self._shut: int | None = None

    @property
    def shut(self) -> bool:
        """Whether decoding and alarms are held."""
        return self._shut is not None

    @property
    def end(self) -> int:
        """Records that end at or before this position may be read."""
        return self._log.durable if self._shut is None else min(self._shut, self._log.durable)

    def read(self, start: int, max_bytes: int) -> list[Record]:
        """As `Log.read`, as far as the gate allows, with the receive times that are meant. Blocking."""
        end = self.end  # first: the gate may shut, and records come behind it, while the log is read
        if start >= end:
            return []
        records = [record for record in self._log.read(start, max_bytes) if record.end <= end]
        return records if self._shifts is None else self._shifts.apply(records)

    def close(self) -> None:
        """From the next record on nothing is read, until `open`."""
        if self._shut is None:
            self._shut = self._log.durable

    def open(self) -> None:
        """The clock came back: what was held was received when it says."""
        self._shut = None

    def shift(self, offset: int) -> None:
        """The wall clock is right: what was held was received `offset` ms from when it says. EnvironmentFailure."""
        if self._shut is not None and self._shifts is not None and self._shut < self._log.durable:
            self._shifts.add(Shift(self._shut, self._log.durable, offset))
        self._shut = None

    def shift_from(self, position: int, offset: int) -> None:
        """The same, of all records from `position` on, also of those that are still to come. The gate stays shut:
        what was judged by the wrong time is judged anew by who starts anew. EnvironmentFailure.
        """
        if self._shifts is not None:
            self._shifts.add(Shift(position, EVER, offset))

    def first_after(self, received: int) -> int:
        """Position of the first record that the log says was received after that time; its end if there is none.

        Blocking.
        """
        position = self._log.since(received + 1)
        while records := self._log.read(position, READ_BYTES):
            for record in records:
                if record.entry.received > received:
                    return record.position
            position = records[-1].end
        return self._log.durable
