"""What may be missing is not forgotten by a restart: possible losses of the broker, gaps in a meter's numbers."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish

from tests.system.mosquitto import Mosquitto, mosquitto  # noqa: F401 - fixtures
from tests.system.running import Running, command, until

pytestmark = pytest.mark.system

METER = "plant/acme/works/pyro/k1/k1-kiln"


def test_a_restart_forgets_no_gap_and_rings_for_no_old_loss(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Numbers 1, 2, 5 and a killed broker; after a restart 9: five missing in all, the loss known, rung once."""
    assert command("init", tmp_path / "plant.toml").returncode == 0
    words = ["run", tmp_path / "plant.toml", "--data", tmp_path / "data", "--broker", mosquitto.url, "--port", "0"]
    running = Running(words, tmp_path).start().ready()

    def send(*numbers: int) -> None:
        for seq in numbers:
            payload = json.dumps({"ts": int(time.time() * 1000), "seq": seq, "feed": 340.0})
            publish.single(METER, payload, qos=1, port=mosquitto.port)

    def trips() -> int:
        events: list[dict[str, Any]] = running.get("/api/v1/alarms", events=1000)["events"]
        return sum((e["event"], e["id"]) == ("trip", "possible-loss") for e in events)

    send(1, 2, 5)
    until(lambda: running.part("intake").get("missing") == 2, 30, running.log)
    mosquitto.stop(signal.SIGKILL)
    until(lambda: not running.part("intake")["connected"], 20, running.log)
    mosquitto.start()
    until(lambda: trips() == 1, 30, running.log)
    before = running.part("intake")
    assert before["possible_losses"] >= 1
    running.stop()
    running.start().ready()
    until(lambda: "missing" in running.part("intake"), 20, running.log)
    send(9)
    until(lambda: running.part("intake")["missing"] == 5, 30, running.log)
    after = running.part("intake")
    assert after["losses"][: len(before["losses"])] == before["losses"]
    assert trips() == 1 + (after["possible_losses"] > before["possible_losses"])
    running.stop()
