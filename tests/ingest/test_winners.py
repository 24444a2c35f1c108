"""Winners against an oracle: whatever the batches, crashes and rewinds, the store ends up as semantics §1 says."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.readings import Readings
from ingest.late import Keys
from ingest.line_protocol import ReadingEncoder
from ingest.store.embedded import EmbeddedStore
from ingest.winners import Choice, Winners
from ingest.writer import series_of
from tests.ingest.small_plant import small_plant
from tests.ingest.store.contract import held

PLANT = small_plant()
T0 = 1_763_800_000_000
Row = tuple[int, int, int, int, str]
"""channel, ts, value, rev, letter"""


def batch(rows: list[Row], at: int = 0) -> Readings:
    return Readings.of(
        [r[0] for r in rows],
        [T0 + r[1] for r in rows],
        [r[2] for r in rows],
        rev=[r[3] for r in rows],
        letter=[ord(r[4]) for r in rows],
        position=[at + i for i in range(len(rows))],
        numbers=[b"%d" % r[2] for r in rows],
    )


def expected(rows: list[Row]) -> dict[tuple[int, int], tuple[int, str]]:
    """Semantics §1, row by row: (channel, ts) -> value, letter."""
    seen: dict[tuple[int, int], list[tuple[int, int]]] = {}
    winner: dict[tuple[int, int], Row] = {}
    for row in rows:
        key, this = (row[0], row[1]), (row[2], row[3])
        if this in seen.setdefault(key, []):
            continue
        seen[key].append(this)
        if key not in winner or row[3] >= winner[key][3]:
            winner[key] = row
    return {key: (row[2], row[4]) for key, row in winner.items()}


class Bench:
    """The store's side by hand, so that it can crash anywhere."""

    def __init__(self, folder: Path, *, blind: bool = False) -> None:
        self.folder, self.blind, self.cursor = folder, blind, 0
        self.encoder = ReadingEncoder(PLANT)
        self.store = EmbeddedStore(folder)
        self.winners = Winners(folder / "winners.db", PLANT, series_of(PLANT))
        self.choices: list[Choice] = []

    async def step(self, rows: list[Row], at: int) -> None:
        """Everything between reading the log and moving the cursor."""
        plan = self.winners.recall(self.winners.plan(batch(rows, at)))
        answers = None if self.blind else await self.store.look_up(plan.spans)
        choice = self.winners.choose(plan, answers)
        self.choices.append(choice)
        self.winners.remember(choice.tracked)
        assert await self.store.write(self.encoder.encode(choice.readings, lettered=choice.lettered).lines) == []

    def crash(self) -> None:
        """Only what is on disk is left of the memory."""
        self.winners.close()
        self.winners = Winners(self.folder / "winners.db", PLANT, series_of(PLANT))

    async def held(self) -> dict[tuple[int, int], tuple[int, str]]:
        """What the store ended up with."""
        found = {}
        for channel in PLANT.channels:
            series = series_of(PLANT)(channel.index)
            letters = type(series)(series.measurement, f"{series.field}_q", series.tags)
            letter = dict(await held(self.store, letters, 0, T0 * 2))
            for ts, v in await held(self.store, series, 0, T0 * 2):
                found[channel.index, ts - T0] = (int(float(v)), str(letter.get(ts, "N")))
        return found


ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 2), st.sampled_from([0, 0, 0, 1, 2, -1]),
              st.sampled_from("NNDM")),
    min_size=1, max_size=25,
)  # fmt: skip
FATE = st.sampled_from(["on", "on", "cursor only", "crash after cursor", "crash before cursor", "rewind"])


