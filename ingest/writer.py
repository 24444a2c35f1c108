"""`StoreWriter`: from the log into the store, at the store's pace, moving the store cursor.

One batch at a time: read, decode, choose the winners, encode, write, then move the cursor. While the
store is down the batch in hand waits and everything else stays in the log, so memory is flat and
catching up is the same code as keeping up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from devices.readings import Readings
from ingest.decode.result import Decoded, Reject
from ingest.line_protocol import ReadingEncoder, reading_tags
from ingest.lines import Lines
from ingest.log.record import Record
from ingest.store.base import BadPoint, Series, Store, StoreDown
from ingest.store.patience import FIRST_RETRY_S, pause_s
from ingest.winners import Choice, Plan, Winners
from ingest.worker import Worker

T = TypeVar("T")

READ_BYTES = 1 << 20
BATCH_LINES = 10_000
LATE_MS = 5_000
"""Unwritten readings older than this make the store "late"."""
CHECKPOINT_S = 1.0
DAMAGE_S = 0.2
REFUSED_ITEM = 1 << 20
"""A reading refused by the store is quarantined under its frame's position and this plus its place in the frame."""


class Cursor(Protocol):
    """Where the store stands in the log; survives restarts."""

    def get(self) -> int:
        """Everything before this position is in the store."""
        ...

    def set(self, position: int) -> None:
        """Move it, durably."""
        ...


@dataclass(slots=True)
class WriterState:
    """What the page shows of the store. Times in ms."""

    condition: Literal["ok", "down", "paused"] = "ok"  # paused: a person is needed; it goes on by itself once mended
    since: int = 0  # of the condition
    words: str = ""  # the store's own, or ours about it
    oldest: int | None = None  # receive time of the oldest unwritten reading; None: all is written
    blind: bool = False  # the store may not be asked: late duplicates are written in log order

    def late_s(self, now: int) -> float:
        """Seconds by which the store is behind; 0 while it keeps up."""
        behind = 0 if self.oldest is None else now - self.oldest
        return behind / 1000 if behind >= LATE_MS else 0.0

    def text(self, now: int) -> str:
        """A line for people."""
        late = self.late_s(now)
        if self.condition == "paused":
            return f"PAUSED: {self.words}"
        if self.condition == "down":
            return f"DOWN since {(now - self.since) // 1000} s: {self.words}"
        return f"LATE {late:.0f}s" if late else "ok"


@dataclass(slots=True)
class WriterCounts:
    """The store's side of the ledger, in values, since the start of the process."""

    read: int = 0
    stored: int = 0
    duplicate: int = 0
    superseded: int = 0
    refused: int = 0
    lines: int = 0
    writes: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class _Batch:
    """One read of the log on its way."""

    end: int
    oldest: int  # receive time
    plan: Plan | None  # None: nothing to store in it


