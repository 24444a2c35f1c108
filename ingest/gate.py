"""`Gate`: how far those who judge readings by their receive time may read the log.

While the wall clock has left the monotonic one, frames are logged and acknowledged as ever, but nobody decodes them and
no alarm moves: the gate is shut at the first record of that time. It opens when the clock comes back, or when somebody
says that the wall clock is right (`shift`).
"""

from __future__ import annotations

from ingest.clock_shifts import ClockShifts, Shift
from ingest.log import Log
from ingest.log.record import Record


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
