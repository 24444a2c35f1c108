"""How a decoder's result is compared with the definition's."""

from __future__ import annotations

import numpy as np

from ingest.decode.result import Decoded
from ingest.log.record import Entry, Record, RecordKind
from tests.ingest.decode.conftest import NOW


def record(body: bytes, level: int = 5, at: int = 1000) -> Record:
    """Frames at log position `at`."""
    return Record(Entry(RecordKind.FRAMES, body, NOW, 1, level), at, at + 40, at + 40 + len(body))


def same(fast: Decoded, slow: Decoded) -> None:
    """Equal in everything but where in `text` a number stands."""
    for name in ("channel", "ts", "value", "rev", "letter", "mark", "received", "position"):
        ours, theirs = getattr(fast.readings, name), getattr(slow.readings, name)
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs), (name, ours.tolist(), theirs.tolist())
    for row in range(len(slow.readings)):
        assert fast.readings.number(row) == slow.readings.number(row)
    assert fast.rejects == slow.rejects
    assert fast.closes == slow.closes
    assert (fast.frames, fast.sequence_gaps) == (slow.frames, slow.sequence_gaps)
    assert np.array_equal(fast.sequences, slow.sequences)