@dataclass(slots=True)
class StoreWriter:
    """The task that fills the store. `run` it; everything else may be asked at any time on the same loop."""

    read: Callable[[int, int], Sequence[Record]]
    more: Callable[[int], Awaitable[object]]  # returns once the log goes beyond this position
    decode: Callable[[Sequence[Record]], Decoded]
    plant: Plant
    store: Store
    cursor: Cursor
    winners: Winners
    quarantine: Callable[[list[Reject]], Awaitable[object]]  # readings the store will never take
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    state: WriterState = field(default_factory=WriterState)
    counts: WriterCounts = field(default_factory=WriterCounts)
    position: int = 0
    _encoder: ReadingEncoder = field(init=False)
    _worker: Worker = field(init=False)
    _rewind: int | None = None
    _retry_now: asyncio.Event = field(default_factory=asyncio.Event)
    _saved: float = 0.0

    def __post_init__(self) -> None:
        self._encoder = ReadingEncoder(self.plant)
        self._worker = Worker("store writer")

    async def run(self) -> None:
        """Write until cancelled."""
        # The memory of winners may be a second behind the cursor: read on from there, writing again is harmless.
        self.position = min(self.cursor.get(), self.winners.reached)
        nothing = 0  # reads in a row that brought nothing
        try:
            while True:
                if self._rewind is not None:
                    await self._go_back(self._rewind)
                    continue
                batch = await self._worker.call(self._prepare)
                if batch is None:
                    self.state.oldest = None
                    await self._checkpoint(at_once=True)
                    if (nothing := nothing + 1) > 1:  # damage at the log's end: it goes on, but nothing can be read
                        await asyncio.sleep(DAMAGE_S)
                    await self._until_more()
                    continue
                nothing = 0
                self.state.oldest = batch.oldest
                if batch.plan is None or await self._put(batch.plan):
                    self.position = batch.end
                    await self._checkpoint()
        finally:
            await asyncio.shield(self._worker.call(self._finish))
            self._worker.stop()

    def rewind(self, position: int) -> None:
        """Write everything from `position` again, in log order (a store that lost what it acknowledged)."""
        self._rewind = position if self._rewind is None else min(position, self._rewind)
        self._retry_now.set()

    @property
    def rewinding(self) -> bool:
        """Whether the cursor has still to go back."""
        return self._rewind is not None

    def retry(self) -> None:
        """Try a store that is down or paused at once."""
        self._retry_now.set()

    # --- one batch ------------------------------------------------------------------------------

    def _prepare(self) -> _Batch | None:
        """Read and decode; in the worker thread."""
        records = self.read(self.position, READ_BYTES)
        if not records:
            return None
        readings = self.decode(records).readings
        self.counts.read += len(readings)
        plan = self.winners.plan(readings) if len(readings) else None
        return _Batch(records[-1].end, records[0].entry.received, plan)

    async def _put(self, plan: Plan) -> bool:
        """Store one batch, however long it takes; False if a rewind made it pointless."""
        asked = await self._persist(lambda: self._ask(plan))
        if asked is None:
            return False
        choice, lines = await self._worker.call(lambda: self._encode(plan, asked[0]))
        if choice.tracked and not await self._persist(lambda: self._remember(choice)):
            return False
        self.counts.duplicate += choice.duplicates
        self.counts.superseded += choice.superseded
        for at in range(0, len(lines.lines), BATCH_LINES):
            part = lines.lines[at : at + BATCH_LINES]
            refused = await self._persist(lambda part=part: self.store.write(part))  # type: ignore[misc] # default binds it
            if refused is None:
                return False
            self.counts.writes += 1
            self.counts.lines += len(part)
            bad = [BadPoint(at + b.line, b.field, b.reason) for b in refused]
            if not await self._refuse(bad, lines, choice.readings):
                return False
        # A late winner takes the place of one that was counted as stored before.
        self.counts.stored += len(plan.readings) - choice.duplicates - choice.superseded
        return True

    async def _ask(self, plan: Plan) -> tuple[list[dict[int, float | str]] | None]:
        """What the store holds of late keys; (None,) if this token may not ask."""
        if not plan.spans:
            return ([],)
        try:
            answers = await self.store.look_up(plan.spans)
        except StoreDown as down:
            if not down.standing:
                raise
            self.state.blind = True
            return (None,)
        self.state.blind = False
        return (answers,)

    def _encode(self, plan: Plan, answers: list[dict[int, float | str]] | None) -> tuple[Choice, Lines]:
        choice = self.winners.choose(plan, answers)
        return choice, self._encoder.encode(choice.readings, lettered=choice.lettered)

    async def _remember(self, choice: Choice) -> bool:
        await self._worker.call(lambda: self.winners.remember(choice.tracked))
        return True

    async def _persist(self, attempt: Callable[[], Awaitable[T]]) -> T | None:
        """The attempt's result, waiting out a store or a disk that is down; None if a rewind came in between."""
        failures = 0
        while self._rewind is None:
            try:
                result = await attempt()
            except (StoreDown, EnvironmentFailure) as failure:
                down = failure if isinstance(failure, StoreDown) else StoreDown(failure.cause)
                failures += 1
                self.counts.failures += 1
                self._is("paused" if down.standing else "down", down.cause)
                await self._wait(down, failures)
            else:
                self._is("ok", "")
                return result
        return None

    async def _wait(self, down: StoreDown, failures: int) -> None:
        pause = pause_s(down, failures)
        self._retry_now.clear()
        try:
            async with asyncio.timeout(pause):
                await self._retry_now.wait()
        except TimeoutError:
            return

    def _is(self, condition: Literal["ok", "down", "paused"], words: str) -> None:
        if condition != self.state.condition:
            self.state.since = self.clock()
        self.state.condition, self.state.words = condition, words

    # --- what the store will never take ---------------------------------------------------------

    async def _refuse(self, bad: list[BadPoint], lines: Lines, readings: Readings) -> bool:
        """Into quarantine; False if a rewind came before they were there: they are written, and refused, again."""
        refused: dict[int, tuple[int, str]] = {}  # row -> its line, the store's words
        for point in bad:
            for row in range(lines.first[point.line], lines.first[point.line + 1]):
                name = self.plant.channels[int(readings.channel[row])].name
                if point.field in ("", name, f"{name}_q"):
                    refused[row] = (point.line, point.reason)
        if refused:
            rejects = [self._reject(row, lines.lines[at], why, readings) for row, (at, why) in refused.items()]
            if await self._persist(lambda: self._quarantined(rejects)) is None:
                return False
            self.counts.refused += len(rejects)
            self.counts.stored -= len(rejects)
        return True

    async def _quarantined(self, rejects: list[Reject]) -> bool:
        await self.quarantine(rejects)
        return True

    def _reject(self, row: int, line: bytes, why: str, readings: Readings) -> Reject:
        channel = self.plant.channels[int(readings.channel[row])]
        meter = self.plant.meters[channel.meter]
        position = int(readings.position[row])
        return Reject(
            position=position,
            item=REFUSED_ITEM + row - int((readings.position == position).argmax()),
            received=int(readings.received[row]),
            topic=meter.topic,
            outcome="quarantined",
            reason="store-refused",
            cause=f"{self.store.name} will not take it: {why}",
            where=f"meter {meter.name}, channel {channel.name}",
            mend="mend the store (another type or retention), then `greengauge rewind --to` a time before this",
            size=len(line),
            payload=line[:4096],
            values=1,
        )

    # --- positions ------------------------------------------------------------------------------

    async def _checkpoint(self, *, at_once: bool = False) -> None:
        """Move the cursor; the winners' memory follows about once a second and when all is written."""
        save = (at_once and self.winners.reached != self.position) or time.monotonic() - self._saved >= CHECKPOINT_S
        if save:
            self._saved = time.monotonic()
        try:
            await self._worker.call(lambda: self._save(self.position, with_winners=save))
        except EnvironmentFailure as failure:  # the cursor lags: that repeats, never loses
            self._is("down", failure.cause)
        else:
            self._is("ok", "")

    def _save(self, position: int, *, with_winners: bool) -> None:
        if with_winners:
            self.winners.checkpoint(position)
        if self.cursor.get() < position:
            self.cursor.set(position)

    def _finish(self) -> None:
        with suppress(EnvironmentFailure):  # read on from the checkpoint before: writing again is harmless
            self.winners.checkpoint(self.position)
        self.winners.close()

    async def _go_back(self, position: int) -> None:
        """The one cursor moves back; never a parallel replay."""
        if position < self.position:
            try:
                await self._worker.call(lambda: self.cursor.set(position))
            except EnvironmentFailure as failure:  # it stays asked for
                self._is("down", failure.cause)
                await asyncio.sleep(FIRST_RETRY_S)
                return
            self.position = position
        if self._rewind == position:  # else somebody wants it farther back
            self._rewind = None

    async def _until_more(self) -> None:
        """The log went on, or somebody wants a rewind."""
        self._retry_now.clear()
        if self._rewind is not None:
            return
        waiting = [
            asyncio.create_task(self._more(), name="store writer: more of the log"),
            asyncio.create_task(self._retry_now.wait(), name="store writer: rewind"),
        ]
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a log that fails must be heard
        finally:
            for task in waiting:
                task.cancel()

    async def _more(self) -> None:
        await self.more(self.position)


def series_of(plant: Plant) -> Callable[[int], Series]:
    """Where a store keeps each channel of the plant."""

    def series(channel: int) -> Series:
        one = plant.channels[channel]
        return Series(ReadingEncoder.measurement, one.name, reading_tags(plant, plant.meters[one.meter]))

    return series
