from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devices.errors import EnvironmentFailure
from devices.readings import Readings
from ingest import writer as module
from ingest.decode.result import Decoded, Reject
from ingest.log.record import Entry, Record, RecordKind
from ingest.store import patience
from ingest.store.base import BadPoint, StoreDown
from ingest.store.embedded import EmbeddedStore
from ingest.winners import Winner, Winners
from ingest.writer import StoreWriter, series_of
from ingest.writer_parts import REFUSED_ITEM
from tests.ingest.small_plant import small_plant
from tests.ingest.store.contract import held

PLANT = small_plant()
T0 = 1_763_800_000_000
SIZE = 100
"""Bytes of address space that each record of the small log takes."""


class SmallLog:
    """A log in memory: one record holds a few readings of (channel, ts, text)."""

    def __init__(self) -> None:
        self.bodies: list[list[tuple[int, int, bytes]]] = []
        self.more_came = asyncio.Event()

    def append(self, *rows: tuple[int, int, bytes]) -> None:
        self.bodies.append(list(rows))
        self.more_came.set()

    def read(self, start: int, max_bytes: int) -> list[Record]:
        chosen = range(start // SIZE, min(len(self.bodies), start // SIZE + max(1, max_bytes // SIZE)))
        entries = {i: Entry(RecordKind.FRAMES, b"%d" % i, T0 + i, 1, 5) for i in chosen}
        return [Record(entry, i * SIZE, i * SIZE + 1, (i + 1) * SIZE) for i, entry in entries.items()]

    def decode(self, records: Sequence[Record]) -> Decoded:
        rows = [(r, row) for r in records for row in self.bodies[int(r.entry.body)]]
        readings = Readings.of(
            [c for _, (c, _, _) in rows],
            [t for _, (_, t, _) in rows],
            [0] * len(rows),
            received=[r.entry.received for r, _ in rows],
            position=[r.body_at for r, _ in rows],
            numbers=[n for _, (_, _, n) in rows],
        )
        return Decoded(readings)

    async def more(self, position: int) -> None:
        while position >= len(self.bodies) * SIZE:
            self.more_came.clear()
            await self.more_came.wait()

    @property
    def end(self) -> int:
        return len(self.bodies) * SIZE


class MovableCursor:
    def __init__(self) -> None:
        self.at, self.moves = 0, list[int]()

    def get(self) -> int:
        return self.at

    def set(self, position: int) -> None:
        self.at = position
        self.moves.append(position)


@dataclass
class Moody:
    """The embedded store behind a mood: a function that may raise before each write."""

    inner: EmbeddedStore
    mood: Callable[[], None] = lambda: None
    name: str = "moody store"
    attempts: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    in_flight: int = 0

    async def write(self, lines: Sequence[bytes]) -> list[BadPoint]:
        assert self.in_flight < self.inner.writes_at_once, "too many writes in flight"
        self.in_flight += 1
        try:
            self.attempts.append(time.monotonic())
            self.mood()
            self.sizes.append(len(lines))
            return await self.inner.write(lines)
        finally:
            self.in_flight -= 1

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


@dataclass
class Bench:
    log: SmallLog
    store: Moody
    cursor: MovableCursor
    folder: Path
    rejects: list[Reject] = field(default_factory=list)
    writer: StoreWriter = field(init=False)
    task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.writer = StoreWriter(
            read=self.log.read, more=self.log.more, decode=self.log.decode, plant=PLANT,
            store=self.store,  # type: ignore[arg-type] # what it lacks it takes from the embedded store
            cursor=self.cursor, winners=Winners(self.folder / "winners.db", PLANT, series_of(PLANT)),
            quarantine=lambda rejects: self.keep(rejects),
        )  # fmt: skip
        self.task = asyncio.create_task(self.writer.run(), name="writer under test")

    async def keep(self, rejects: Sequence[Reject]) -> None:
        self.rejects += rejects

    async def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def until(self, true: Callable[[], bool], within: float = 5.0) -> None:
        deadline = time.monotonic() + within
        while not true():
            assert self.task is not None
            if self.task.done():
                await self.task
            assert time.monotonic() < deadline, (self.cursor.at, self.log.end, self.writer.state)
            await asyncio.sleep(0.002)

    async def done(self) -> None:
        await self.until(lambda: self.cursor.at == self.log.end and self.writer.state.oldest is None)

    async def held(self, channel: int = 0) -> list[tuple[int, float | str]]:
        return await held(self.store.inner, series_of(PLANT)(channel), 0, T0 * 2)


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    for name, value in {"FIRST_RETRY_S": 0.02, "LAST_RETRY_S": 0.05, "STANDING_RETRY_S": 0.1}.items():
        monkeypatch.setattr(patience, name, value)
    it = Bench(SmallLog(), Moody(EmbeddedStore(tmp_path / "store")), MovableCursor(), tmp_path)
    yield it
    if it.task:
        await it.stop()
    await it.store.inner.close()


async def test_it_keeps_up(bench: Bench) -> None:
    """What is logged is stored and the cursor stands at the end; what comes later too."""
    bench.log.append((0, T0, b"1.5"), (1, T0, b"2"))
    bench.start()
    await bench.done()
    bench.log.append((0, T0 + 1, b"2.5"))
    await bench.done()
    assert await bench.held() == [(T0, 1.5), (T0 + 1, 2.5)]
    assert (bench.writer.counts.read, bench.writer.counts.stored) == (3, 3)
    assert bench.writer.state.text(T0) == "ok"


async def test_the_cursor_moves_only_after_the_store_answered(bench: Bench) -> None:
    """While the store is down it stays; then it moves and nothing is missing."""
    gate = {"open": False}

    def mood() -> None:
        if not gate["open"]:
            raise StoreDown("connection refused")

    bench.store.mood = mood
    bench.log.append((0, T0, b"1"))
    bench.start()
    await bench.until(lambda: len(bench.store.attempts) >= 3)
    assert bench.cursor.at == 0
    assert bench.writer.state.condition == "down"
    assert bench.writer.state.text(bench.writer.state.since + 40_000) == "DOWN since 40 s: connection refused"
    assert bench.writer.state.late_s(T0 + 40_000) == 40.0
    gate["open"] = True
    await bench.done()
    assert bench.writer.state.text(T0) == "ok"
    assert await bench.held() == [(T0, 1.0)]


async def test_memory_is_flat_while_the_store_is_down(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """One read of the log is out and one in hand, however far the log grows; then it drains in big batches."""
    monkeypatch.setattr(module, "READ_BYTES", 500 * SIZE)
    reads: list[int] = []
    read = bench.log.read
    bench.log.read = lambda start, most: reads.append(start) or read(start, most)  # type: ignore[method-assign, func-returns-value]
    gate = {"open": False}

    def mood() -> None:
        if not gate["open"]:
            raise StoreDown("away")

    bench.store.mood = mood
    bench.log.append((0, T0, b"1"))
    bench.start()
    await bench.until(lambda: len(bench.store.attempts) >= 2)
    for i in range(1, 3000):
        bench.log.append((0, T0 + i, b"1"))
    await bench.until(lambda: len(bench.store.attempts) >= 5)
    assert len(reads) <= 2
    gate["open"] = True
    await bench.done()
    assert len(await bench.held()) == 3000
    assert max(bench.store.sizes) == 500


async def test_batches_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most BATCH_LINES lines in one write."""
    monkeypatch.setattr(module, "BATCH_LINES", 50)
    bench.log.append(*[(0, T0 + i, b"1") for i in range(175)])
    bench.start()
    await bench.done()
    assert bench.store.sizes == [50, 50, 50, 25]


async def test_retry_after_is_honoured(bench: Bench) -> None:
    """No attempt before the time that the store asked for."""
    moods = iter([StoreDown("429", retry_after=0.4)])

    def mood() -> None:
        for down in moods:
            raise down

    bench.store.mood = mood
    bench.log.append((0, T0, b"1"))
    bench.start()
    await bench.done()
    first, second = bench.store.attempts
    assert second - first >= 0.39


async def test_attempts_are_a_second_apart() -> None:
    """The pauses that users get: never under one second, jittered, up to five."""
    pauses: list[float] = []
    writer = StoreWriter.__new__(StoreWriter)
    writer._retry_now = asyncio.Event()

    class Timed:
        def __init__(self, seconds: float) -> None:
            pauses.append(seconds)

        async def __aenter__(self) -> None:
            raise TimeoutError

        async def __aexit__(self, *_: object) -> None: ...

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.asyncio, "timeout", Timed)
        for failures in range(1, 200):
            await writer._wait(StoreDown("away"), failures)
    assert min(pauses) >= 1.0
    assert 2.0 < max(pauses) <= 5.0
    assert len(set(pauses)) > 100


async def test_a_standing_refusal_pauses_and_heals(bench: Bench) -> None:
    """401: paused with the store's words, nothing dropped; goes on once the token works."""
    gate = {"open": False}

    def mood() -> None:
        if not gate["open"]:
            raise StoreDown("answered 401: unauthorized access", standing=True)

    bench.store.mood = mood
    bench.log.append((0, T0, b"1"))
    bench.start()
    await bench.until(lambda: bench.writer.state.condition == "paused")
    assert "unauthorized access" in bench.writer.state.text(T0)
    gate["open"] = True
    bench.writer._retry_now.set()
    await bench.done()
    assert await bench.held() == [(T0, 1.0)]


async def test_bad_fields_are_quarantined_with_their_place(bench: Bench) -> None:
    """The reading that the store will never take goes to quarantine in its words; the rest is stored."""
    await bench.store.inner.write([b'reading,area=pyro,enterprise=acme,line=k1,meter=k1-kiln,site=wuhu coal="x" 1'])
    bench.log.append((2, T0, b"7"))
    bench.log.append((0, T0, b"1"), (1, T0, b"2"), (0, T0 + 1, b"3"))
    bench.start()
    await bench.done()
    (reject,) = bench.rejects
    assert (reject.position, reject.item) == (SIZE + 1, REFUSED_ITEM + 1)
    assert reject.reason == "store-refused"
    assert "type" in reject.cause
    assert reject.where == "meter k1-kiln, channel coal"
    assert reject.topic == "plant/acme/wuhu/pyro/k1/k1-kiln"
    assert [v for _, v in await bench.held(0)] == [1.0, 3.0]
    counts = bench.writer.counts
    assert (counts.read, counts.stored, counts.refused) == (4, 3, 1)


async def test_a_restart_goes_on(bench: Bench) -> None:
    """Stopped anywhere, started again: every reading once."""
    for i in range(40):
        bench.log.append((0, T0 + i, b"%d" % i))
    bench.start()
    await bench.until(lambda: bench.cursor.at > 0)
    await bench.stop()
    for i in range(40, 60):
        bench.log.append((0, T0 + i, b"%d" % i))
    bench.start()
    await bench.done()
    assert await bench.held() == [(T0 + i, float(i)) for i in range(60)]


async def test_rewind_writes_again_what_the_store_lost(bench: Bench) -> None:
    """The one cursor goes back; everything from there is in the store again, nothing double."""
    for i in range(30):
        bench.log.append((0, T0 + i, b"%d" % i))
    bench.start()
    await bench.done()
    bench.store.inner._db.execute("DELETE FROM value WHERE ts >= ?", (T0 + 10,))
    bench.store.inner._db.commit()
    bench.writer.rewind(5 * SIZE)
    await bench.until(lambda: 5 * SIZE in bench.cursor.moves)
    await bench.done()
    assert await bench.held() == [(T0 + i, float(i)) for i in range(30)]


async def test_rewind_while_the_store_is_down(bench: Bench) -> None:
    """The batch in hand is given up, not written out of order."""
    gate = {"open": True}

    def mood() -> None:
        if not gate["open"]:
            raise StoreDown("away")

    bench.store.mood = mood
    bench.log.append((0, T0, b"1"))
    bench.start()
    await bench.done()
    gate["open"] = False
    bench.log.append((0, T0 + 1, b"2"))
    await bench.until(lambda: bench.writer.state.condition == "down")
    bench.writer.rewind(0)
    await bench.until(lambda: bench.cursor.at == 0)
    gate["open"] = True
    await bench.done()
    assert await bench.held() == [(T0, 1.0), (T0 + 1, 2.0)]


async def test_a_rewind_does_not_lose_what_the_store_refuses(bench: Bench) -> None:
    """Refused, and on its way into a quarantine whose disk is full, when the operator rewinds to what comes later."""
    full = True

    async def keep(rejects: Sequence[Reject]) -> None:
        if full:
            raise EnvironmentFailure("no space left on device")
        bench.rejects += rejects

    async def refuse(lines: Sequence[bytes]) -> list[BadPoint]:
        return [BadPoint(n, "", "beyond retention") for n in range(len(lines))]

    bench.keep = keep  # type: ignore[method-assign]
    bench.store.write = refuse  # type: ignore[method-assign]
    bench.log.append((0, T0, b"1"))
    bench.start()
    await bench.until(lambda: bench.writer.state.condition == "down")
    bench.writer.rewind(bench.log.end)
    full = False
    await bench.done()
    assert [(r.reason, r.position) for r in bench.rejects] == [("store-refused", 1)]
    assert (bench.writer.counts.refused, bench.writer.counts.stored) == (1, 0)


async def test_a_store_that_may_not_be_asked(bench: Bench) -> None:
    """A token that can only write: late readings are written in log order, and the state says so."""

    async def refuse(_: object) -> list[dict[int, float | str]]:
        raise StoreDown("database not found", standing=True)

    bench.store.look_up = refuse  # type: ignore[attr-defined]
    bench.log.append((0, T0 + 5, b"1"))
    bench.start()
    await bench.done()
    assert not bench.writer.state.blind
    bench.log.append((0, T0, b"2"))
    await bench.done()
    assert bench.writer.state.blind
    assert "may not read" in bench.writer.state.text(T0)
    assert await bench.held() == [(T0, 2.0), (T0 + 5, 1.0)]


async def test_the_loop_stays_free(bench: Bench) -> None:
    """However long decoding takes, the event loop goes on beating."""
    decode = bench.log.decode

    def slow(records: Sequence[Record]) -> Decoded:
        time.sleep(1.5)
        return decode(records)

    bench.log.decode = slow  # type: ignore[method-assign]
    longest, last = 0.0, time.monotonic()

    async def pulse() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()

    beat = asyncio.create_task(pulse(), name="pulse")
    bench.log.append((0, T0, b"1"))
    bench.start()
    await bench.done()
    beat.cancel()
    assert longest < 1.0


async def test_damage_at_the_end_of_the_log_does_not_spin(bench: Bench) -> None:
    """The log says that it goes on but nothing can be read: it is asked a few times a second, not ten thousand."""
    asked: list[int] = []

    async def at_once(_: int) -> None: ...

    bench.log.more = at_once  # type: ignore[method-assign]
    bench.log.read = lambda start, _: asked.append(start) or []  # type: ignore[method-assign, func-returns-value]
    bench.start()
    await asyncio.sleep(0.5)
    assert 1 < len(asked) < 8


async def test_a_failing_log_is_heard(bench: Bench) -> None:
    """What waiting for more raises ends the task, it is not swallowed."""

    async def broken(_: int) -> None:
        raise OSError("disk")

    bench.log.more = broken  # type: ignore[method-assign]
    bench.start()
    assert bench.task is not None
    with pytest.raises(OSError, match="disk"):
        await asyncio.wait_for(bench.task, 5)


async def test_a_full_disk_under_the_memory_is_waited_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who won cannot be written down: nothing is sent before it can, the page says why, and nobody dies of it."""
    full = {"is": True}

    def refuse(old: Callable[..., None]) -> Callable[..., None]:
        def wrapped(*args: object) -> None:
            if full["is"] and args[1]:
                raise EnvironmentFailure("the disk is full")
            old(*args)

        return wrapped

    for name in ("remember", "checkpoint"):
        monkeypatch.setattr(Winners, name, refuse(getattr(Winners, name)))
    bench.log.append((0, T0, b"1"), (0, T0, b"2"))
    bench.start()
    await bench.until(lambda: "the disk is full" in bench.writer.state.text(T0))
    assert bench.store.attempts == []
    full["is"] = False
    await bench.done()
    assert await bench.held() == [(T0, 2.0)]
    full["is"] = True  # now only the checkpoint fails
    bench.log.append((0, T0 + 1, b"3"))
    await bench.until(lambda: bench.writer.state.condition == "down" and len(bench.store.attempts) == 2)
    full["is"] = False
    bench.log.append((0, T0 + 2, b"4"))
    await bench.done()
    assert bench.writer.state.condition == "ok"


def test_a_full_memory_says_so(tmp_path: Path) -> None:
    """SQLite's own error becomes a cause, a place and a mend."""
    winners = Winners(tmp_path / "winners.db", PLANT, series_of(PLANT))
    pages = winners._db.execute("PRAGMA page_count").fetchone()[0]
    winners._db.execute(f"PRAGMA max_page_count = {pages}")
    many = {(0, T0 + k): Winner(0, b"1", 78, [(0, 1.0), (0, 2.0)]) for k in range(5_000)}
    with pytest.raises(EnvironmentFailure, match="full"):
        winners.remember(many)
    winners._db.execute("PRAGMA max_page_count = 1000000")
    winners.remember(many)
    winners.close()


async def test_a_thin_stream_is_gathered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading that comes alone is written at once; those that come in the moment after it go together."""
    monkeypatch.setattr(module, "GATHER_S", 1.0)
    bench.start()
    begun = time.monotonic()
    bench.log.append((0, T0, b"1"))
    await bench.until(lambda: len(bench.store.sizes) == 1)
    assert time.monotonic() - begun < module.GATHER_S
    for number in range(1, 6):
        bench.log.append((0, T0 + number, b"%d" % number))
        await asyncio.sleep(0.01)
    await bench.done()
    assert bench.store.sizes == [1, 5]
