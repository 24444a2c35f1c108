"""The intake over a wire that is played here: what is promised to it, and in which order."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.errors import EnvironmentFailure
from ingest import intake
from ingest.clock import Clock
from ingest.intake import Intaker
from ingest.log import Log
from ingest.log.cursors import NAMES
from ingest.log.record import RecordKind
from ingest.session import Chunk, SessionState
from tests.ingest.log.logs import everything
from tests.waiting import until


class _PlayedWire:
    """Chunks put in by the test; notes what was acknowledged and how many chunks were asked for."""

    def __init__(self) -> None:
        self.state = SessionState("played")
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.acknowledged: list[bytes] = []
        self.taken = 0

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        while True:
            body = await self.queue.get()
            self.taken += 1

            def acknowledge(body: bytes = body) -> bool:
                self.acknowledged.append(body)
                return True

            yield Chunk(body, 5, 1, 1, acknowledge)


@asynccontextmanager
async def running(folder: Path, **options: int) -> AsyncIterator[tuple[Intaker, _PlayedWire, Log]]:
    log = Log(folder, **{"segment_bytes": 1 << 16, **options})
    wire = _PlayedWire()
    intaker = Intaker(log, wire, 7, Clock())
    task = asyncio.create_task(intaker.run(), name="intake")
    try:
        async with asyncio.timeout(20):
            yield intaker, wire, log
    finally:
        task.cancel()
        await asyncio.wait([task])
        log.close()


async def test_a_chunk_is_durable_before_it_is_acknowledged(tmp_path: Path) -> None:
    """At the moment of each acknowledgement the log already holds the chunk."""
    async with running(tmp_path) as (intaker, wire, log):
        held: list[bool] = []

        class Watched(list[bytes]):
            def append(self, body: bytes) -> None:
                held.append(log.read(0, 1 << 20)[-1].entry.body == body)
                super().append(body)

        wire.acknowledged = Watched()
        for n in range(20):
            wire.queue.put_nowait(b"chunk %d" % n)
        await until(lambda: len(wire.acknowledged) == 20)
        assert held == [True] * 20
        assert wire.acknowledged == [b"chunk %d" % n for n in range(20)]
        assert intaker.state.acknowledged == 20


async def test_commands_are_committed_and_tell_their_end(tmp_path: Path) -> None:
    """`submit` returns the end of the command's own record, also where several share a commit."""
    async with running(tmp_path) as (intaker, wire, log):
        wire.queue.put_nowait(b"frames")
        ends = await asyncio.gather(*(intaker.submit(b'{"n":%d}' % n) for n in range(10)))
        await until(lambda: wire.acknowledged)
        by_end = {record.end: record.entry for record in log.read(0, 1 << 20)}
        assert [by_end[end].body for end in ends] == [b'{"n":%d}' % n for n in range(10)]
        assert all(by_end[end].kind is RecordKind.COMMAND for end in ends)
        assert intaker.state.groups < 12


async def test_a_quiet_second_is_a_tick(tmp_path: Path) -> None:
    """While nothing arrives the log gets a tick a second, with receive times a second apart."""
    async with running(tmp_path) as (_, _, log):
        await until(lambda: log.durable >= 80)
        ticks = [record.entry for record in log.read(0, 1 << 20)]
        assert {entry.kind for entry in ticks} == {RecordKind.TICK}
        assert 900 <= ticks[1].received - ticks[0].received <= 1500


async def test_waiters_wake_when_the_log_grows(tmp_path: Path) -> None:
    """`wait(position)` returns as soon as there is something to read from that position, not before."""
    async with running(tmp_path) as (intaker, wire, log):
        here = log.durable
        waiting = [asyncio.create_task(intaker.wait(here), name=f"reader {n}") for n in range(3)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        wire.queue.put_nowait(b"frames")
        await asyncio.gather(*waiting)
        assert log.read(here, 1 << 20)


async def test_a_failing_disk_acknowledges_nothing_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the log cannot be written no chunk is acknowledged, a command is refused in words; then it goes on."""
    async with running(tmp_path) as (intaker, wire, log):
        wire.queue.put_nowait(b"before")
        await until(lambda: wire.acknowledged)
        with monkeypatch.context() as broken:

            def fail(*_: object) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            broken.setattr("ingest.log.segment._datasync", fail)
            broken.setattr("os.posix_fallocate", fail)
            wire.queue.put_nowait(b"during")
            await until(lambda: intaker.state.failure is not None)
            with pytest.raises(EnvironmentFailure, match="free space"):
                await intaker.submit(b"{}")
            assert wire.acknowledged == [b"before"]
        began = time.monotonic()
        await until(lambda: len(wire.acknowledged) == 2)
        assert time.monotonic() - began < 10
        assert intaker.state.failure is None
        frames = [record.entry.body for record in everything(log) if record.entry.kind is RecordKind.FRAMES]
        assert frames == wire.acknowledged == [b"before", b"during"]


def _all_handled(log: Log) -> None:
    for name in NAMES:
        log.cursors.set(name, log.durable)


async def test_a_full_quota_stops_intake_until_the_store_catches_up(tmp_path: Path) -> None:
    """With the quota full of bytes that a reader needs no further chunk is asked for until all have them."""
    async with running(tmp_path, quota=10_000) as (intaker, wire, log):
        for n in range(20):
            wire.queue.put_nowait(bytes([n]) * 2000)
        await until(lambda: intaker.state.pressed)
        taken = wire.taken
        assert taken < 8
        await asyncio.sleep(0.3)
        assert wire.taken == taken
        while len(wire.acknowledged) < 20:
            _all_handled(log)
            await asyncio.sleep(0.05)
        _all_handled(log)
        await until(lambda: not intaker.state.pressed)


async def test_the_event_loop_is_free_while_the_disk_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow fdatasync holds up its own group only; what comes meanwhile shares the next one."""
    monkeypatch.setattr("ingest.log.segment._datasync", lambda _fd: time.sleep(0.2))
    monkeypatch.setattr(intake, "TICK_S", 60.0)
    async with running(tmp_path) as (intaker, _, _log):
        commands = [asyncio.create_task(intaker.submit(b"1"), name="first")]
        await asyncio.sleep(0.05)
        commands += [asyncio.create_task(intaker.submit(b"2"), name="more") for _ in range(50)]
        worst, last = 0.0, time.monotonic()
        while not all(task.done() for task in commands):
            await asyncio.sleep(0.002)
            worst, last = max(worst, time.monotonic() - last), time.monotonic()
        assert worst < 0.15
        assert intaker.state.groups == 2
