"""Fault 1: kill -9 of the whole service, at random and at named points, with a real broker and a real InfluxDB."""

from __future__ import annotations

import random
import signal
import statistics
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ingest.quarantine import Quarantine
from tests.system.faults import oracle
from tests.system.faults.conftest import After, Figure
from tests.system.faults.meters import Meters, registry
from tests.system.faults.service import service
from tests.system.influx import Influxd
from tests.system.mosquitto import Mosquitto
from tests.system.running import Running

pytestmark = [pytest.mark.system, pytest.mark.fault(1)]

POINTS = ("written", "appended", "acknowledged", "stored", "cursor", "moved", "snapshot")


def dies(running: Running, within: float) -> bool:
    """Whether it has killed itself by then."""
    assert running.process is not None
    with suppress(subprocess.TimeoutExpired):
        return running.process.wait(within) == -signal.SIGKILL
    return False


def kill_again_and_again(folder: Path, broker: Mosquitto, store: Influxd, after: After, times: int) -> str:
    """Kill while meters publish; at the end the oracle. Its sentence."""
    dice = random.Random(times)
    registry(folder, history=True)
    running = service(folder, broker.url, store.url, child=True)
    after.append(running.start().ready())  # the session has to exist before the first message
    meters = Meters(broker.port, every=0.012, history=True)
    after.append(meters)
    starts, named = list[float](), 0
    running.kill()
    for n in range(times):
        point = POINTS[n // 2 % len(POINTS)] if n % 2 else ""
        running.env["FAULT_POINT"] = f"{point} {dice.randrange(1, 4)}" if point else ""
        running.start()
        if point:
            assert dies(running, 60), f"it never came to {point}: {running.log()}"
            named += 1
        else:
            running.ready()
            starts.append(time.monotonic() - running.began)
            time.sleep(dice.uniform(0.0, 0.5))
        running.kill()
    running.env["FAULT_POINT"] = ""
    running.start().ready()
    meters.finish(close=True)
    oracle.settled(running, store, meters)
    told = oracle.nothing_lost(store, meters, folder / "data")
    scores = oracle.scores_are_those_of_a_clean_run(store, folder, meters)
    assert running.stop() < 20
    with Quarantine.open_read_only(folder / "data" / "quarantine.db") as quarantine:
        assert quarantine.missing() == {}, "messages that came count as missing"
    slowest, usual = max(starts), statistics.median(starts)
    told = f"{times} kills, {named} of them at named points; {told}; {scores}; ready again in {slowest:.1f} s at most"
    # Ready within 5 s; on a machine that is slow today, not far from what is usual on it.
    assert slowest < max(5.0, 2 * usual), f"{told}, {usual:.1f} s as a rule"
    return told


def test_fourteen_kills(tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure) -> None:
    """0 lost, 0 double, the scores of a run in which nothing happened; ready in less than five seconds."""
    figure(kill_again_and_again(tmp_path, mosquitto, influx, after, 14))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_hundred_kills(tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure) -> None:
    """The same, ten times as often."""
    figure(kill_again_and_again(tmp_path, mosquitto, influx, after, 200))
