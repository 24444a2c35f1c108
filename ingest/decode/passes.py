"""The compiled pass over one record body: its arrays made, filled and cut to what was found."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from devices.readings import I64, Readings
from ingest.decode import kernel
from ingest.decode.lookup import AHEAD, Tables
from ingest.decode.object_kernel import Out

_FOREVER = 10**18
_KEPT_BYTES = 4 << 20
_own = threading.local()
"""Each thread's arrays, kept: fresh memory costs a page fault for every 4 KiB, a fifth of the pass."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What the pass took, and which frames it left."""

    readings: Readings
    seq: I64  # [n, 2]: meter, seq
    slow: I64  # [n, 4]: where the frame begins and ends in the body, rows and seqs before it
    frames: int  # slow ones included


def run(body: bytes, level: int, body_at: int, received: int, window: tuple[int, int], tables: Tables) -> Passed:
    """One pass. `window`: event times that are let in, both included."""
    out = _room(len(body))
    first, last = max(window[0], 1), min(window[1], _FOREVER)
    n, t, s, slow, frames = kernel.decode(
        np.frombuffer(body, np.uint8), level, body_at, received, min(first, _FOREVER), max(last, 0), tables, out
    )
    rows = {name: getattr(out, name)[:n].copy() for name in _COLUMNS}
    readings = Readings(**rows, received=np.full(n, received, np.int64), text=out.text[:t].tobytes())
    return Passed(readings, out.seq[:s].copy(), out.slow[:slow].copy(), frames)


def _room(size: int) -> Out:
    """Enough for any body of so many bytes."""
    kept: Out | None = getattr(_own, "out", None)
    if kept is None or len(kept.text) < size + 8:
        kept = _made(size)
        if size <= _KEPT_BYTES:
            _own.out = kept
    return kept


def _made(size: int) -> Out:
    """Untouched memory costs nothing.

    A row takes 5 bytes (`"":1,`), a seq 8, a frame 2; one more of each may be begun and not kept.
    """
    n, s = size // 5 + 2, size // 8 + 2
    return Out(
        channel=np.empty(n, np.int32),
        ts=np.empty(n, np.int64),
        value=np.empty(n, np.int64),
        rev=np.empty(n, np.int64),
        letter=np.empty(n, np.uint8),
        mark=np.empty(n, np.uint8),
        position=np.empty(n, np.int64),
        start=np.empty(n, np.int32),
        stop=np.empty(n, np.int32),
        text=np.empty(size + 8, np.uint8),
        seq=np.empty((s, 2), np.int64),
        slow=np.empty((size // 2 + 2, 4), np.int64),
        scratch=np.empty(64, np.uint8),
        ahead=np.empty(AHEAD, np.int64),
    )


_COLUMNS = ("channel", "ts", "value", "rev", "letter", "mark", "position", "start", "stop")
