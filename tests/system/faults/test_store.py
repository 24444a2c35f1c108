"""Faults 4, 5 and 6: a store that is down, answers badly, lies, or refuses part of what it is sent."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.system.faults import oracle
from tests.system.faults.conftest import After, Figure
from tests.system.faults.meters import Meters, registry, topic
from tests.system.faults.service import alarms, memory_mb, service
from tests.system.faults.store_proxy import Answer, Attempt, Mood, StoreProxy
from tests.system.influx import Influxd
from tests.system.mosquitto import Mosquitto
from tests.system.running import Running, until

pytestmark = pytest.mark.system


def readings(attempts: list[Attempt]) -> list[Attempt]:
    """Those writes that carry readings, not scores or alarms."""
    return [attempt for attempt in attempts if attempt.body.startswith(b"reading,")]


def down_for(
    seconds: float, folder: Path, broker: Mosquitto, store: Influxd, after: After, *, every: float, warm_s: float = 3
) -> str:
    """Kill the store for so long while meters publish; the oracle's sentence and the figures.

    warm_s  how long it runs before: memory is compared with what is usual by then
    """
    registry(folder)
    with StoreProxy(store.port) as proxy:
        running = service(folder, broker.url, proxy.url).start().ready()
        after.append(running)
        meters = Meters(broker.port, every=every)
        after.append(meters)
        until(lambda: oracle.count(store) > 3 / every, 30, running.log)
        time.sleep(warm_s)
        before = memory_mb(running)
        store.stop(kill=True)
        began, taken = time.monotonic(), running.part("intake")["acknowledged"]
        time.sleep(seconds)
        attempts = len(proxy.since(began))
        until(lambda: running.part("store")["state"] == "down", 5, running.log)
        assert attempts <= seconds + 1, "at most one attempt a second"
        lived = (running.part("intake")["acknowledged"] - taken) / (time.monotonic() - began)
        assert lived > 0.8 / every, "intake goes on"
        store.start()
        meters.finish()
        back = time.monotonic()
        until(lambda: any(a.status == 204 for a in readings(proxy.since(back))), 15, running.log)
        first = next(a.at for a in readings(proxy.since(back)) if a.status == 204)
        oracle.settled(running, store, meters)
        drained = sum(a.body.count(b"\n") + 1 for a in readings(proxy.since(back)) if a.status == 204)
        last = max(a.at for a in readings(proxy.since(back)) if a.status == 204)
        rate = drained / max(last - first, 0.25)
        grown = memory_mb(running) - before
        told = oracle.nothing_lost(store, meters, folder / "data")
    assert rate >= 3 * lived, "the backlog drains at three times the live rate at least"
    assert grown <= 50, told
    return (
        f"down {seconds:g} s at {lived:.0f} readings/s taken in, {attempts} attempts, "
        f"drained at {rate:,.0f}/s or more, memory {grown:+.0f} MB; {told}"
    )


@pytest.mark.fault(4)
def test_a_store_that_is_down(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """Killed and started again: intake goes on, the store is asked once a second at most, then it drains."""
    figure(down_for(10, tmp_path, mosquitto, influx, after, every=0.004))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.fault(4)
def test_a_store_that_is_down_for_minutes(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """The same for three minutes at 1,000 messages a second, once what is kept for the log's readers is full."""
    figure(down_for(180, tmp_path, mosquitto, influx, after, every=0.001, warm_s=180))


class Play:
    """Answers the next `times` writes of readings in one mood, then passes; when each came."""

    def __init__(self, proxy: StoreProxy, running: Running) -> None:
        self.proxy, self.running = proxy, running
        self.left, self.now = 0, "pass"
        proxy.mood = self._decide

    def __call__(self, mood: Mood, times: int, within: float = 60) -> list[Attempt]:
        """The attempts, the first that passed included."""
        began = time.monotonic()
        self.now, self.left = mood, times
        until(lambda: self.left == 0 and self._passed(began), within, self.running.log)
        return readings(self.proxy.since(began))

    def _passed(self, began: float) -> bool:
        return any(attempt.status == 204 for attempt in readings(self.proxy.since(began)))

    def _decide(self, body: bytes) -> Mood:
        if self.left and body.startswith(b"reading,"):
            self.left -= 1
            return self.now
        return "pass"


