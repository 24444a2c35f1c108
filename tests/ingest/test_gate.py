"""A wall clock that jumps: everything is kept, nothing is judged, until it comes back or is accepted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devices.errors import DamagedData
from ingest.clock import Clock
from ingest.clock_shifts import ClockShifts, Shift
from ingest.gate import Gate
from ingest.intake import Intaker
from ingest.log import Log
from ingest.log.record import Entry, Record, RecordKind
from tests.ingest.test_intake import _PlayedWire
from tests.waiting import until

HOUR = 3_600_000
T = 1_767_225_600_000


@dataclass
class Bench:
    """An intake whose clocks stand where the test puts them."""

    folder: Path
    wall: int = T
    steady: int = 0
    wire: _PlayedWire = field(default_factory=_PlayedWire)

    def __post_init__(self) -> None:
        self.log = Log(self.folder / "log", segment_bytes=1 << 16)
        shifts = ClockShifts(self.folder / "clock-shifts.json")
        self.clock = Clock(
            floor=self.log.received - shifts.ahead,
            ahead=shifts.ahead,
            wall=lambda: self.wall,
            steady=lambda: self.steady,
        )
        self.gate = Gate(self.log, shifts)
        self.intaker = Intaker(self.log, self.wire, 7, self.clock, gate=self.gate)

    async def chunk(self, body: bytes, after: int = 1_000) -> None:
        """Time passes, a chunk comes and is acknowledged."""
        self.wall, self.steady = self.wall + after, self.steady + after
        self.wire.queue.put_nowait(body)
        await until(lambda: body in self.wire.acknowledged)

    def read(self) -> list[tuple[bytes, int]]:
        """(body, receive time less T) of the frames that may be read."""
        found, position = [], self.log.first
        while records := self.gate.read(position, 1 << 20):
            found += [(r.entry.body, r.entry.received - T) for r in records if r.entry.kind is RecordKind.FRAMES]
            position = records[-1].end
        return found


@asynccontextmanager
async def running(folder: Path, bench: Bench | None = None) -> AsyncIterator[Bench]:
    bench = bench or Bench(folder)
    task = asyncio.create_task(bench.intaker.run(), name="intake")
    try:
        async with asyncio.timeout(20):
            yield bench
    finally:
        task.cancel()
        await asyncio.wait([task])
        bench.log.close()


async def test_a_jump_holds_and_what_comes_is_still_acknowledged(tmp_path: Path) -> None:
    """What came before may be read; what comes after is durable and acknowledged, and waits."""
    async with running(tmp_path) as bench:
        await bench.chunk(b"before")
        bench.wall += HOUR
        await bench.chunk(b"after")
        assert bench.read() == [(b"before", 1_000)]
        assert bench.gate.shut
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await bench.intaker.wait(bench.gate.end)


async def test_the_clock_comes_back(tmp_path: Path) -> None:
    """What was held was received by the time that went on; who waited is woken."""
    async with running(tmp_path) as bench:
        bench.wall += HOUR
        await bench.chunk(b"held")
        waiting = asyncio.create_task(bench.intaker.wait(bench.gate.end), name="waiting")
        bench.wall -= HOUR
        await bench.chunk(b"back")
        await waiting
        assert bench.read() == [(b"held", 1_000), (b"back", 2_000)]


async def test_the_clock_is_accepted(tmp_path: Path) -> None:
    """What was held was received an hour later than it says; so it is after a restart too."""
    async with running(tmp_path) as bench:
        await bench.chunk(b"before")
        bench.wall += HOUR
        await bench.chunk(b"held")
        assert await bench.intaker.accept_clock() == HOUR
        await bench.chunk(b"on")
        expected = [(b"before", 1_000), (b"held", HOUR + 2_000), (b"on", HOUR + 3_000)]
        assert bench.read() == expected
        assert await bench.intaker.accept_clock() == 0
    again = Bench(tmp_path, wall=T + 2 * HOUR)
    assert again.read() == expected
    again.log.close()


async def test_a_step_back_is_accepted(tmp_path: Path) -> None:
    """The log was written an hour ahead: from there on it is read an hour earlier, and it never stands still."""
    async with running(tmp_path) as bench:
        await bench.chunk(b"true")
        bench.wall, bench.steady = bench.wall + HOUR, bench.steady + HOUR
        await bench.chunk(b"ahead")  # nobody could know
        bench.wall -= HOUR
        await bench.chunk(b"held")
        assert await bench.intaker.accept_clock() == -HOUR
        await bench.chunk(b"on")
        assert bench.read() == [(b"true", 1_000), (b"ahead", 2_000)]  # the gate stays shut until the next start
    again = Bench(tmp_path, wall=bench.wall, steady=5)
    assert again.read() == [(b"true", 1_000), (b"ahead", 2_000), (b"held", 3_000), (b"on", 4_000)]
    assert again.clock.ahead == HOUR
    again.log.close()


async def test_a_machine_that_starts_behind_its_log(tmp_path: Path) -> None:
    """What comes before its clock is set right is held, and then was received by the right one."""
    async with running(tmp_path) as bench:
        await bench.chunk(b"before")
    again = Bench(tmp_path, wall=T - 10 * HOUR, steady=5)
    async with running(tmp_path, again) as bench:
        await bench.chunk(b"held")
        assert bench.read() == [(b"before", 1_000)]
        bench.wall = T + HOUR
        await bench.chunk(b"on")
        assert bench.read() == [(b"before", 1_000), (b"held", HOUR), (b"on", HOUR + 1_000)]


async def test_two_jumps(tmp_path: Path) -> None:
    """Each keeps its own shift."""
    async with running(tmp_path) as bench:
        for body in (b"one", b"two"):
            bench.wall += HOUR
            await bench.chunk(body)
            await bench.intaker.accept_clock()
        assert bench.read() == [(b"one", HOUR + 1_000), (b"two", 2 * HOUR + 2_000)]


def test_what_comes_while_it_shuts_is_held(tmp_path: Path) -> None:
    """The gate shuts, and a record comes, between the reader's look at it and its reading of the log."""
    log = Log(tmp_path / "log", segment_bytes=1 << 16)
    gate = Gate(log)
    log.append([Entry(RecordKind.FRAMES, b"before", T, 7, 1)])
    read = log.read

    def read_later(start: int, most: int) -> list[Record]:
        gate.close()
        log.append([Entry(RecordKind.FRAMES, b"held", T + HOUR, 7, 1)])
        return read(start, most)

    log.read = read_later  # type: ignore[method-assign]
    assert [r.entry.body for r in gate.read(log.first, 1 << 20)] == [b"before"]
    log.close()


def test_shifts_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    """Guessing would change what is decoded."""
    (tmp_path / "shifts").write_text("[[1, 2]]")
    with pytest.raises(DamagedData, match="clock shifts"):
        ClockShifts(tmp_path / "shifts")


def test_a_shift_survives(tmp_path: Path) -> None:
    """It is in the file before it counts."""
    ClockShifts(tmp_path / "shifts").add(Shift(10, 20, -5))
    ClockShifts(tmp_path / "shifts").add(Shift(20, 30, 5))
    assert (tmp_path / "shifts").read_text() == "[[10, 20, -5], [20, 30, 5]]"
