"""`LoggedPast`: what is read back is what was sent, from the log and from the store."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from devices.errors import EnvironmentFailure
from devices.plant import load
from devices.readings import Mark, Readings
from greengauge.past import LoggedPast, past_of
from greengauge.past.stored import StoredPast
from greengauge.versions import Decoders
from ingest.clock_shifts import ClockShifts, Shift
from ingest.line_protocol import ReadingEncoder
from ingest.log import Log
from ingest.log.record import Entry, RecordKind
from ingest.store.base import Span, Store, StoreDown
from ingest.store.embedded import EmbeddedStore
from ingest.winners import Winners
from ingest.writer import series_of
from tests.greengauge.test_changed_registry import REGISTRY, publish

T = 1_763_800_020_000
MIN, HOUR = 60_000, 3_600_000
COAL = 'unit = "t/h", kind = "rate", step = "0.001", range = [0, 900]'


class Loop:
    """An event loop in a thread of its own, as the service's is for the scorer's thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="loop of the test")
        self.thread.start()

    def ask(self, store: Store, spans: Sequence[Span]) -> Future[list[dict[int, float | str]]]:
        return asyncio.run_coroutine_threadsafe(store.look_up(spans), self.loop)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.stop()


class Bench:
    """A log in small segments, its decoder, a store, and a Past over both."""

    def __init__(self, folder: Path, loop: Loop, store: Store | None = None) -> None:
        (folder / "p.toml").write_text(REGISTRY.replace("COAL", COAL))
        self.plant = load(folder / "p.toml")
        self.log = Log(folder / "log", segment_bytes=4096, retention_ms=6 * HOUR)
        self.decoders = Decoders(self.plant, folder / "registry", folder / "p.toml")
        self.store = store or EmbeddedStore(folder / "store")
        self.loop, self.written = loop, 0
        self.winners = Winners(folder / "winners.db", self.plant, series_of(self.plant))
        self.past = LoggedPast(
            self.plant,
            self.log,
            self.decoders.decode_past,
            StoredPast(self.plant, lambda spans: loop.ask(self.store, spans)),
            lambda: self.written,
        )

    def send(self, received: int, payload: str) -> None:
        frame = publish("plant/acme/s/pyro/k1/m1", payload)
        self.log.append([Entry(RecordKind.FRAMES, frame, received, self.plant.version, 4)])

    def write(self) -> None:
        """Everything in the log into the store, as its writer does."""
        encoder = ReadingEncoder(self.plant)
        while records := self.log.read(self.written, 1 << 16):
            plan = self.winners.recall(self.winners.plan(self.decoders.decode(records).readings))
            choice = self.winners.choose(plan, self.loop.ask(self.store, plan.spans).result(9))
            self.winners.remember(choice.tracked)
            lines = encoder.encode(choice.readings, lettered=choice.lettered).lines
            asyncio.run_coroutine_threadsafe(self.store.write(lines), self.loop.loop).result(9)
            self.written = records[-1].end

    def forget(self) -> None:
        """The log's retention passes by."""
        for name in ("store", "scores", "quarantine", "outputs"):
            self.log.cursors.set(name, self.log.durable)
        self.log.prune()

    def close(self) -> None:
        self.winners.close()
        asyncio.run_coroutine_threadsafe(self.store.close(), self.loop.loop).result(9)
        self.log.close()


@pytest.fixture
def bench(tmp_path: Path, loop: Loop) -> Iterator[Bench]:
    made = Bench(tmp_path, loop)
    yield made
    made.close()


def rows(readings: Readings) -> list[tuple[int, int, int, int, int, int]]:
    return list(
        zip(
            readings.ts.tolist(), readings.channel.tolist(), readings.value.tolist(), readings.rev.tolist(),
            readings.letter.tolist(), (readings.mark & Mark.OUT_OF_RANGE).tolist(), strict=True,
        )
    )  # fmt: skip


def all_of(bench: Bench, start: int, end: int) -> list[tuple[int, int, int, int, int, int]]:
    """Every reading of the past, pieces joined; checks that pieces do not overlap and rise in time."""
    found, reached = [], start
    for piece in bench.past.read(start, end):
        if len(piece):
            assert int(piece.ts.min()) > reached
            reached = int(piece.ts.max())
            found += rows(piece)
    return found


