"""`Twin`: the decoder of the hot path. The compiled pass takes what it recognises, the definition the rest.

What it gives is what the definition alone would give, in log order; until the kernels are there, it is the
definition. The price of a message that goes to the definition is the definition's, whatever stands around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from devices.plant.model import Plant
from devices.readings import Readings
from ingest import kernels
from ingest.decode import internal
from ingest.decode.batch import Batch
from ingest.decode.definition import LARGEST, Decoder
from ingest.decode.result import Close, Decoded, join
from ingest.decode.window import bounds
from ingest.log.record import Record, RecordKind

if TYPE_CHECKING:
    from ingest.decode.lookup import Tables
    from ingest.decode.passes import Passed

_READINGS = ("channel", "ts", "value", "rev", "letter", "mark", "received", "position", "start", "stop")


class Twin:
    """Decodes records of the log under one plant; see `Decoder`. For any number of threads."""

    def __init__(self, plant: Plant, *, largest: int = LARGEST) -> None:
        self.definition = Decoder(plant, largest=largest)
        self._tables: Tables | None = None
        kernels.start()

    def decode(self, records: Sequence[Record]) -> Decoded:
        """Everything in the frames of these records, in log order: what `Decoder.decode` gives."""
        if not kernels.ready():
            return self.definition.decode(records)
        return join([self._one(record) for record in records if record.entry.kind is RecordKind.FRAMES])

    def _one(self, record: Record) -> Decoded:
        from ingest.decode import passes, tables  # they import numba, which only whoever is ready has

        if self._tables is None:
            definition = self.definition
            self._tables = tables.of(definition.plant, definition.slots, definition.largest)
        entry = record.entry
        window = bounds(entry.received, self.definition.plant.intake)
        try:
            passed = passes.run(entry.body, entry.mqtt, record.body_at, entry.received, window, self._tables)
            if not len(passed.slow):
                return Decoded(passed.readings, frames=passed.frames, sequences=passed.seq)
            return self._merged(record, passed)
        except Exception as failure:
            if not internal.unexpected(failure):
                raise
            internal.place(failure, "the compiled pass over a record")
            return self.definition.decode([record])

    def _merged(self, record: Record, passed: Passed) -> Decoded:
        """The frames that the pass left, decoded by the definition and put back in their places."""
        batch, closes = Batch(), list[Close]()
        rows_at, seqs_at, numbers = list[int](), list[int](), list[tuple[int, int]]()
        for start, end, rows, seqs in passed.slow.tolist():
            own = self.definition.frame(record, start, end)
            closes += [replace(close, row=rows + len(batch.rows) + close.row) for close in own.closes]
            rows_at += [rows] * len(own.rows)
            batch.rows += own.rows
            batch.rejects += own.rejects
            seqs_at += [seqs] * len(own.sequences)
            numbers += own.sequences
        fast, slow = passed.readings, batch.done().readings
        behind = len(fast.text)
        columns = {
            name: np.insert(getattr(fast, name), rows_at, getattr(slow, name) + (behind if name in _TEXT else 0))
            for name in _READINGS
        }
        seq = np.insert(passed.seq, seqs_at, np.array(numbers, np.int64).reshape(-1, 2), axis=0)
        readings = Readings(**columns, text=fast.text + slow.text)
        return Decoded(readings, tuple(batch.rejects), tuple(closes), passed.frames, seq)


_TEXT = frozenset(("start", "stop"))
