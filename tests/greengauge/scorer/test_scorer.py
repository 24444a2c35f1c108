"""`Scorer`: what a full disk and an odd snapshot do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from devices.readings import Readings
from greengauge.history import History
from greengauge.live import Live
from greengauge.scorer import scorer as module
from greengauge.scorer import snapshots
from greengauge.scorer.scorer import Scorer
from ingest.decode.result import Decoded
from ingest.log.record import Entry, Record, RecordKind
from scoring.engine import Engine
from scoring.results import Changes
from tests.scoring.test_engine import KILN, registry

PLANT = registry(KILN)
T0 = 1_763_800_020_000
MINUTE = 60_000
SIZE = 100
"""Bytes of address space that each record takes."""


class Nothing:
    """No past: nothing here is told anew."""

    def read(self, _start: int, _end: int) -> Iterator[Readings]:
        return iter(())


class FullDisk(History):
    """A history that refuses as long as it is told to."""

    full = False
    refusals = 0

    def add(self, changes: Changes) -> None:
        if self.full:
            self.refusals += 1
            raise EnvironmentFailure("the disk is full", where="history.db", mend="free space")
        super().add(changes)


class Bench:
    """A scorer on a log of records, one reading a minute in each."""

    def __init__(self, folder: Path, records: int) -> None:
        self.folder, self.records = folder, records
        self.history = FullDisk(folder / "history.db")
        self.moved: list[int] = []
        self.path = folder / "scores.snapshot"

    def scorer(
        self, snapshot_every_s: float = 0.0, plant: Plant = PLANT, snapshot_every_bytes: int = 1 << 40
    ) -> Scorer:
        return Scorer(
            plant, read=self.read, more=self.more, durable=lambda: self.records * SIZE, decode=decode, start=0,
            history=self.history, live=Live(plant, simulated=False), past=Nothing(), snapshot_path=self.path,
            moved=self.moved.append, snapshot_every_s=snapshot_every_s, snapshot_every_bytes=snapshot_every_bytes,
        )  # fmt: skip

    def read(self, start: int, _most: int) -> list[Record]:
        entries = [
            (i, Entry(RecordKind.FRAMES, b"", T0 + i * MINUTE, 1, 5)) for i in range(start // SIZE, self.records)
        ]
        return [Record(entry, i * SIZE, i * SIZE + 1, (i + 1) * SIZE) for i, entry in entries]

    async def more(self, position: int) -> None:
        if position >= self.records * SIZE:
            await asyncio.Event().wait()


def decode(records: Sequence[Record]) -> Decoded:
    times = [r.entry.received for r in records]
    return Decoded(
        Readings.of(
            [c for _ in times for c in range(len(PLANT.channels))],
            [t for t in times for _ in PLANT.channels],
            [5_000_000 + t // MINUTE for t in times for _ in PLANT.channels],
            received=[t for t in times for _ in PLANT.channels],
        )
    )


async def ran(scorer: Scorer, until: Callable[[], bool]) -> None:
    task = asyncio.create_task(scorer.run(), name="scorer under test")
    try:
        async with asyncio.timeout(60):
            while not until():
                assert not task.done(), task
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def told(scorer: Scorer) -> bool:
    """Whether all that can be known of the thirty records is told."""
    return scorer.position == 30 * SIZE and not scorer.engine.behind()


async def test_a_full_disk_loses_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the history refuses gauges go on and the page says why; then all is there that a calm run has."""
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    calm, pressed = Bench(tmp_path, 30), tmp_path / "pressed"
    await ran(one := calm.scorer(), lambda: told(one) and bool(calm.moved))
    pressed.mkdir()
    bench = Bench(pressed, 30)
    bench.history.full = True
    scorer = bench.scorer()

    def mended() -> bool:
        if told(scorer) and "disk is full" in scorer.live.system().get("scoring", {}).get("text", ""):
            shown = scorer.live.scores()  # with the round after
            bench.history.full = not (shown and shown[0].ts >= T0 + 29 * MINUTE)
        return not bench.history.full and told(scorer) and bool(bench.moved)

    await ran(scorer, mended)
    kept, wanted = (h.scores(None, None, None, T0 + 20 * MINUTE, None) for h in (bench.history, calm.history))
    assert [s.ts for s in kept] == [s.ts for s in wanted] != []


async def test_what_waits_for_the_history_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound nothing is taken in, and the page says that too; with the disk all goes on."""
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    monkeypatch.setattr(module, "UNKEPT", 10)
    monkeypatch.setattr(module, "SLICE_S", 0.001)
    bench = Bench(tmp_path, 30)
    bench.history.full = True
    read, taken = bench.read, 0

    def one(start: int, most: int) -> list[Record]:
        return read(start, most)[:1]

    bench.read = one  # type: ignore[method-assign]
    scorer = bench.scorer()

    def mended() -> bool:
        nonlocal taken
        if bench.history.full and "nothing is taken in" in scorer.live.system().get("scoring", {}).get("text", ""):
            taken = taken or scorer.position
            assert scorer.position == taken < 30 * SIZE
            bench.history.full = bench.history.refusals < 20
        return not bench.history.full and told(scorer) and bool(bench.moved)

    await ran(scorer, mended)
    assert taken
    assert len(bench.history.scores(None, None, None, T0 + 20 * MINUTE, None))


async def test_a_snapshot_is_due_after_so_many_bytes(tmp_path: Path) -> None:
    """However long a snapshot may wait by the clock, the log is kept for it no further than that."""
    bench = Bench(tmp_path, 30)
    await ran(scorer := bench.scorer(1e9, snapshot_every_bytes=31 * SIZE), lambda: scorer.position == 30 * SIZE)
    assert bench.moved[:-1] == []  # only the one on the way out
    bench.records, bench.moved = 60, []
    again = bench.scorer(1e9, snapshot_every_bytes=10 * SIZE)
    await ran(again, lambda: bool(bench.moved))
    assert bench.moved[0] - 30 * SIZE >= 10 * SIZE


async def test_no_snapshot_of_what_the_history_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped while the disk is full, it saves nothing: the log tells it again."""
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    bench = Bench(tmp_path, 30)
    bench.history.full = True
    await ran(bench.scorer(1e9), lambda: bench.history.refusals > 2)
    assert not bench.path.exists()
    assert bench.moved == []


@pytest.mark.parametrize(
    ("position", "state"),
    [(SIZE, b"of another format"), (99 * SIZE, Engine(PLANT).snapshot())],
    ids=["another program's", "another log's"],
)
async def test_a_snapshot_that_does_not_fit_is_scored_anew(tmp_path: Path, position: int, state: bytes) -> None:
    """An upgraded program, or a log that was moved away: it starts, and from the log's beginning."""
    bench = Bench(tmp_path, 3)
    snapshots.save(bench.path, PLANT.version, position, state)
    assert bench.scorer().position == 0


async def test_a_snapshot_that_cannot_be_saved_stops_nothing(tmp_path: Path) -> None:
    """The folder is gone: the cursor stays, scoring goes on, the page says why."""
    bench = Bench(tmp_path, 30)
    bench.path = tmp_path / "nowhere" / "scores.snapshot"
    scorer = bench.scorer()
    await ran(scorer, lambda: "cannot be saved" in scorer.live.system().get("scoring", {}).get("text", ""))
    assert scorer.position == 30 * SIZE
    assert bench.moved == []