def test_the_log_gives_back_what_was_sent(bench: Bench) -> None:
    """Late, repeated, corrected, lettered and out-of-range readings, bit for bit, in log order within a piece."""
    rng = random.Random(4)
    sent: list[tuple[int, int, int, int, int, int]] = []
    for k in range(600):
        ts = T + k * MIN - (rng.randrange(4 * HOUR) if k % 7 == 0 else 0)
        milli = rng.randrange(1_000_000)
        rev, letter = rng.choice([0, 0, 3]), rng.choice("NNND")
        out = milli > 900_000
        bench.send(T + k * MIN, f'{{"ts": {ts}, "coal": {milli / 1000}, "rev": {rev}, "q": "{letter}"}}')
        sent.append((ts, bench.plant.channel("m1", "coal").index, 0 if out else milli, rev, ord(letter), int(out)))
    start, end = T + 2 * HOUR + 1, T + 7 * HOUR
    wanted = [row for row in sent if start < row[0] <= end]
    found = all_of(bench, start, end)
    assert len(wanted) > 250
    assert sorted(found) == sorted(wanted)
    order = {row: at for at, row in enumerate(sent)}
    for before, after in pairwise(found):
        if -(-before[0] // 600_000) == -(-after[0] // 600_000):
            assert order[before] < order[after]
    bench.send(T + 700 * MIN, f'{{"ts": {start + 1}, "kwh": 12}}')  # the index grows with the log
    assert len(all_of(bench, start, end)) == len(wanted) + 1


def test_going_back_step_by_step(bench: Bench) -> None:
    """Each question older than the one before: the log in between is looked through once, and all is found."""
    for k in range(900):
        bench.send(T + k * MIN, f'{{"ts": {T + k * MIN - (k % 5) * HOUR}, "coal": {k % 900}}}')
    reads: list[int] = []
    whole, bench.log.read = bench.log.read, lambda at, most: (reads.append(at), whole(at, most))[1]  # type: ignore[method-assign, func-returns-value] # to count
    for hour in range(14, 5, -1):
        start, end = T + hour * HOUR, T + (hour + 1) * HOUR
        wanted = [k for k in range(900) if start < T + k * MIN - (k % 5) * HOUR <= end]
        assert sorted(row[2] // 1000 for row in all_of(bench, start, end)) == wanted
    assert len(reads) < 9 * 40


def test_the_store_gives_back_the_winners(bench: Bench) -> None:
    """Behind the log's retention: one reading a key, the winner, counted from its text; its letter; its range."""
    coal = bench.plant.channel("m1", "coal").index
    kwh = bench.plant.channel("m1", "kwh").index
    bench.send(T, f'{{"ts": {T}, "coal": 0.1, "kwh": 9007199254740991}}')
    bench.send(T, f'{{"ts": {T + 1}, "coal": 123.4565, "q": "D"}}')
    bench.send(T, f'{{"ts": {T + 2}, "coal": 901}}')
    bench.send(T, f'{{"ts": {T + 3}, "coal": 1, "rev": 2}}')
    bench.send(T, f'{{"ts": {T + 3}, "coal": 2, "rev": 1}}')
    bench.send(T + HOUR, f'{{"ts": {T + 1}, "coal": 5e-1, "rev": 1}}')
    for k in range(200):
        bench.send(T + 2 * HOUR + k * 5 * MIN, f'{{"ts": {T + 2 * HOUR + k * 5 * MIN}, "coal": {k}}}')
    bench.write()
    bench.forget()
    assert bench.log.first > 0
    assert all_of(bench, T - 1, T + 60) == [
        (T, coal, 100, 0, ord("N"), 0),
        (T, kwh, 9_007_199_254_740_991, 0, ord("N"), 0),
        (T + 1, coal, 500, 0, ord("N"), 0),
        (T + 2, coal, 0, 0, ord("N"), int(Mark.OUT_OF_RANGE)),
        (T + 3, coal, 1_000, 0, ord("N"), 0),
    ]
    everything = all_of(bench, T - 1, T + 30 * HOUR)
    assert [ts for ts, *_ in everything][5:] == [T + 2 * HOUR + k * 5 * MIN for k in range(200)]


def test_a_store_that_is_behind_or_down_makes_it_wait(bench: Bench) -> None:
    """Pending, in words; and nothing is lost once it is back."""
    for k in range(200):
        bench.send(T + k * 5 * MIN, f'{{"ts": {T + k * 5 * MIN}, "coal": {k}}}')
    bench.write()
    bench.forget()
    bench.send(T + 20 * HOUR, f'{{"ts": {T + MIN}, "coal": 7}}')
    with pytest.raises(EnvironmentFailure, match="not got everything"):
        all_of(bench, T - 1, T + HOUR)
    bench.send(T + 20 * HOUR, f'{{"ts": {T + 20 * HOUR}, "coal": 7}}')
    bench.write()
    whole = bench.store

    class Down(EmbeddedStore):
        async def look_up(self, spans: Sequence[Span]) -> list[dict[int, float | str]]:  # noqa: ARG002 - it is down
            raise StoreDown("no answer")

    bench.store = Down.__new__(Down)
    with pytest.raises(EnvironmentFailure, match="no answer"):
        all_of(bench, T - 1, T + HOUR)
    bench.store = whole
    assert [row[0] for row in all_of(bench, T - 1, T + 10 * MIN)] == [T, T + MIN, T + 5 * MIN, T + 10 * MIN]


def test_border_between_store_and_log(bench: Bench) -> None:
    """Every key once, whichever side it is read from."""
    for k in range(400):
        bench.send(T + k * 5 * MIN, f'{{"ts": {T + k * 5 * MIN}, "coal": {k}}}')
    bench.write()
    bench.forget()
    found = all_of(bench, T - 1, T + 400 * 5 * MIN)
    assert [row[0] for row in found] == [T + k * 5 * MIN for k in range(400)]
    assert [row[2] for row in found] == [min(k, 900) * 1000 for k in range(400)]


def test_nothing_there_is_no_error(bench: Bench) -> None:
    """Before the plant ran, and between its readings."""
    bench.send(T, f'{{"ts": {T}, "coal": 1}}')
    assert all_of(bench, 0, T - 1) == all_of(bench, T, T + 10**10) == []
    assert np.concatenate([piece.ts for piece in bench.past.read(T - 1, T)]).tolist() == [T]


def test_accepted_clock_shifts_hold_for_the_past_too(bench: Bench, tmp_path: Path) -> None:
    """What came while the clock was two years slow, and was accepted by somebody, is read back like what was live."""
    slow = 2 * 365 * 24 * HOUR
    bench.send(T - slow, f'{{"ts":{T},"coal":1}}')
    shifts = ClockShifts(tmp_path / "shifts.json")
    past = past_of(bench.plant, bench.log, shifts, bench.decoders, bench.store, bench.loop.loop)
    assert sum(len(piece) for piece in past.read(T - HOUR, T)) == 0
    shifts.add(Shift(0, bench.log.durable, slow))
    past = past_of(bench.plant, bench.log, shifts, bench.decoders, bench.store, bench.loop.loop)
    assert sum(len(piece) for piece in past.read(T - HOUR, T)) == 1
