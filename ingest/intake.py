"""`Intaker`: what arrives becomes durable, then it is acknowledged.

One group at a time: while fdatasync runs, chunks, commands and ticks gather; the next group takes them all. That is
the whole of group commit, and it bounds memory: one chunk is being written, one backlog of the wire is filling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate

from devices.errors import EnvironmentFailure
from ingest.clock import Clock
from ingest.gate import Gate
from ingest.log import Log
from ingest.log.codec import size
from ingest.log.record import Entry, RecordKind
from ingest.session.chunk import Intake

TICK_S = 1.0
PRUNE_S = 10.0
RETRY_S = (0.5, 2.0)
"""Pauses after a log that could not be written: the first, and the longest."""
PRESSED = 1.0
"""`Log.pressure()` from which on nothing more is taken in. Commands and ticks still are: they are small."""


@dataclass(slots=True)
class IntakeState:
    """What page and metrics show of the intake."""

    groups: int = 0  # commits
    chunks: int = 0
    frames: int = 0
    bytes: int = 0
    acknowledged: int = 0  # frames whose PUBACKs were sent; less than `frames` after a cut: they come again
    ticks: int = 0
    commands: int = 0
    failure: EnvironmentFailure | None = None  # why nothing can be made durable now
    pressed: bool = False  # the log's quota is full of what some reader still needs


@dataclass(slots=True)
class _Waiting:
    kind: RecordKind
    body: bytes
    mqtt: int
    done: asyncio.Future[int]  # the record's end


class Intaker:
    """Moves chunks, commands and ticks into the log."""

    def __init__(
        self,
        log: Log,
        session: Intake,
        registry_version: int,
        clock: Clock,
        *,
        gate: Gate | None = None,
        reached: Callable[[str], None] = lambda _point: None,
    ) -> None:
        """`gate` is how far others may read; `reached` is told of "appended" and "acknowledged", group by group:
        where fault tests kill.
        """
        self.log, self.session, self.clock = log, session, clock
        self.gate = gate or Gate(log)
        self.state = IntakeState()
        self._judged_wrong = False  # until the next start
        self._accepting: asyncio.Future[int] | None = None  # somebody says that the wall clock is right
        self._registry, self._reached = registry_version, reached
        self._waiting: list[_Waiting] = []
        self._wanted = asyncio.Event()
        self._grown = asyncio.Event()  # replaced by a new one at each commit
        self._busy = False  # something arrived since the last tick
        self._thread = ThreadPoolExecutor(1, "log")

    async def run(self) -> None:
        """Work until cancelled. What was not acknowledged by then is sent again by the broker."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.session.run(), name="intake.session")
                group.create_task(self._take_chunks(), name="intake.chunks")
                group.create_task(self._commit_groups(), name="intake.commit")
                group.create_task(self._tick(), name="intake.ticks")
                group.create_task(self._prune(), name="intake.prune")
        finally:
            await asyncio.to_thread(self._thread.shutdown)  # a write that runs is finished, not abandoned

    async def submit(self, command: bytes) -> int:
        """Make an operator's command durable; the end of its record. Raises EnvironmentFailure."""
        return await self._put(RecordKind.COMMAND, command)

    async def wait(self, position: int) -> None:
        """Return when the log has a durable record at or behind `position` that may be read."""
        while self.gate.end <= position:
            await self._grown.wait()

    async def accept_clock(self) -> int:
        """The wall clock is right, though it jumped: judge by it. By how many ms it had jumped; 0: it had not.

        Where it is behind the log (< 0), what came while the clock was ahead was judged by a time that never was: the
        program must start anew to judge it by the right one, and the gate stays shut until then.

        Raises EnvironmentFailure where that cannot be kept; then everything is held as before.
        """
        if self._accepting is None:
            self._accepting = asyncio.get_running_loop().create_future()
        accepting = self._accepting
        self._wanted.set()
        return await asyncio.shield(accepting)

    # --- tasks ---------------------------------------------------------------------------------

    async def _take_chunks(self) -> None:
        chunks = self.session.chunks()
        while True:
            await self._unpressed()
            chunk = await anext(chunks)
            await self._put(RecordKind.FRAMES, chunk.frames, chunk.mqtt)
            state = self.state
            state.chunks, state.frames = state.chunks + 1, state.frames + chunk.count
            state.bytes += len(chunk.frames)
            if chunk.acknowledge():
                state.acknowledged += chunk.count
            self._reached("acknowledged")

    async def _unpressed(self) -> None:
        while self.log.pressure() >= PRESSED:
            self.state.pressed = True
            await asyncio.sleep(0.2)
        self.state.pressed = False

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if not self._busy:
                try:
                    await self._put(RecordKind.TICK, b"")
                except EnvironmentFailure:  # is in the state; the next tick finds out whether it is over
                    continue
                self.state.ticks += 1
            self._busy = False

    async def _prune(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PRUNE_S)
            await loop.run_in_executor(self._thread, self.log.prune)

    # --- group commit --------------------------------------------------------------------------

    async def _put(self, kind: RecordKind, body: bytes, mqtt: int = 0) -> int:
        waiting = _Waiting(kind, body, mqtt, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._wanted.set()
        return await waiting.done

    async def _commit_groups(self) -> None:
        pause = RETRY_S[0]
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            group, self._waiting = [item for item in self._waiting if not item.done.cancelled()], []
            try:
                await self._commit(group)
            except EnvironmentFailure as failure:
                self.state.failure = failure
                self._give_up(group, failure)
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_S[1])
            else:
                self.state.failure, pause = None, RETRY_S[0]

    async def _follow_clock(self) -> int:
        """The receive time of what comes next. Between two commits: what was held has an exact end."""
        now, accepting, jump = self.clock.stamp(), self._accepting, self.clock.jump
        if accepting is not None:
            self._accepting = None
            try:
                accepting.set_result(await self._accept(jump.offset if jump else 0))
            except EnvironmentFailure as failure:
                accepting.set_exception(failure)
                return now
            now = self.clock.stamp()
        elif jump is not None and jump.at_start and jump.offset > 0:  # set right since: it is behind the log no more
            with suppress(EnvironmentFailure):  # then at the next commit
                await self._accept(jump.offset)
                now = self.clock.stamp()
        if self.clock.jump is not None or self._judged_wrong:
            self.gate.close()
        elif self.gate.shut or accepting is not None:
            self.gate.open()
            self._tell_grown()
        return now

    async def _accept(self, offset: int) -> int:
        """Raises EnvironmentFailure where it cannot be kept."""
        if offset < 0:
            wall = self.clock.stamp() + offset
            wrong_from = await asyncio.get_running_loop().run_in_executor(self._thread, self.gate.first_after, wall)
            self.gate.shift_from(wrong_from, offset)
            self._judged_wrong = True
        else:
            self.gate.shift(offset)
        self.clock.accept(offset)
        return offset

    async def _commit(self, group: list[_Waiting]) -> None:
        """Raises EnvironmentFailure, then nothing of the group is durable."""
        now = await self._follow_clock()
        if not group:
            return
        entries = [Entry(item.kind, item.body, now, self._registry, item.mqtt) for item in group]
        loop = asyncio.get_running_loop()
        end = await loop.run_in_executor(self._thread, self.log.append, entries)
        self._reached("appended")
        self.state.groups += 1
        sizes = [size(entry) for entry in entries]
        start = end - sum(sizes)
        for item, behind in zip(group, accumulate(sizes), strict=True):
            if not item.done.done():
                item.done.set_result(start + behind)
            self._busy = self._busy or item.kind is not RecordKind.TICK
        self._tell_grown()

    def _tell_grown(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    def _give_up(self, group: list[_Waiting], failure: EnvironmentFailure) -> None:
        """Frames are tried again until they are durable; whoever sent a command is told at once."""
        again = [item for item in group if item.kind is RecordKind.FRAMES]
        for item in group:
            if item.kind is not RecordKind.FRAMES and not item.done.done():
                item.done.set_exception(failure)
        self._waiting[:0] = again
        if self._waiting:
            self._wanted.set()
