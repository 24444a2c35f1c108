"""What decoding gathers, message by message, until it becomes columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from devices.foreign import printable
from devices.readings import Mark, Readings
from ingest.decode.faults import Fault
from ingest.decode.result import Close, Decoded, Reject
from ingest.decode.sequence import redelivered

PREFIX = 4096
"""Bytes of a payload that its reject keeps."""

MOST_FAULTS = 1000
"""Rejects of one message; what is left of it then is one more."""


class Message(NamedTuple):
    """One message and the marks of its delivery."""

    topic: bytes
    payload: bytes
    received: int
    position: int
    mark: int
    cut_from: int = -1  # bytes of the payload whose beginning is all that the wire kept

    def reject(self, fault: Fault, item: int = 0, payload: bytes | None = None) -> Reject:
        """The fault of this message, or of the object `item` of it whose text is `payload`."""
        size = max(len(self.payload), self.cut_from) if payload is None else len(payload)
        payload = self.payload if payload is None else payload
        return Reject(
            position=self.position,
            item=item,
            received=self.received,
            topic=printable(self.topic[:1024].decode("utf-8", "backslashreplace")),
            outcome=fault.outcome,
            reason=fault.reason,
            cause=fault.cause,
            where=fault.where,
            mend=fault.mend,
            size=size,
            payload=payload[:PREFIX],
            values=fault.lost,
            names=fault.names,
            redelivered=bool(self.mark & Mark.REDELIVERED.value),
        )


class Row(NamedTuple):
    """One reading, in the order of `Readings`' columns."""

    channel: int
    ts: int
    value: int
    rev: int
    letter: int
    mark: int
    received: int
    position: int
    number: bytes


@dataclass(slots=True)
class Batch:
    """What has been decoded so far."""

    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    closes: list[Close] = field(default_factory=list)
    frames: int = 0
    sequences: list[tuple[int, int]] = field(default_factory=list)  # meter, seq (see `ingest.decode.sequence`)

    def refuse(self, message: Message, faults: list[tuple[int, Fault]], spans: list[tuple[int, int]]) -> None:
        """The faults of an array's objects, each with the object's own text; `spans` says where that stands."""
        text = message.payload.decode("utf-8")
        for item, fault in faults[:MOST_FAULTS]:
            fault.where = f"object {item + 1} of {len(spans)}, {fault.where}"
            start, stop = spans[item]
            self.rejects.append(message.reject(fault, item, text[start:stop].encode("utf-8")))
        rest = faults[MOST_FAULTS:]
        if rest:
            (first, example), (last, _) = rest[0], rest[-1]
            fault = Fault(
                "too-many-faults",
                f"{len(rest):,} further objects are at fault, the first because: {example.cause}",
                f"objects {first + 1} to {last + 1} of {len(spans)}",
                example.mend,
                outcome="pending" if all(f.outcome == "pending" for _, f in rest) else "quarantined",
            )
            fault.lost = sum(f.lost for _, f in rest)
            self.rejects.append(message.reject(fault, first))

    def count(self, seq: int, meter: int, message: Message) -> None:
        """The message's `seq`; that of a retained one says nothing about what is missing."""
        if not message.mark & Mark.RETAINED.value:
            self.sequences.append((meter, redelivered(seq) if message.mark & Mark.REDELIVERED.value else seq))

    def done(self) -> Decoded:
        """The columns."""
        columns = list(zip(*self.rows, strict=True)) or [()] * len(Row._fields)
        channel, ts, value, rev, letter, mark, received, position, numbers = columns
        readings = Readings.of(
            channel, ts, value, rev=rev, letter=letter, mark=mark, received=received, position=position, numbers=numbers
        )
        sequences = np.array(self.sequences, np.int64).reshape(-1, 2)
        return Decoded(readings, tuple(self.rejects), tuple(self.closes), self.frames, sequences)
