"""`StoreWriter`: from the log into the store, at the store's pace, moving the store cursor.

Batch after batch: read, decode, choose the winners, encode; each of those in log order. The writes themselves overlap,
as many as the store gains by and each at most `BATCH_LINES`, while the next batch is made; the cursor moves over what
was answered, in log order. While the store is down what is out waits and everything else stays in the log, so memory
is flat and catching up is the same code as keeping up.

**No write overtakes another of the same key.** Writes that are out together may take effect in any order, so no two of
them may hold one (channel, ts). They do not: a row goes out while others are out only if it is beyond everything that
came before on its channel (`Winners`: not *late*), so nobody before it holds its key; and a batch with a late row
waits until all before it is answered. That is also what its question to the store needs, and what `remember` (durable
before anything is sent) has said by then.

A thin stream is gathered: behind a batch of less than a `THIN`-th of `READ_BYTES` the next is read `GATHER_S` later. A
request costs the same whatever is in it; a reading that comes alone waits for nobody.

After a failure all that is out is awaited, then tried again one by one from the oldest on, by the rule of
`ingest.store.patience`; each success then lets one more be out.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from ingest.decode.result import Decoded, Reject
from ingest.line_protocol import ReadingEncoder, reading_tags
from ingest.lines import Lines
from ingest.log.record import Record
from ingest.store.base import BadPoint, Series, Store, StoreDown
from ingest.store.patience import FIRST_RETRY_S, pause_s
from ingest.winners import Choice, Plan, Winners
from ingest.worker import Worker
from ingest.writer_parts import Batch, Flight, rejects_of
from ingest.writer_state import WriterCounts, WriterState

T = TypeVar("T")
Trouble = StoreDown | EnvironmentFailure

READ_BYTES = 1 << 20
BATCH_LINES = 10_000
CHECKPOINT_S = 1.0
DAMAGE_S = 0.2
THIN = 16
GATHER_S = 0.15


class Cursor(Protocol):
    """Where the store stands in the log; survives restarts."""

    def get(self) -> int:
        """Everything before this position is in the store."""
        ...

    def set(self, position: int) -> None:
        """Move it, durably."""
        ...


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
    _ahead: int = 0  # the log is read up to here; between `position` and this it is out
    _out: deque[Flight] = field(default_factory=deque)  # in log order
    _window: int = 1  # writes that may be out now
    _rewind: int | None = None
    _retry_now: asyncio.Event = field(default_factory=asyncio.Event)
    _saved: float = 0.0

    def __post_init__(self) -> None:
        self._encoder = ReadingEncoder(self.plant)
        self._worker = Worker("store writer")

    async def run(self) -> None:
        """Write until cancelled."""
        # The memory of winners may be a second behind the cursor: read on from there, writing again is harmless.
        self.position = self._ahead = min(self.cursor.get(), self.winners.reached)
        nothing = 0  # reads in a row that brought nothing
        try:
            while True:
                if self._rewind is not None:
                    await self._forget_what_is_out()
                    await self._go_back(self._rewind)
                    continue
                if self._out and time.monotonic() - self._saved >= CHECKPOINT_S:
                    await self._land(0)  # what the winners know is then exactly what is written: it can be saved
                    continue
                batch = await self._worker.call(self._read)
                if batch is not None:
                    nothing, thin = 0, batch.end - self._ahead < READ_BYTES // THIN
                    await self._take(batch)
                    if thin and await self._land(0):
                        await self._gather()
                elif self._out:
                    await self._land(0)
                else:
                    self.state.oldest = None
                    await self._checkpoint(at_once=True)
                    if (nothing := nothing + 1) > 1:  # damage at the log's end: it goes on, but nothing can be read
                        await asyncio.sleep(DAMAGE_S)
                    await self._until_more()
        finally:
            for flight in self._out:
                flight.task.cancel()
            await asyncio.gather(*(flight.task for flight in self._out), return_exceptions=True)
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

    # --- one batch ------------------------------------------------------------------------------

    def _read(self) -> Batch | None:
        """Read, decode and sort out; in the worker thread."""
        records = self.read(self._ahead, READ_BYTES)
        if not records:
            return None
        readings = self.decode(records).readings
        self.counts.read += len(readings)
        plan = self.winners.plan(readings) if len(readings) else None
        return Batch(records[-1].end, records[0].entry.received, plan)

    async def _take(self, batch: Batch) -> None:
        """Send one batch off, however long it takes to come so far; given up if a rewind makes it pointless."""
        if not self._out:
            self.state.oldest = batch.oldest
        if batch.plan is not None:
            if batch.plan.late and not await self._land(0):
                return
            ready = await self._ready(batch.plan)
            if ready is None or not await self._send(batch, len(batch.plan.readings), *ready):
                return
        elif self._out:
            self._out[-1].end = batch.end  # nothing to store: it is done with the one before
        else:
            self.position = batch.end
            await self._checkpoint()
        self._ahead = batch.end

    async def _ready(self, plan: Plan) -> tuple[Choice, Lines] | None:
        """What to send of a batch; None if a rewind came in between."""
        recalled = await self._persist(lambda: self._worker.call(lambda: self.winners.recall(plan)))
        asked = None if recalled is None else await self._persist(lambda: self._ask(recalled))
        if recalled is None or asked is None:
            return None
        choice, lines = await self._worker.call(lambda: self._encode(recalled, asked[0]))
        if choice.tracked and not await self._persist(lambda: self._remember(choice)):
            return None
        return choice, lines

    async def _send(self, batch: Batch, rows: int, choice: Choice, lines: Lines) -> bool:
        """Let its writes out as the window allows; False if a rewind came before the last was out."""
        total = len(lines.lines)
        for at in range(0, max(1, total), BATCH_LINES):
            if not await self._land(self._window - 1):
                return False
            part = lines.lines[at : at + BATCH_LINES]
            task = asyncio.create_task(self._write(part), name="store writer: one write")
            end = batch.end if at + BATCH_LINES >= total else None
            self._out.append(Flight(task, part, at, lines, choice, batch.oldest, rows, end))
        return True

    async def _write(self, part: Sequence[bytes]) -> list[BadPoint]:
        return await self.store.write(part) if part else []  # all duplicates: nothing to say

    async def _land(self, most: int) -> bool:
        """Wait until at most so many writes are out, and see to all that are answered; False if a rewind came."""
        landed = False
        while self._out and (len(self._out) > most or self._out[0].task.done()):
            flight = self._out[0]
            refused = await self._answer(flight)
            if refused is None or not await self._refuse(flight, refused):
                return False
            self._out.popleft()
            self._landed(flight)
            landed = True
        if landed:
            await self._checkpoint()
        return self._rewind is None

    async def _answer(self, flight: Flight) -> list[BadPoint] | None:
        """The store's answer to one write, which is tried until there is one; None if a rewind came in between."""
        await asyncio.wait([flight.task])
        if flight.failure is None:
            self._window = min(self._window + 1, max(1, self.store.writes_at_once))
            self._is("ok", "")
            return flight.task.result()
        # Whoever else is out will fail too, or land: then one at a time. A task is looked at once: what failed
        # beside the oldest is tried again as soon as that one is through, for the store answers then.
        self._window = 1
        await asyncio.wait([other.task for other in self._out])
        failures = [failure for other in self._out if not other.seen and (failure := other.failure)]
        for other in self._out:
            other.seen = True
        return await self._persist(lambda: self.store.write(flight.part), failures)

    def _landed(self, flight: Flight) -> None:
        self.counts.writes += 1
        self.counts.lines += len(flight.part)
        if flight.end is None:
            return
        self.counts.duplicate += flight.choice.duplicates
        self.counts.superseded += flight.choice.superseded
        # A late winner takes the place of one that was counted as stored before.
        self.counts.stored += flight.rows - flight.choice.duplicates - flight.choice.superseded
        self.position = flight.end
        if self._out:
            self.state.oldest = self._out[0].oldest

    async def _forget_what_is_out(self) -> None:
        """A rewind came: what is out does not count; but it is awaited, lest it land behind what is written again."""
        if self._out:
            await asyncio.gather(*(flight.task for flight in self._out), return_exceptions=True)
        self._out.clear()
        self._ahead = self.position

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

    async def _persist(self, attempt: Callable[[], Awaitable[T]], failed: Sequence[Trouble] = ()) -> T | None:
        """The attempt's result, waiting out a store or a disk that is down; None if a rewind came in between.

        `failed`: attempts that were already made, all at once.
        """
        failures = 0
        if failed:
            self.counts.failures += len(failed)
            failures = 1
            await self._bear(max(map(_down, failed), key=lambda down: down.retry_after), failures)
        while self._rewind is None:
            try:
                result = await attempt()
            except (StoreDown, EnvironmentFailure) as failure:
                failures += 1
                self.counts.failures += 1
                await self._bear(_down(failure), failures)
            else:
                self._is("ok", "")
                return result
        return None

    async def _bear(self, down: StoreDown, failures: int) -> None:
        self._is("paused" if down.standing else "down", down.cause)
        await self._wait(down, failures)

    async def _refuse(self, flight: Flight, bad: list[BadPoint]) -> bool:
        """Into quarantine; False if a rewind came before they were there: they are written, and refused, again."""
        if not bad:
            return True
        bad = [BadPoint(flight.at + b.line, b.field, b.reason) for b in bad]
        rejects = rejects_of(bad, flight.lines, flight.choice.readings, self.plant, self.store.name)
        if rejects:
            if await self._persist(lambda: self._quarantined(rejects)) is None:
                return False
            self.counts.refused += len(rejects)
            self.counts.stored -= len(rejects)
        return True

    async def _quarantined(self, rejects: list[Reject]) -> bool:
        await self.quarantine(rejects)
        return True

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

    # --- positions ------------------------------------------------------------------------------

    async def _checkpoint(self, *, at_once: bool = False) -> None:
        """Move the cursor; the winners' memory follows about once a second and when all is written."""
        # While something is out the winners know more than is written: after a crash that would all be late.
        due = time.monotonic() - self._saved >= CHECKPOINT_S and not self._out
        if save := due or (at_once and self.winners.reached != self.position):
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
            self.position = self._ahead = position
        if self._rewind == position:  # else somebody wants it farther back
            self._rewind = None

    async def _gather(self) -> None:
        """Let more come in; not if somebody wants a rewind."""
        self._retry_now.clear()
        if self._rewind is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._retry_now.wait()

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


def _down(failure: Trouble) -> StoreDown:
    return failure if isinstance(failure, StoreDown) else StoreDown(failure.cause)


def series_of(plant: Plant) -> Callable[[int], Series]:
    """Where a store keeps each channel of the plant."""

    def series(channel: int) -> Series:
        one = plant.channels[channel]
        return Series(ReadingEncoder.measurement, one.name, reading_tags(plant, plant.meters[one.meter]))

    return series