@settings(max_examples=80, deadline=None)
@given(ROWS, st.lists(st.tuples(st.integers(1, 9), FATE), max_size=12), st.data())
def test_the_store_ends_with_the_winners(rows: list[Row], fates: list[tuple[int, str]], data: st.DataObject) -> None:
    """Random conflicts, revisions, batch sizes, crashes at the three seams, rewinds: one outcome."""

    async def live(folder: Path) -> None:
        bench = Bench(folder)
        at = 0
        for size, fate in [*fates, (len(rows), "on"), (len(rows), "on")]:
            part = rows[at : at + size]
            if not part:
                continue
            await bench.step(part, at)
            if fate != "crash before cursor":
                bench.cursor = at = at + len(part)
            if fate == "on":
                bench.winners.checkpoint(at)
            if fate.startswith("crash"):
                bench.crash()
                at = min(bench.cursor, bench.winners.reached)
            if fate == "rewind":
                bench.cursor = at = data.draw(st.integers(0, at), label="rewind to")
        while at < len(rows):  # the log's rest, to its end
            await bench.step(rows[at:], at)
            at = len(rows)
        assert await bench.held() == expected(rows)
        await bench.store.close()
        bench.winners.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder)))


async def run(folder: Path, *batches: list[Row], blind: bool = False) -> Bench:
    bench = Bench(folder, blind=blind)
    for at, rows in enumerate(batches):
        await bench.step(rows, at * 100)
    return bench


async def test_an_older_duplicate_does_not_come_back(tmp_path: Path) -> None:
    """A, B, A in three batches: B, and the ledger says one conflict and one duplicate."""
    bench = await run(tmp_path, [(0, 0, 1, 0, "N")], [(0, 0, 2, 0, "N")], [(0, 0, 1, 0, "N")])
    assert await bench.held() == {(0, 0): (2, "N")}
    assert [(c.superseded, c.duplicates) for c in bench.choices] == [(0, 0), (1, 0), (0, 1)]


async def test_a_lower_revision_later_is_ignored(tmp_path: Path) -> None:
    """Across batches and a restart of the memory."""
    bench = await run(tmp_path, [(0, 0, 1, 3, "N")])
    bench.winners.checkpoint(1)
    bench.crash()
    await bench.step([(0, 0, 9, 2, "N"), (0, 0, 8, 0, "N")], 100)
    assert await bench.held() == {(0, 0): (1, "N")}


async def test_a_winner_takes_its_letter_along(tmp_path: Path) -> None:
    """A normal reading over one flagged D leaves no D behind."""
    bench = await run(tmp_path, [(3, 0, 1, 0, "D")], [(3, 0, 2, 0, "N")])
    assert await bench.held() == {(3, 0): (2, "N")}


async def test_what_the_store_holds_keeps_its_letter(tmp_path: Path) -> None:
    """A retried message loses (rev −1) against a reading flagged M that nobody here remembers: it stays M."""
    bench = await run(tmp_path, [(3, 0, 5, 0, "M"), (3, 3, 6, 0, "N")], [(3, 0, 4, -1, "N")])
    assert await bench.held() == {(3, 0): (5, "M"), (3, 3): (6, "N")}
    await bench.step([(3, 0, 5, 0, "M")], 300)  # and one that comes again says what it was
    assert await bench.held() == {(3, 0): (5, "M"), (3, 3): (6, "N")}


async def test_readings_in_time_order_are_never_asked_for(tmp_path: Path) -> None:
    """Each channel has its own newest time: interleaved meters cost the store no question."""
    bench = Bench(tmp_path)
    for second in range(5):
        plan = bench.winners.recall(
            bench.winners.plan(batch([(c, second * 1000 - c * 500, 1, 0, "N") for c in range(5)]))
        )
        assert plan.plain.all()
        assert not plan.spans


async def test_late_duplicates_are_not_written_again(tmp_path: Path) -> None:
    """A redelivered batch is found in the store and sends nothing."""
    rows = [(c, t, 1, 0, "N") for t in range(100) for c in range(3)]
    bench = await run(tmp_path, rows, rows)
    assert [len(c.readings) for c in bench.choices] == [300, 0]
    assert bench.choices[1].duplicates == 300


async def test_late_news_carry_no_letter(tmp_path: Path) -> None:
    """A reading that is merely out of order is written as contracts.md says: no `_q` for N."""
    bench = await run(tmp_path, [(0, 5, 1, 0, "N")], [(0, 3, 1, 0, "N")])
    assert bench.choices[1].lettered == frozenset()


