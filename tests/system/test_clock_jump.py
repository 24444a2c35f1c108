"""A wall clock that jumps under a running service: nothing good is quarantined, alarms are held, people are told."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.system.mosquitto import Mosquitto, free_port, mosquitto  # noqa: F401 - fixtures
from tests.system.running import ROOT, Running, until

pytestmark = [pytest.mark.system, pytest.mark.fault(11)]

HOUR = 3_600_000
PLANT = """
[site.w]
enterprise = "a"
timezone = "UTC"
[line.k1]
site = "w"
area = "p"
[meter.m]
line = "k1"
every = "1s"
[meter.m.channels]
made = { unit = "t", kind = "amount", step = "1", counts = "product:clinker" }
[[alarm]]
id = "sd-low"
on = { line = "k1", degree = "sd", window = "24h" }
limit = { at = 1, low = true }
"""


class Plant:
    """One meter that reports by the true time, and a service whose wall clock the test moves."""

    def __init__(self, folder: Path, broker: Mosquitto, lead_ms: int) -> None:
        port = free_port()  # not 0: a service that starts again has the same address
        self.lead = folder / "lead"
        self.lead.write_text(str(lead_ms))
        (folder / "plant.toml").write_text(PLANT)
        words = ["run", folder / "plant.toml", "--broker", broker.url, "--data", folder / "data", "--port", str(port)]
        self.service = Running(words, folder, CLOCK_LEAD=str(self.lead))
        self.service.program = [str(ROOT / "tests" / "system" / "clock_child.py")]
        self.meter = Client(CallbackAPIVersion.VERSION2, "m")
        self.meter.connect("127.0.0.1", broker.port)
        self.meter.loop_start()
        self.service.start().ready()

    def report(self, tonnes: int) -> None:
        """Published, acknowledged by the broker."""
        now = time.time_ns() // 1_000_000
        self.meter.publish("plant/a/w/p/k1/m", f'{{"ts": {now}, "made": {tonnes}}}', 1).wait_for_publish(10)

    def made(self) -> str:
        """Tonnes in the last hour, as the API tells."""
        try:
            sums = self.service.get("/api/v1/sums", meter="m", channel="made", window="1h")["sums"]
        except OSError:  # it starts again
            return ""
        return str(sums[0]["sum"]) if sums else ""

    def jumped(self) -> float:
        """By how much the service says that its wall clock jumped, s."""
        return float(self.service.part("intake").get("clock_jump_s", 0))

    def quarantined(self) -> int:
        """Messages."""
        return int(self.service.part("quarantine")["rows"])

    def arrived(self) -> int:
        """Messages acknowledged."""
        return int(self.service.part("intake").get("acknowledged", 0))


@pytest.fixture
def plant(tmp_path: Path, mosquitto: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Plant]:
    plant = Plant(tmp_path, mosquitto, request.param)
    yield plant
    plant.meter.loop_stop()
    plant.service.stop()


@pytest.mark.parametrize("plant", [0], indirect=True)
def test_a_wrong_jump_is_waited_out(plant: Plant) -> None:
    """Ten years ahead and back: what came meanwhile is acknowledged, held, and counts once the clock is right again."""
    plant.report(1)
    until(lambda: plant.made() == "1", 15, plant.service.log)
    plant.lead.write_text(str(10 * 365 * 24 * HOUR))
    until(lambda: plant.jumped() > 300_000_000, 5, plant.service.log)
    plant.report(2)
    until(lambda: plant.arrived() == 2, 5, plant.service.log)
    until(lambda: any(a["id"] == "clock-jump" for a in plant.service.get("/api/v1/alarms")["alarms"]), 5)
    assert plant.made() == "1"
    plant.lead.write_text("0")
    until(lambda: plant.made() == "3", 10, plant.service.log)
    until(lambda: plant.jumped() == 0, 5)
    assert plant.quarantined() == 0


@pytest.mark.parametrize("plant", [-HOUR], indirect=True)
def test_a_right_jump_is_accepted(plant: Plant) -> None:
    """The service started an hour slow; the clock is set right: accepted, what was held is judged by the true time."""
    plant.lead.write_text("0")
    until(lambda: plant.jumped() > 3_590, 5, plant.service.log)
    plant.report(5)
    until(lambda: plant.arrived() == 1, 5, plant.service.log)
    assert plant.service.post("/api/v1/clock", {"do": "accept"})["offset_s"] == pytest.approx(3_600, abs=1)
    until(lambda: plant.made() == "5", 10, plant.service.log)
    assert plant.quarantined() == 0


@pytest.mark.parametrize("plant", [10 * 365 * 24 * HOUR], indirect=True)
def test_a_log_from_the_future(plant: Plant) -> None:
    """The machine started ten years ahead, and is right at the next start: held and said so; accepted, all is judged
    anew, and the reading that was refused for being ten years old is let in by a retry.
    """
    plant.report(1)
    until(lambda: plant.quarantined() == 1, 15, plant.service.log)
    plant.service.stop()
    plant.lead.write_text("0")
    plant.service.start().ready()
    plant.report(2)
    until(lambda: plant.jumped() < -300_000_000, 5, plant.service.log)
    until(lambda: any(a["id"] == "clock-jump" for a in plant.service.get("/api/v1/alarms")["alarms"]), 5)
    assert plant.made() in ("", "0")
    assert plant.service.post("/api/v1/clock", {"do": "accept"})["offset_s"] < -300_000_000
    until(lambda: plant.made() == "2", 20, plant.service.log)
    assert plant.jumped() == 0
    plant.report(4)
    until(lambda: plant.made() == "6", 10, plant.service.log)
    assert plant.quarantined() == 1
    words = [sys.executable, "-m", "greengauge", "quarantine", "retry", "--data", str(plant.service.folder / "data")]
    assert subprocess.run(words, check=False, capture_output=True, timeout=60).returncode == 0
    until(lambda: plant.made() == "7", 10, plant.service.log)
