"""Verifying a data folder: the log and the store looked at, and the ledger made of what they say.

Nothing is changed, so it may run beside the service. What comes while it runs is not in it.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from devices.errors import EnvironmentFailure
from devices.plant import load
from devices.plant.model import Plant
from devices.readings import Mark, Readings
from greengauge.remembered import folder_of, remembered
from greengauge.versions import Decoders
from ingest.clock_shifts import ClockShifts
from ingest.contested import ContestedBeside
from ingest.decode import retry
from ingest.decode.result import Reject
from ingest.ledger import MINUTE_MS, ROW, Evidence, Ledger, Rows
from ingest.log.reader import Damage
from ingest.log.record import Record, RecordKind
from ingest.log.view import LogView
from ingest.quarantine import Quarantine
from ingest.session.state import Loss
from ingest.spool import Spool
from ingest.store.base import Span, Store, StoreDown
from ingest.writer import series_of

T = TypeVar("T")

GAP_MS = 3_600_000
"""Readings of a channel farther apart are asked for in two spans."""
SPANS = 50
"""Asked for at once."""


@dataclass(slots=True)
class Verified:
    """What was found. Times in ms."""

    start: int
    end: int
    ledger: Ledger
    damages: list[Damage]
    marks: Counter[str] = field(default_factory=Counter)  # retained, unguaranteed, redelivered: values
    losses: list[tuple[Loss, dict[str, int]]] = field(default_factory=list)  # meters without seq -> readings missing
    sequence_gaps: dict[str, int] = field(default_factory=dict)  # meter -> messages that its seq says never came
    forgotten: bool = False  # the quarantine is over its quota: what the store refused may look missing

    @property
    def good(self) -> bool:
        """Whether everything received is covered and no log was lost."""
        return not self.ledger.anomalies() and not any(d.lost for d in self.damages)


class Verifying:
    """One look at a data folder. Blocking; `run` does it."""

    def __init__(self, data: Path, store: Store, call: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        """`call` runs a coroutine of the store to its end. Raises GreengaugeError where there is nothing to look at."""
        known = remembered(data)
        registry = known.kept if known.kept.exists() else known.source
        self.plant: Plant = load(registry)
        self.log = LogView(data / "log")
        self._decoders = Decoders(self.plant, folder_of(data), registry)
        self._shifts = ClockShifts(data / "clock-shifts.json")
        self._quarantine = Quarantine.open_read_only(data / "quarantine.db")
        self._data, self._store, self._call = data, store, call
        self._spool = Spool()
        self._again: dict[int, set[tuple[int, int, str]]] = {}  # position of a retry -> the rejects that it let in

    def close(self) -> None:
        """Free what is open; the store is the caller's."""
        self._quarantine.close()
        self._spool.close()

    def run(self, start: int | None, end: int | None, progress: Callable[[int, int], None]) -> Verified:
        """Everything received at start <= t < end (ms; None: as far as the log goes). `progress(done, of)` in bytes."""
        first, last = start or 0, (1 << 62) if end is None else end
        ledger = Ledger()
        found = Verified(first, last, ledger, [])
        losses = [(loss, Counter[int]()) for loss in self._losses(first, last)]
        position = self.log.since(first)
        began = position
        for raw in self.log.records(position):
            records = [r for r in self._shifts.apply(raw) if first <= r.entry.received < last]
            if records:
                self._take([r for r in records if r.entry.kind is RecordKind.FRAMES], ledger, found.marks, losses)
            elif raw[0].entry.received >= last:
                break
            progress(raw[-1].end - began, self.log.durable - began)
        self._retried(ledger)
        self._judge(ledger)
        found.damages = self.log.damages()
        found.sequence_gaps = self._quarantine.missing()
        found.losses = [(loss, self._lost(loss, heard, found.sequence_gaps)) for loss, heard in losses]
        found.forgotten = self._quarantine.fill().rows_gone > 0
        return found

    # --- the log --------------------------------------------------------------------------------

    def _take(
        self,
        records: Sequence[Record],
        ledger: Ledger,
        marks: Counter[str],
        losses: Sequence[tuple[Loss, Counter[int]]],
    ) -> None:
        written = self.log.cursors["store"]
        for record in records:
            decoded = self._decoders.decode([record])
            readings = decoded.readings
            if len(readings):
                self._receive(readings, ledger, record.position >= written)
                for name, mark in (("retained", Mark.RETAINED), ("unguaranteed", Mark.UNGUARANTEED),
                                   ("redelivered", Mark.REDELIVERED)):  # fmt: skip
                    marks[name] += int(np.count_nonzero(readings.mark & mark.value))
                for loss, heard in losses:
                    self._hear(readings, loss, heard)
            if decoded.rejects:
                self._rejects(decoded.rejects, ledger)

    def _receive(self, readings: Readings, ledger: Ledger, unwritten: bool) -> None:
        self._spool.put(_rows(readings, unwritten=unwritten))
        for minute, count in zip(*np.unique(readings.received // MINUTE_MS, return_counts=True), strict=True):
            ledger.add("received", int(minute) * MINUTE_MS, int(count))

    def _rejects(self, rejects: Sequence[Reject], ledger: Ledger) -> None:
        """What was not let in is covered once it is in the quarantine, or was there and had to be forgotten."""
        kept = self._quarantine.has(rejects)
        judged = self.log.cursors["quarantine"]
        for reject in rejects:
            minute = reject.received // MINUTE_MS * MINUTE_MS
            key = reject.position, reject.item, reject.reason
            for item, reason, at in self._quarantine.retried(reject.position):
                if (item, reason) == key[1:]:
                    self._again.setdefault(at, set()).add(key)
            if not reject.values:
                ledger.undecodable[reject.topic] += 1
                continue
            if key in kept:
                kind = "quarantined" if reject.outcome == "quarantined" else "pending"
                left = kept[key]
                reject = reject if left is None else replace(reject, values=left)
            elif any(key in keys for keys in self._again.values()):
                continue  # all of it was let in: its values are the retry's rows
            elif reject.position >= judged:
                kind = "unwritten"
            else:
                kind = "duplicate" if reject.redelivered else "missing"
            ledger.add("received", minute, reject.values)
            ledger.add(kind, minute, reject.values)

    def _retried(self, ledger: Ledger) -> None:
        """What retries let in of these rejects: received when its message was, written once the store is past them."""
        for at, keys in sorted(self._again.items()):
            for record in self.log.read(at, 1)[:1]:
                again = [m for m in retry.messages_of(record) if (m.position, m.item, m.reason) in keys]
                only = replace(record, entry=replace(record.entry, body=retry.body(again)))
                self._receive(self._decoders.decode([only]).readings, ledger, at >= self.log.cursors["store"])

    # --- the store ------------------------------------------------------------------------------

    def _judge(self, ledger: Ledger) -> None:
        waiting: list[tuple[int, Rows]] = []
        refused = {(r["position"], r["where"]) for r in self._quarantine.list(None, reason="store-refused")}
        contested = ContestedBeside(self._data / "winners.db")
        try:
            for channel, rows in self._spool.channels():
                waiting.append((channel, rows))
                if len(waiting) == SPANS:
                    self._ask(waiting, ledger, refused, contested)
                    waiting = []
            self._ask(waiting, ledger, refused, contested)
        finally:
            contested.close()

    def _ask(
        self,
        channels: Sequence[tuple[int, Rows]],
        ledger: Ledger,
        refused: set[tuple[int, str]],
        contested: ContestedBeside,
    ) -> None:
        series = series_of(self.plant)
        spans: list[Span] = []
        owners: list[int] = []
        for channel, rows in channels:
            times = np.unique(rows["ts"][~rows["unwritten"]])
            for part in np.split(times, np.flatnonzero(np.diff(times) > GAP_MS) + 1):
                if len(part):
                    spans.append(Span(series(channel), int(part[0]), int(part[-1])))
                    owners.append(channel)
        held: dict[int, dict[int, float]] = {channel: {} for channel, _ in channels}
        try:
            for at in range(0, len(spans), SPANS):
                answers = self._call(self._store.look_up(spans[at : at + SPANS]))
                for channel, answer in zip(owners[at : at + SPANS], answers, strict=True):
                    held[channel] |= {ts: float(v) for ts, v in answer.items() if isinstance(v, float | int)}
        except StoreDown as down:
            raise EnvironmentFailure(
                f"the store does not answer: {down.cause}", where=self._store.name, mend="try again when it does"
            ) from down
        for channel, rows in channels:
            ledger.judge(channel, rows, self._evidence(channel, held[channel], refused, contested))

    def _evidence(
        self, channel: int, held: dict[int, float], refused: set[tuple[int, str]], contested: ContestedBeside
    ) -> Evidence:
        name = self.plant.channels[channel].name
        meter = self.plant.meters[self.plant.channels[channel].meter].name
        return Evidence(
            held=held,
            refused=lambda position: (position, f"meter {meter}, channel {name}") in refused,
            remembered=lambda ts: contested.of(f"{meter}.{name}", ts),
        )

    # --- possible losses ------------------------------------------------------------------------

    def _losses(self, first: int, last: int) -> list[Loss]:
        try:
            kept = json.loads((self._data / "operations.json").read_bytes())
            losses = [Loss(**loss) for loss in kept.get("losses", ())]
        except (OSError, ValueError, TypeError):
            return []
        return [loss for loss in losses if loss.end >= first and loss.start < last]

    def _hear(self, readings: Readings, loss: Loss, heard: Counter[int]) -> None:
        """Which times of each meter fall into the interval."""
        rows = np.flatnonzero((readings.ts > loss.start) & (readings.ts <= loss.end))
        meters = [self.plant.channels[int(channel)].meter for channel in readings.channel[rows]]
        for meter, _ in set(zip(meters, readings.ts[rows].tolist(), strict=True)):
            heard[meter] += 1

    def _lost(self, loss: Loss, heard: Counter[int], by_seq: dict[str, int]) -> dict[str, int]:
        """Meters without `seq`: how many readings their period says are not there. Nothing before our first byte."""
        if not loss.start:
            return {}
        numbered = self._quarantine.numbered() | by_seq.keys()
        due = {m.name: (loss.end - loss.start) // m.every_ms - heard[m.index] for m in self.plant.meters if m.every_ms}
        return {name: missing for name, missing in due.items() if missing > 0 and name not in numbered}


def _rows(readings: Readings, *, unwritten: bool) -> Rows:
    rows = np.zeros(len(readings), ROW)
    for name in ("channel", "ts", "rev", "position"):
        rows[name] = getattr(readings, name)
    rows["minute"] = readings.received // MINUTE_MS * MINUTE_MS
    rows["value"] = [float(readings.number(row)) for row in range(len(readings))]
    rows["unwritten"] = unwritten
    return rows


def run_beside(store: Store, work: Callable[[Callable[[Coroutine[Any, Any, Any]], Any]], T]) -> T:
    """Work that asks the store now and then, on an event loop of its own; the store is closed behind it."""
    with asyncio.Runner() as runner:
        try:
            return work(runner.run)
        finally:
            runner.run(store.close())