async def test_late_readings_close_in_time_are_asked_for_at_once(tmp_path: Path) -> None:
    """One span for neighbours, another beyond a minute."""
    bench = await run(tmp_path, [(0, 10_000_000, 1, 0, "N")])
    plan = bench.winners.recall(bench.winners.plan(batch([(0, t, 1, 0, "N") for t in (0, 1000, 59_000, 500_000)])))
    assert [(span.first - T0, span.last - T0) for span in plan.spans] == [(0, 59_000), (500_000, 500_000)]


async def test_blind_means_log_order(tmp_path: Path) -> None:
    """A store that may not be asked gets late readings as they come; what is remembered still holds."""
    bench = await run(
        tmp_path, [(0, 0, 1, 0, "N"), (1, 0, 1, 5, "N")], [(0, 0, 2, 0, "N"), (1, 0, 9, 0, "N")], blind=True
    )
    assert await bench.held() == {(0, 0): (2, "N"), (1, 0): (1, "N")}


async def test_the_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its quota the oldest keys go."""
    monkeypatch.setattr("ingest.contested.KEPT", 100)
    bench = await run(tmp_path, *[[(0, b * 50 + t, 1, 1, "N") for t in range(50)] for b in range(8)])
    (count,) = bench.winners._db.execute("SELECT count(*) FROM winner").fetchone()
    assert count <= 100
    plan = bench.winners.recall(bench.winners.plan(batch([(0, 399, 1, 0, "N"), (0, 0, 1, 0, "N")])))
    assert list(plan.known) == [1], "the newest, not the oldest"


async def test_what_nothing_speaks_against_asks_nothing_of_the_file(tmp_path: Path) -> None:
    """After a rewind all rows are late: the file is asked once for those that may be remembered, not row by row."""
    rows = [(c, t, t % 7, 0, "N") for t in range(500) for c in range(3)]
    bench = await run(tmp_path, rows, [(2, 100, 50, 0, "N"), (2, 300, 50, 1, "D")])
    asked: list[str] = []
    bench.winners._db.set_trace_callback(asked.append)
    await bench.step(rows, 900)
    assert [statement.split()[0] for statement in asked] == ["SELECT"]
    assert bench.choices[-1].duplicates == 1500
    assert len(bench.choices[-1].readings) == 2, "the two contested ones are sent again, and nothing else"
    await bench.step([(0, t, t % 7, 0, "N") for t in range(500)], 3000)
    assert len(asked) == 1, "nothing of this channel is remembered"
    assert (await bench.held())[2, 100] == (50, "N")
    assert (await bench.held())[2, 300] == (50, "D")


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), max_size=20),
    st.dictionaries(st.tuples(st.integers(0, 2), st.integers(0, 6)), st.sampled_from([0.5, -0.0, 3, "x"]), max_size=9),
)
def test_what_a_store_holds_of_each_key(rows: list[tuple[int, int]], store: dict[tuple[int, int], float | str]) -> None:
    """Spans hold every key that is asked for, and an answer finds its key: against dictionaries."""
    readings = batch([(c, t * 40_000, 1, 0, "N") for c, t in rows])
    keys = Keys.of(readings, np.arange(len(rows)), np.ones(len(rows), np.bool_))
    named = zip(keys.channel.tolist(), ((keys.ts - T0) // 40_000).tolist(), strict=True)
    found = {key: keys.rows_of(k) for k, key in enumerate(named)}
    assert found == {key: [n for n, row in enumerate(rows) if row == key] for key in rows}
    spans, asked = keys.spans(np.ones(len(keys), np.bool_), series_of(PLANT))
    answers = [
        {
            T0 + t * 40_000: v
            for (c, t), v in sorted(store.items(), key=lambda item: item[0])
            if c == channel and span.first <= T0 + t * 40_000 <= span.last
        }
        for channel, span in zip(asked, spans, strict=True)
    ]
    there, value = keys.held(asked, answers)
    held_ = {key: v for key, v in store.items() if key in found and not isinstance(v, str)}
    assert {key: value[k] for k, key in enumerate(found) if there[k]} == held_