def answers(folder: Path, broker: Mosquitto, store: Influxd, after: After, *, times: int, stall_s: float) -> str:
    """Every bad answer, one after the other, while meters publish; the oracle's sentence."""
    registry(folder)
    with StoreProxy(store.port) as proxy:
        running = service(folder, broker.url, proxy.url).start().ready()
        after.append(running)
        meters = Meters(broker.port, every=0.01)
        after.append(meters)
        until(lambda: oracle.count(store) > 10, 30, running.log)
        play = Play(proxy, running)
        came = play(Answer(429, {"Retry-After": "3"}), times)
        gaps = [b.at - a.at for a, b in pairwise(came) if a.status == 429]
        assert len(gaps) >= times
        assert min(gaps) >= 3, "Retry-After is honoured"
        for mood in (Answer(503), Answer(500), "reset", "lose"):
            play(mood, times)
        proxy.stall_s = stall_s
        play("stall", 1, within=stall_s + 60)
        began = time.monotonic()
        play.now, play.left = Answer(401, words="unauthorized access"), 1_000_000
        until(lambda: running.part("store")["text"].startswith("PAUSED"), 30, running.log)
        assert "unauthorized access" in running.part("store")["text"]
        until(lambda: alarms(running).get("store-paused") == "unacknowledged", 10, running.log)
        play.left = 0
        refused = [a for a in readings(proxy.since(began)) if a.status == 401]
        until(lambda: running.part("store")["state"] == "ok", 60, running.log)
        meters.finish()
        oracle.settled(running, store, meters)
        told = oracle.nothing_lost(store, meters, folder / "data")
        assert not [r for r in oracle.quarantined(folder / "data") if r["reason"] == "store-refused"]
    return (
        f"429, 503, 500, reset, lost 204 {times} times each, a stall of {stall_s:g} s, 401 ({len(refused)} attempts "
        f"until it was mended); Retry-After 3 s kept ({min(gaps):.1f} s); {told}"
    )


@pytest.mark.fault(5)
def test_a_store_that_answers_badly(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """429, 503, 500, resets, a stall, lost 204s, 401: nothing is lost, nothing is dropped, 401 waits for a person."""
    figure(answers(tmp_path, mosquitto, influx, after, times=1, stall_s=3))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.fault(5)
def test_a_store_that_answers_badly_again_and_again(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """Each ten times, and a stall longer than we wait for an answer."""
    figure(answers(tmp_path, mosquitto, influx, after, times=10, stall_s=45))


@pytest.mark.fault(6)
def test_a_field_that_the_store_refuses(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """One field conflicts in every point: the other is stored whole, each refused value is quarantined in its words."""
    registry(tmp_path)
    now = time.time_ns() // 1_000_000
    assert influx.write(f'reading,enterprise=acme,meter=old kwh="text" {now}') == 204
    with StoreProxy(influx.port) as proxy:
        running = service(tmp_path, mosquitto.url, proxy.url).start().ready()
        after.append(running)
        meters = Meters(mosquitto.port, every=0.0005)
        after.append(meters)
        until(lambda: len(meters.sent) >= 5_000, 60)
        meters.finish()

        def clinker() -> dict[tuple[str, int], float]:
            rows = influx.rows("SELECT clinker, meter FROM reading")
            return {(row["meter"], row["time"]): row["clinker"] for row in rows if "clinker" in row}

        until(lambda: len(clinker()) == len(meters.sent), 60, running.log)
        until(lambda: running.part("quarantine")["rows"] >= len(meters.sent) + len(meters.bad), 60, running.log)
        assert clinker() == {key: float(texts[0]) for key, texts in meters.sent.items()}
        refused = [r for r in oracle.quarantined(tmp_path / "data") if r["reason"] == "store-refused"]
        assert len(refused) == len(meters.sent)
        assert all("channel kwh" in r["where"] and "type" in r["cause"] for r in refused)
        batches = [a for a in readings(proxy.attempts) if a.status == 204 and b"clinker=" in a.body]
        requests = readings(proxy.attempts)
        assert len(requests) <= 2 * len(batches) + 3, "the standing conflict is remembered"
    figure(f"{len(refused)} bad of {2 * len(meters.sent)} values: {len(requests)} requests for {len(batches)} batches")


@pytest.mark.fault(6)
def test_points_beyond_retention(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """Single points that the store refuses among thousands: all others are stored, few requests a bad point."""
    registry(tmp_path)
    influx.new_bucket("short", keep_s=3600)
    now = time.time_ns() // 1_000_000
    with StoreProxy(influx.port) as proxy:
        url = f"{proxy.url}/?org={influx.org}&bucket=short"
        running = service(tmp_path, mosquitto.url, url).start().ready()
        after.append(running)
        meters = Meters(mosquitto.port, every=0.0005)
        after.append(meters)
        until(lambda: len(meters.sent) > 1_000, 60)
        old = 5
        for n in range(old):
            payload = json.dumps({"ts": now - 7_200_000 - n, "clinker": 1.5})
            running_publish(mosquitto, payload)
        until(lambda: len(meters.sent) >= 4_000, 60)
        meters.finish()

        def count() -> int:
            rows = influx.rows("SELECT count(clinker) AS n FROM reading", "short")
            return int(rows[0]["n"]) if rows else 0

        until(lambda: count() == len(meters.sent), 60, running.log)
        until(lambda: running.part("quarantine")["rows"] >= old + len(meters.bad), 30, running.log)
        refused = [r for r in oracle.quarantined(tmp_path / "data") if r["reason"] == "store-refused"]
        assert len(refused) == old
        assert all("retention" in r["cause"] for r in refused)
        extra = sum(a.status != 204 for a in readings(proxy.attempts))
        assert extra <= 30 * old
    figure(f"{old} of {len(meters.sent)} points refused: {extra} refused requests")


def running_publish(broker: Mosquitto, payload: str) -> None:
    """One message of a meter."""
    from paho.mqtt import publish

    publish.single(topic("m1"), payload, qos=1, port=broker.port)
