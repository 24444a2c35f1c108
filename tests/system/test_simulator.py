"""The simulated plant on a real broker."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from devices.plant import load
from devices.plant.model import Plant
from devices.simulator import DEMO
from devices.simulator.publisher import Simulator
from greengauge.broker import EmbeddedBroker
from tests.system.peer import Peer

pytestmark = pytest.mark.system
START = 1_763_800_030_000


@cache
def demo() -> Plant:
    return load(DEMO)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    embedded = EmbeddedBroker(tmp_path)
    embedded.start()
    yield embedded
    embedded.stop()


def stamps(messages: list[tuple[str, bytes]]) -> dict[str, list[int]]:
    """Topic → its event times, in order of arrival."""
    found: dict[str, list[int]] = defaultdict(list)
    for topic, payload in messages:
        body = json.loads(payload)
        found[topic] += [o["ts"] for o in (body if isinstance(body, list) else [body])]
    return found


def collect(broker: EmbeddedBroker, simulate: Simulator, seconds: float = 0.0) -> list[tuple[str, bytes]]:
    """Everything a simulator publishes with an hour of backfill and some seconds of live."""
    us = Peer(broker, "gauge")
    us.subscribe("plant/#")
    simulate.backfill(1)
    if seconds:
        live = threading.Thread(target=simulate.run)
        live.start()
        us.pump(seconds=seconds)
        simulate.stop()
        live.join(5)
        assert not live.is_alive()
    assert us.pump(lambda: len(us.got) >= simulate.published)
    us.client.disconnect()
    return [(m.topic, m.payload) for m in us.got]


def test_backfill_then_live_without_a_gap(broker: EmbeddedBroker) -> None:
    """Each meter: a minute apart up to the last whole minute, then its own period, in order and without a hole."""
    simulator = Simulator(demo(), broker.url, seed=2, start=START)
    got = stamps(collect(broker, simulator, 1.5))
    assert set(got) == {m.topic for m in demo().meters}
    minute = START // 60_000 * 60_000
    for meter in demo().meters:
        times = got[meter.topic]
        assert times[:60] == list(range(minute - 59 * 60_000, minute + 1, 60_000))
        assert {b - a for a, b in pairwise(times[60:])} <= {meter.every_ms}
        assert times[60] - minute <= meter.every_ms


def test_no_meter_runs_ahead_in_the_backfill(broker: EmbeddedBroker) -> None:
    """At no moment is one meter more than ten minutes ahead of another."""
    got = collect(broker, Simulator(demo(), broker.url, start=START))
    reached = dict.fromkeys({topic for topic, _ in got}, START // 60_000 * 60_000 - 3_600_000)
    for topic, payload in got:
        reached[topic] = json.loads(payload)[-1]["ts"]
        assert max(reached.values()) - min(reached.values()) <= 600_000


def test_same_seed_and_start_same_bytes(broker: EmbeddedBroker) -> None:
    """Two runs with one seed and start publish the same; another seed publishes something else."""
    one, two, other = (
        sorted(collect(broker, Simulator(demo(), broker.url, seed=seed, start=START), 1.0)) for seed in (3, 3, 4)
    )
    both = set(one) & set(two)
    assert len(both) > 0.9 * len(one)  # they were stopped at slightly different moments
    assert not set(one) ^ set(two) or max(stamps(list(set(one) ^ set(two))).values(), key=max)[-1] > START
    assert not both & set(other)


def test_a_silent_meters_will_is_published(broker: EmbeddedBroker) -> None:
    """A meter without power: `offline`, retained, by its last will; `online` when it is back; `offline` at the end."""
    simulator = Simulator(demo(), broker.url, start=START, faults=["silent"])
    device = next(d for d in simulator._devices if d.delivery)
    watcher = Peer(broker, "watcher")
    watcher.subscribe("edge/#")
    simulator._zero -= 39.5  # 40 s after the start it is silent whatever the seed, and 95 s after it is not
    live = threading.Thread(target=simulator.run)
    live.start()
    name = f"edge/acme/wuhu/{device.meter.meter.name}/status".replace("wuhu/eaf1", "maanshan/eaf1")

    def said() -> list[bytes]:
        return [m.payload for m in watcher.got if m.topic == name]

    try:
        assert watcher.pump(lambda: said()[-1:] == [b"offline"], 5)
        simulator._zero -= 60
        assert watcher.pump(lambda: said()[-1:] == [b"online"], 5)
    finally:
        simulator.stop()
        live.join(5)
    assert watcher.pump(lambda: said()[-1:] == [b"offline"], 5)
    changes = [word for word, _ in groupby(said())]  # QoS 1 may say a thing twice
    assert changes == [b"online", b"offline", b"online", b"offline"]


def test_rate(broker: EmbeddedBroker) -> None:
    """`rate` is the messages a second in all."""
    simulator = Simulator(demo(), broker.url, rate=500)
    live = threading.Thread(target=simulator.run)
    live.start()
    time.sleep(1.0)
    first = simulator.published
    time.sleep(2.0)
    rate = (simulator.published - first) / 2
    simulator.stop()
    live.join(5)
    assert 350 < rate < 650


def test_a_day_of_backfill_is_quick(broker: EmbeddedBroker) -> None:
    """24 h at one-minute readings: at most 2 s on an idle machine (10 s demanded here)."""
    simulator = Simulator(demo(), broker.url)
    shown: list[tuple[int, int]] = []
    began = time.monotonic()
    count = simulator.backfill(24, progress=lambda done, of: shown.append((done, of)))
    took = time.monotonic() - began
    print(f"backfill: {count} messages in {took:.2f} s")  # noqa: T201 - a measurement
    assert took < 10
    assert count == 144 * len(demo().meters)
    assert shown == [(n, 144) for n in range(1, 145)]
