"""The past read back from a real InfluxDB equals what was sent, bit for bit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.store.influx import InfluxStore
from tests.greengauge.test_past import HOUR, MIN, Bench, Loop, T, all_of, loop  # noqa: F401 - a fixture
from tests.system.influx import Influxd, influx, influx_server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path, loop: Loop, influx: Influxd) -> Iterator[Bench]:
    made = Bench(tmp_path, loop, InfluxStore(influx.url, influx.token))
    yield made
    made.close()


def test_influx_gives_back_what_was_sent(bench: Bench) -> None:
    """Decimals of every length a double tells, large counters, exponents, letters: the counts that were sent."""
    rng = random.Random(11)
    coal, kwh = (bench.plant.channel("m1", name).index for name in ("coal", "kwh"))
    wanted: list[tuple[int, int, int, int]] = []
    for k in range(500):
        ts, counter = T + k * 5 * MIN, rng.randrange(2**53)
        milli, letter = rng.randrange(900_000), rng.choice("NNND")
        text = rng.choice([f"{milli / 1000}", f"{milli / 1000:.3f}", f"{milli}e-3"])
        bench.send(ts, f'{{"ts": {ts}, "coal": {text}, "kwh": {counter}, "q": "{letter}"}}')
        wanted += [(ts, coal, milli, ord(letter)), (ts, kwh, counter, ord(letter))]
    bench.write()
    bench.forget()
    assert bench.log.first > 0
    found = [(ts, c, value, letter) for ts, c, value, _, letter, _ in all_of(bench, T - 1, T + 42 * HOUR)]
    assert found == sorted(wanted)
