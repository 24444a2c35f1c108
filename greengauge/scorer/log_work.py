"""`LogWork`: what the records of the log ask of the engine, as pieces of work short enough for a slice."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from devices.readings import I64, Readings
from greengauge.history.jobs import Job
from ingest.decode import retry
from ingest.decode.result import Decoded
from ingest.log.record import Record, RecordKind
from scoring.engine import Command, Engine, LineClose

READ_BYTES = 64 << 10
"""Log bytes that are not worth a word; in a backlog more is read at once."""
BACKLOG_BYTES = 512 << 10
PIECE_ROWS, PIECE_MS, MOST_ROWS = 250, 60_000, 20_000
"""Readings pushed at once while history is worked off: as many as move the clock by a minute, so that few steps are to
be closed; 250 at least (two channels four times an hour: a day of steps) and so many at most.
"""


class LogWork:
    """Reads on from `position`, which moves when all that the records in hand asked for is done."""

    def __init__(
        self,
        engine: Engine,
        position: int,
        *,
        read: Callable[[int, int], Sequence[Record]],
        decode: Callable[[Sequence[Record]], Decoded],
        ask: Callable[[Job], None],
        heard: Callable[[Readings], None] = lambda _: None,
    ) -> None:
        """`ask` is told of each recomputation that was asked for, `heard` of the readings pushed."""
        self.position = position
        self.refusals: dict[int, str] = {}
        """End of an operator's command that was refused → why."""
        self._engine, self._read, self._decode, self._ask, self._heard = engine, read, decode, ask, heard
        self._fetched = position
        self._pieces: deque[Callable[[], object]] = deque()

    @property
    def begun(self) -> bool:
        """Whether the records in hand are not done."""
        return bool(self._pieces)

    def step(self) -> bool:
        """Do the next piece; False where there is none."""
        if not (self._pieces or self._fetch()):
            return False
        self._pieces[0]()
        self._pieces.popleft()  # only now: a piece that fails is still to be done
        if not self._pieces:
            self.position = self._fetched
        return True

    def _fetch(self) -> bool:
        records = self._read(self.position, BACKLOG_BYTES)
        frames: list[Record] = []
        for record in records:
            if record.entry.kind is RecordKind.FRAMES or retry.is_retry(record):
                frames.append(record)
                continue
            self._push(frames)
            frames = []
            if record.entry.kind is RecordKind.TICK:
                self._pieces.append(partial(self._engine.tick, record.entry.received))
            else:
                self._pieces.append(partial(self._command, record))
        self._push(frames)
        if records:
            self._fetched = records[-1].end
            if not self._pieces:
                self.position = self._fetched
        return bool(self._pieces)

    def _push(self, frames: list[Record]) -> None:
        if not frames:
            return
        decoded = self._decode(frames)
        closes = [LineClose(close.row, close.meter, close.received) for close in decoded.closes]
        for start, stop in pairwise(_cuts(decoded.readings.ts)):
            rows = decoded.readings.take(slice(start, stop))
            here = [replace(c, row=c.row - start) for c in closes if start < c.row <= stop or c.row == start == 0]
            if len(rows) or here:
                self._pieces.append(partial(self._take, rows, here))

    def _take(self, rows: Readings, closes: Sequence[LineClose]) -> None:
        self._engine.push(rows, closes)
        self._heard(rows)

    def _command(self, record: Record) -> None:
        asked: dict[str, Any] = json.loads(record.entry.body)
        if asked["do"] == "recompute":
            self._ask(Job(asked["id"], asked["from"], asked["to"], asked["reason"], record.entry.registry))
            return
        try:
            self._engine.command(
                Command(
                    received=record.entry.received,
                    scope=asked["scope"],
                    id=asked["id"],
                    do=asked["do"],
                    user=asked["user"],
                    comment=asked.get("comment", ""),
                    for_ms=asked.get("for_ms", 0),
                )
            )
        except ValueError as refusal:
            self.refusals[record.end] = str(refusal)
            while len(self.refusals) > 100:  # only those nobody waits for any more are left this long
                del self.refusals[next(iter(self.refusals))]


def _cuts(ts: I64) -> list[int]:
    """Where pieces begin, and where the last one ends; one piece of nothing where there is no reading."""
    reach = np.maximum.accumulate(ts)
    cuts = [0]
    while cuts[-1] < len(ts):
        begin = cuts[-1]
        minute = int(np.searchsorted(reach, reach[begin] + PIECE_MS))
        cuts.append(min(max(begin + PIECE_ROWS, min(minute, begin + MOST_ROWS)), len(ts)))
    return cuts if len(cuts) > 1 else [0, 0]
