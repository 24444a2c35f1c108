from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest.store.influx import InfluxStore
from tests.ingest import test_winners as oracle
from tests.ingest.test_writer import T0, Bench, Moody, MovableCursor, SmallLog
from tests.system.influx import Influxd, influx, influx_server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


@pytest.fixture
async def bench(influx: Influxd, tmp_path: Path) -> AsyncIterator[Bench]:
    store = InfluxStore(influx.url, influx.token)
    it = Bench(SmallLog(), Moody(store), MovableCursor(), tmp_path)  # type: ignore[arg-type] # another store
    yield it
    await it.stop()
    await store.close()


async def test_an_influxdb_that_goes_and_comes(bench: Bench, influx: Influxd) -> None:
    """Killed in the middle of a feed and started again: every reading is there once."""
    for i in range(20):
        bench.log.append(*[(0, T0 + i * 1000 + j, b"%d.5" % j) for j in range(500)])
    bench.start()
    await bench.until(lambda: bench.cursor.at > 0)
    influx.stop(kill=True)
    for i in range(20, 60):
        bench.log.append(*[(0, T0 + i * 1000 + j, b"%d.5" % j) for j in range(500)])
    await bench.until(lambda: bench.writer.state.condition == "down")
    assert "cannot be reached" in bench.writer.state.words
    influx.start()
    await bench.until(lambda: bench.cursor.at == bench.log.end, within=30)
    assert await bench.held() == [(T0 + i * 1000 + j, j + 0.5) for i in range(60) for j in range(500)]
    assert bench.writer.state.condition == "ok"


async def test_winners_in_a_real_influxdb(influx: Influxd) -> None:
    """The oracle of tests/ingest/test_winners.py once more, with InfluxDB as the memory: 400 readings of few keys."""
    dice = random.Random(4)
    rows: list[oracle.Row] = [
        (dice.randrange(2), dice.randrange(9), dice.randrange(3), dice.choice([0, 0, 0, 1]), dice.choice("NND"))
        for _ in range(400)
    ]
    store = InfluxStore(influx.url, influx.token)
    with tempfile.TemporaryDirectory() as folder:
        bench = oracle.Bench(Path(folder))
        bench.store = store  # type: ignore[assignment] # another store
        at = 0
        while at < len(rows):
            size = dice.randrange(1, 40)
            await bench.step(rows[at : at + size], at)
            at += size
        assert await bench.held() == oracle.expected(rows)
        bench.winners.close()
    await store.close()


async def test_a_feed_twice_is_written_once(bench: Bench, influx: Influxd) -> None:
    """The second time everything is found in the store: nothing is sent, nothing is double."""
    for _ in range(2):
        for i in range(10):
            bench.log.append(*[(0, T0 + i * 100 + j, b"1.5") for j in range(100)])
    bench.start()
    await bench.until(lambda: bench.cursor.at == bench.log.end and bench.writer.state.oldest is None, within=30)
    assert len(await bench.held()) == 1000
    assert bench.writer.counts.duplicate == 1000
    assert influx.rows("SELECT count(feed) FROM reading")[0]["count"] == 1000
