"""What decoding a record gives: readings, rejects, closes. A function of (frames, receive time, registry)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from devices.readings import I64, Readings
from ingest.decode.sequence import NONE, by_meter, follow


@dataclass(frozen=True, slots=True)
class Reject:
    """One message, or one object of an array, that was not let in."""

    position: int  # of its frame in the log
    item: int  # which object of an array; 0 for a single one
    received: int  # ms
    topic: str  # printable: undecodable bytes are escaped
    outcome: Literal["quarantined", "pending"]  # pending: an unknown meter or channel awaits approval
    reason: str  # short stable code, e.g. "not-json", "time-unit", "unknown-meter"
    cause: str  # a sentence that a plant engineer understands
    where: str  # "payload byte 17", "key \"nox\"", "topic level 5"
    mend: str
    size: int  # bytes of payload
    payload: bytes  # prefix of the payload, at most 4 KiB
    values: int = 0  # numbers lost with it, where that can be told
    names: tuple[str, ...] = ()  # pending only: what awaits approval, "topic" or "meter.field"
    redelivered: bool = False  # the broker had sent its message before: it may be in the log already


@dataclass(frozen=True, slots=True)
class Close:
    """A close message: the meter's line moves past grace once the rows before `row` are in."""

    row: int  # rows [0, row) of the same batch came before it
    meter: int
    received: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """All that came out of one or more records."""

    readings: Readings
    rejects: tuple[Reject, ...] = ()
    closes: tuple[Close, ...] = ()
    frames: int = 0
    sequences: I64 = field(default_factory=lambda: NONE)  # [n, 2]: meter, seq; in log order

    @property
    def sequence_gaps(self) -> dict[int, int]:
        """Meter -> numbers missing among those that are seen here."""
        return follow({}, by_meter(self.sequences))


def join(parts: Sequence[Decoded]) -> Decoded:
    """Several decoded pieces as one, in their order."""
    if len(parts) == 1:
        return parts[0]
    rejects: list[Reject] = []
    closes: list[Close] = []
    row = 0
    for part in parts:
        rejects.extend(part.rejects)
        closes.extend(replace(close, row=close.row + row) for close in part.closes)
        row += len(part.readings)
    return Decoded(
        readings=Readings.concat([part.readings for part in parts]),
        rejects=tuple(rejects),
        closes=tuple(closes),
        frames=sum(part.frames for part in parts),
        sequences=np.concatenate([NONE, *(part.sequences for part in parts)]),
    )
