"""Where a rewind of the store cursor leads, and how far back the log can reach."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from devices import times
from devices.errors import ConfigurationError
from greengauge.past.index import ReadableLog

READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Rewound:
    """Everything received at `to` or later is written again, as far as the log has it. Times in ms."""

    position: int  # where the store cursor goes
    to: int  # what was asked for
    reach: int  # the oldest record still in the log
    complete: bool  # the log reaches back to `to`
    bytes: int  # of log from there on

    def to_json(self) -> dict[str, Any]:
        """The object of `rewind --json` and of the API."""
        return asdict(self)

    @property
    def text(self) -> str:
        """A line or two for people."""
        if not self.bytes:
            return f"nothing was received since {times.format(self.to)}: nothing is written again"
        said = f"everything received since {times.format(max(self.to, self.reach))} is written again, in log order"
        if self.complete:
            return f"{said} ({self.bytes:,} bytes of log)"
        return (
            f"{said} ({self.bytes:,} bytes of log)\nThe log reaches back to {times.format(self.reach)} only: "
            f"what came between {times.format(self.to)} and then must be restored from a backup of the store"
        )


def place(log: ReadableLog, to: int) -> Rewound:
    """The record from which on stands all that was received at `to` (ms) or later. Blocking; ConfigurationError."""
    reach = log.began()
    if reach is None:
        raise ConfigurationError(
            "the log is empty", where="rewind", mend="there is nothing that could be written again"
        )
    position, durable = log.since(to), log.durable
    while records := log.read(position, READ_BYTES):
        found = next((r.position for r in records if r.entry.received >= to), None)
        if found is not None:
            position = found
            break
        position = records[-1].end
    complete = log.first == 0 or reach <= to
    return Rewound(position, to, reach, complete, max(0, durable - position))
