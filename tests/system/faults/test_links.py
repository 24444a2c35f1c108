"""Faults 9 and 10: the broker goes and comes, a second instance; links that are dead without saying so."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.system.faults import oracle
from tests.system.faults.conftest import After, Figure
from tests.system.faults.links import Link
from tests.system.faults.meters import Meters, registry
from tests.system.faults.service import service
from tests.system.influx import Influxd
from tests.system.mosquitto import Mosquitto
from tests.system.running import command, until

pytestmark = pytest.mark.system
SAVED_MS = 3_000
"""The test's mosquitto saves its sessions once a second: a kill costs what came after."""


def restarts(folder: Path, broker: Mosquitto, store: Influxd, after: After, *, times: int) -> str:
    """Stop and kill the broker in turn while meters publish: what is missing lies in a reported interval."""
    registry(folder)
    running = service(folder, broker.url, store.url)
    after.append(running.start().ready())
    meters = Meters(broker.port, every=0.01)
    after.append(meters)
    until(lambda: oracle.count(store) > 20, 30, running.log)
    slowest = 0.0
    for n in range(times):
        time.sleep(2)
        arrived = running.part("intake")["acknowledged"]
        broker.stop(signal.SIGKILL if n % 2 else signal.SIGTERM)
        until(lambda: not running.part("intake")["connected"], 10, running.log)
        time.sleep(1)
        broker.start()
        began = time.monotonic()
        until(lambda arrived=arrived: running.part("intake")["acknowledged"] > arrived + 20, 40, running.log)
        slowest = max(slowest, time.monotonic() - began)
    meters.finish()
    time.sleep(2)
    running.settle(60)
    until(lambda: running.part("store")["text"] == "ok", 20, running.log)
    intake = running.part("intake")
    found = oracle.stored(store)
    sent = {key: tuple(map(float, texts)) for key, texts in meters.sent.items()}
    assert all(sent[key] == value for key, value in found.items())
    missing = meters.acknowledged - set(found)
    assert intake["possible_losses"] >= times
    spans = [(loss["start"] - SAVED_MS, loss["end"]) for loss in intake["losses"]]
    outside = [key for key in missing if not any(start <= key[1] <= end for start, end in spans)]
    assert not outside, f"missing and not told: {outside[:5]}, told: {spans}"
    return (
        f"{times} restarts, {intake['possible_losses']} possible losses told, {len(missing)} of {len(sent)} readings "
        f"lost by the killed broker, all inside a told interval; flowing again {slowest:.1f} s after it listened"
    )


@pytest.mark.fault(9)
def test_a_broker_that_stops_and_is_killed(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """We reconnect, and whatever a killed broker lost lies inside a reported interval."""
    figure(restarts(tmp_path, mosquitto, influx, after, times=2))


@pytest.mark.long
@pytest.mark.fault(9)
def test_a_broker_that_is_restarted_again_and_again(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """The same, ten times (the page lists the newest ten intervals)."""
    figure(restarts(tmp_path, mosquitto, influx, after, times=10))


@pytest.mark.fault(9)
def test_a_second_instance_is_refused(tmp_path: Path, mosquitto: Mosquitto, after: After) -> None:
    """Same data folder: a sentence and an exit code, and the first one goes on."""
    registry(tmp_path)
    running = service(tmp_path, mosquitto.url)
    after.append(running.start().ready())
    second = command(*running.words)
    assert second.returncode in (1, 2)
    assert "Traceback" not in second.stderr
    assert str(tmp_path / "data") in second.stderr
    assert running.status("/readyz") == 200


def hole(folder: Path, broker: Mosquitto, store: Influxd, after: After, *, seconds: float, keepalive: int) -> str:
    """Swallowed PUBACKs and a cut, then a black hole for so long; the oracle's sentence."""
    registry(folder)
    with Link(broker.port) as link:
        running = service(folder, link.proxy.url, store.url, child=True, FAULT_KEEPALIVE=str(keepalive))
        after.append(running.start().ready())
        meters = Meters(broker.port, every=0.005)
        after.append(meters)
        until(lambda: oracle.count(store) > 50, 30, running.log)
        link.proxy.swallow_pubacks = True
        until(lambda: link.proxy.swallowed >= 200, 20, running.log)
        link.proxy.swallow_pubacks = False
        link.cut()
        until(lambda: running.part("intake")["reconnects"] == 1, 20, running.log)
        frames = running.part("intake")["frames"]
        until(lambda: running.part("intake")["frames"] > frames + 100, 20, running.log)
        link.proxy.silent = True
        began = time.monotonic()
        until(lambda: not running.part("intake")["connected"], 2 * keepalive + 5, running.log)
        noticed = time.monotonic() - began
        assert noticed <= 1.5 * keepalive + 1.5, "found within 1.5 keep-alives (the page tells once a second)"
        time.sleep(max(0.0, seconds - noticed))
        link.proxy.silent = False
        until(lambda: running.part("intake")["connected"], 60, running.log)
        causes = [loss["cause"] for loss in running.part("intake")["losses"]]
        assert causes == ["connection-closed"], "a broker that cuts may have forgotten; one that is silent has not"
        meters.finish()
        oracle.settled(running, store, meters)
        told = oracle.nothing_lost(store, meters, folder / "data")
        swallowed = link.proxy.swallowed
    return (
        f"{swallowed} PUBACKs swallowed; black hole of {seconds:g} s found after {noticed:.1f} s "
        f"(keep-alive {keepalive} s); {told}"
    )


@pytest.mark.fault(10)
def test_swallowed_pubacks_and_a_black_hole(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """All is redelivered and stored once; a dead link is found by its silence."""
    figure(hole(tmp_path, mosquitto, influx, after, seconds=4, keepalive=2))


@pytest.mark.long
@pytest.mark.fault(10)
def test_a_black_hole_of_a_minute(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """The same with the shipped keep-alive."""
    figure(hole(tmp_path, mosquitto, influx, after, seconds=60, keepalive=30))
