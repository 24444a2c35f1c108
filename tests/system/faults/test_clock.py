"""Fault 11: the wall clock jumps under the whole process (libfaketime): an hour and ten years, ahead and back."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.system.faults import oracle
from tests.system.faults.conftest import After, Figure
from tests.system.faults.meters import Meters, registry
from tests.system.faults.service import alarms, service
from tests.system.influx import Influxd
from tests.system.mosquitto import Mosquitto
from tests.system.running import until

pytestmark = [pytest.mark.system, pytest.mark.fault(11)]

JUMPS = ("+3600", "-3600", "+315360000", "-315360000")


def faketime() -> str:
    """The library; without it the test is skipped, in CI it fails."""
    found = [
        *Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"),
        *Path("/usr/lib").glob("faketime/libfaketimeMT.*"),
    ]
    if not found:
        assert os.environ.get("CI") != "true", "faketime must be there in CI"
        pytest.skip("faketime is not installed")
    return str(found[0])


def jumps(folder: Path, broker: Mosquitto, store: Influxd, after: After, asked: tuple[str, ...], lasting: float) -> str:
    """Each jump for so long while meters publish by the true time; the oracle's sentence."""
    registry(folder)
    lead = folder / "lead"
    lead.write_text("+0")
    fake = {"LD_PRELOAD": faketime(), "FAKETIME_TIMESTAMP_FILE": str(lead), "FAKETIME_CACHE_DURATION": "1"}
    running = service(folder, broker.url, store.url, **fake, FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1")
    after.append(running.start().ready())
    meters = Meters(broker.port, every=0.01)
    after.append(meters)
    until(lambda: oracle.count(store) > 50, 30, running.log)
    seen: list[float] = []
    for jump in asked:
        lead.write_text(jump)
        until(lambda: running.part("intake")["clock_jump_s"] != 0, 10, running.log)
        seen.append(running.part("intake")["clock_jump_s"])
        assert seen[-1] == pytest.approx(float(jump), abs=2)
        stood, arrived = oracle.count(store), running.part("intake")["acknowledged"]
        time.sleep(lasting)
        until(lambda arrived=arrived: running.part("intake")["acknowledged"] > arrived + 30, 10, running.log)
        assert alarms(running)["clock-jump"] == "unacknowledged"
        held = running.part("log")["behind"]["store"]
        assert held > 1_000, "decoding is held: what was acknowledged stays in the log"
        lead.write_text("+0")
        until(lambda: running.part("intake")["clock_jump_s"] == 0, 10, running.log)
        until(lambda stood=stood: oracle.count(store) > stood + 30, 20, running.log)
    meters.finish()
    oracle.settled(running, store, meters)
    told = oracle.nothing_lost(store, meters, folder / "data")
    kinds = dict.fromkeys(f"{s:+,.0f} s" for s in seen)
    return f"{len(seen)} jumps of {', '.join(kinds)}; nothing good quarantined; {told}"


def test_the_wall_clock_jumps(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """An hour ahead, ten years back: held while it is wrong, judged by the right time afterwards."""
    figure(jumps(tmp_path, mosquitto, influx, after, JUMPS[::3], 1.0))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_wall_clock_jumps_often(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """Forty jumps, each held for five seconds."""
    figure(jumps(tmp_path, mosquitto, influx, after, JUMPS * 10, 5.0))
