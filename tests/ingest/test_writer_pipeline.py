"""Writes that overlap: in whatever order they are answered, nothing is lost, no older value wins, the cursor waits."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest import writer as module
from ingest.contested import Winner
from ingest.late import Keys
from ingest.store import patience
from ingest.store.base import BadPoint, Span, StoreDown
from ingest.store.embedded import EmbeddedStore
from tests.ingest.test_writer import SIZE, T0, Bench, MovableCursor, SmallLog


@dataclass
class Unordered:
    """The embedded store behind a door where up to four writes wait until `let` says which goes in next."""

    inner: EmbeddedStore
    name: str = "unordered store"
    writes_at_once: int = 4
    waiting: list[tuple[asyncio.Event, Sequence[bytes]]] = field(default_factory=list)
    most: int = 0
    refuse: Callable[[Sequence[bytes]], None] = lambda _: None
    written: list[int] = field(default_factory=list)  # newest time of each write, as they took effect

    async def write(self, lines: Sequence[bytes]) -> list[BadPoint]:
        door = asyncio.Event()
        self.waiting.append((door, lines))
        self.most = max(self.most, len(self.waiting))
        await door.wait()
        self.refuse(lines)
        bad = await self.inner.write(lines)
        self.written.append(max(int(line.rsplit(b" ", 1)[1]) for line in lines))
        return bad

    def let(self, which: int) -> None:
        self.waiting.pop(which)[0].set()

    async def look_up(self, spans: Sequence[Span]) -> list[dict[int, float | str]]:
        return await self.inner.look_up(spans)


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    for name, value in {"FIRST_RETRY_S": 0.02, "LAST_RETRY_S": 0.05, "STANDING_RETRY_S": 0.1}.items():
        monkeypatch.setattr(patience, name, value)
    monkeypatch.setattr(module, "READ_BYTES", SIZE)  # a record a batch
    inner = EmbeddedStore(tmp_path / "store")
    it = Bench(SmallLog(), Unordered(inner), MovableCursor(), tmp_path)  # type: ignore[arg-type] # stands for Moody
    yield it
    if it.task:
        await it.stop()
    await inner.close()


def door(bench: Bench) -> Unordered:
    assert isinstance(bench.store, Unordered)
    return bench.store


async def widen(bench: Bench) -> None:
    """Let batches in one by one until four are out together."""
    await bench.until(lambda: len(door(bench).waiting) == door(bench).writes_at_once or letting(bench))


def letting(bench: Bench) -> bool:
    it = door(bench)
    if it.waiting and bench.writer._window > len(it.waiting):
        return False
    if it.waiting and bench.writer._window < it.writes_at_once:
        it.let(0)
    return False


async def test_the_cursor_moves_in_order_over_what_was_answered(bench: Bench) -> None:
    """Four are out; the last three are answered first: the cursor stays, and then passes all four."""
    for i in range(40):
        bench.log.append((0, T0 + i, b"%d" % i))
    bench.start()
    await widen(bench)
    stood = bench.cursor.at
    for _ in range(3):
        door(bench).let(-1)
    await asyncio.sleep(0.05)
    assert bench.cursor.at == stood
    door(bench).let(0)
    await bench.until(lambda: bench.cursor.at >= stood + 4 * SIZE)
    await bench.until(lambda: bench.cursor.at == bench.log.end or (door(bench).waiting and door(bench).let(0)) is True)
    assert await bench.held() == [(T0 + i, float(i)) for i in range(40)]
    assert bench.cursor.moves == sorted(bench.cursor.moves)
    assert door(bench).most == 4
    assert bench.writer.counts.stored == 40


async def test_a_store_out_of_order_ends_with_the_winners(bench: Bench) -> None:
    """Few keys, many values, answers in any order: what came last holds, as if each had been waited for."""
    draw = random.Random(7)
    last: dict[int, float] = {}
    for i in range(120):
        ts = T0 + i - (draw.randint(1, min(3, i)) if i and draw.random() < 0.3 else 0)
        last[ts] = float(i)
        bench.log.append((0, ts, b"%d" % i))
    bench.start()

    def step() -> bool:
        if door(bench).waiting:
            door(bench).let(draw.randrange(len(door(bench).waiting)))
        return bench.cursor.at == bench.log.end

    await bench.until(step, within=20)
    assert await bench.held() == sorted(last.items())
    assert door(bench).most > 1
    assert door(bench).written != sorted(door(bench).written)


async def test_after_a_failure_one_at_a_time(bench: Bench) -> None:
    """Three of four fail beside each other: they are tried again from the oldest on, alone, and nothing is missing."""
    for i in range(30):
        bench.log.append((0, T0 + i, b"%d" % i))
    bench.start()
    await widen(bench)

    def down(_: Sequence[bytes]) -> None:
        raise StoreDown("answered 503")

    door(bench).refuse = down
    for _ in range(4):
        door(bench).let(0)
    await bench.until(lambda: bench.writer.state.condition == "down" and len(door(bench).waiting) == 1)
    door(bench).let(0)  # the oldest once more, and again in vain
    await bench.until(lambda: len(door(bench).waiting) == 1)
    assert bench.writer.counts.failures >= 5
    door(bench).refuse = lambda _: None
    door(bench).most = 1
    before = bench.cursor.at
    for _ in range(4):
        await bench.until(lambda: len(door(bench).waiting) == 1)
        door(bench).let(0)
    await bench.until(lambda: bench.cursor.at >= before + 4 * SIZE)
    assert door(bench).most == 1
    await bench.until(lambda: bench.cursor.at == bench.log.end or (door(bench).waiting and door(bench).let(0)) is True)
    assert await bench.held() == [(T0 + i, float(i)) for i in range(30)]


async def test_a_rewind_waits_for_what_is_out(bench: Bench) -> None:
    """Four are out when the operator rewinds: nothing is written again before they are answered."""
    for i in range(20):
        bench.log.append((0, T0 + i, b"%d" % i))
    bench.start()
    await widen(bench)
    bench.writer.rewind(0)
    await asyncio.sleep(0.05)
    assert 0 not in bench.cursor.moves
    assert len(door(bench).waiting) == 4
    for _ in range(4):
        door(bench).let(-1)
    await bench.until(lambda: 0 in bench.cursor.moves)
    await bench.until(lambda: bench.cursor.at == bench.log.end or (door(bench).waiting and door(bench).let(0)) is True)
    assert await bench.held() == [(T0 + i, float(i)) for i in range(20)]


async def test_a_memory_that_cannot_be_read_waits(bench: Bench) -> None:
    """The winners' file fails under a late reading: the store's trouble, waited out, never the service's end."""
    door(bench).writes_at_once = 1
    bench.log.append((0, T0 + 5, b"1"))
    bench.start()
    await bench.until(lambda: bool(door(bench).waiting))
    door(bench).let(0)
    await bench.done()
    recall, sick = bench.writer.winners._remembered.of, True

    def failing(keys: Keys) -> dict[int, Winner]:
        if sick:
            raise sqlite3.OperationalError("disk I/O error")
        return recall(keys)

    bench.writer.winners._remembered.of = failing  # type: ignore[method-assign] # a disk's mood
    bench.log.append((0, T0, b"2"))
    await bench.until(lambda: bench.writer.state.condition == "down")
    assert "disk I/O error" in bench.writer.state.words
    sick = False
    await bench.until(lambda: bool(door(bench).waiting))
    door(bench).let(0)
    await bench.done()
    assert await bench.held() == [(T0, 2.0), (T0 + 5, 1.0)]
