"""Scores and alarms out over MQTT: retained, the one score object, a last will."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.system.mosquitto import Mosquitto, mosquitto  # noqa: F401 - fixtures
from tests.system.running import Running, command, until

pytestmark = pytest.mark.system

METER = "plant/acme/works/pyro/k1/k1-kiln"
CEMS = "plant/acme/works/stack/tail/cems"
SCORE = "greengauge/score/line:acme/works/pyro/k1"
ALARM = "greengauge/alarm/stack:acme/works/tail/nox-high"


def test_scores_alarms_and_status_are_retained(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Who subscribes later finds what is true now; a killed service is offline by its will."""
    assert command("init", tmp_path / "plant.toml").returncode == 0
    words = ["run", tmp_path / "plant.toml", "--data", tmp_path / "data", "--broker", mosquitto.url, "--port", "0"]
    running = Running(words, tmp_path).start().ready()
    client = Client(CallbackAPIVersion.VERSION2, client_id="plant")
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()

    def publish(seconds: int) -> None:
        now = int(time.time() * 1000)
        for second in range(seconds):
            ts = now - (seconds - second) * 1000
            client.publish(METER, json.dumps({"ts": ts, "feed": 340.0, "kwh": 1000 + second}), qos=1)
            client.publish(CEMS, json.dumps({"ts": ts, "nox": 60.0, "so2": 10.0, "pm": 3.0, "o2": 10.0}), qos=1)

    found: dict[str, Any] = {}

    def heard(_client: Client, _data: object, message: MQTTMessage) -> None:
        if message.retain:
            found[message.topic] = json.loads(message.payload)

    def retained() -> dict[str, Any]:
        publish(1)
        found.clear()
        late = Client(CallbackAPIVersion.VERSION2, client_id=f"late-{time.time()}")
        late.on_message = heard
        late.connect("127.0.0.1", mosquitto.port)
        late.subscribe("greengauge/#")
        late.loop_start()
        time.sleep(0.5)
        late.loop_stop()
        late.disconnect()
        return found

    publish(90)
    until(lambda: retained().get(ALARM, {}).get("state") == "unacknowledged", 40, running.log)
    assert found["greengauge/status"]["state"] == "online"
    told = {(s["degree"], s["window"]): s for s in found[SCORE]["scores"]}
    shown = {(s["degree"], s["window"]): s for s in running.get("/api/v1/scores", scope=SCORE[17:])["scores"]}
    assert told.keys() == shown.keys()
    assert told["lcd", "1h"].keys() == shown["lcd", "1h"].keys()
    running.kill()
    until(lambda: retained()["greengauge/status"]["state"] == "offline", 10)
    client.loop_stop()
    client.disconnect()


def test_what_left_the_registry_leaves_the_broker(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """After a site is renamed the broker holds nothing of the old name, and all of what goes on."""
    registry = tmp_path / "plant.toml"
    assert command("init", registry).returncode == 0
    words = ["run", registry, "--data", tmp_path / "data", "--broker", mosquitto.url, "--port", "0"]
    client = Client(CallbackAPIVersion.VERSION2, client_id="plant")
    found: dict[str, bytes] = {}
    client.on_message = lambda _client, _data, message: found.__setitem__(message.topic, message.payload)
    client.connect("127.0.0.1", mosquitto.port)
    client.subscribe("greengauge/#")
    client.loop_start()

    def standing() -> set[str]:
        return {topic for topic, payload in found.items() if payload}

    def publish(site: str) -> None:
        now = int(time.time() * 1000)
        for ts in range(now - 90_000, now, 1000):
            client.publish(
                METER.replace("works", site), json.dumps({"ts": ts, "feed": 340.0, "kwh": ts // 1000}), qos=1
            )

    running = Running(words, tmp_path).start().ready()
    publish("works")
    until(lambda: SCORE in standing(), 40, running.log)
    running.stop()
    registry.write_text(registry.read_text().replace("works", "moved"))
    running.start().ready()
    publish("moved")
    until(lambda: SCORE.replace("works", "moved") in standing(), 40, running.log)
    assert not {topic for topic in standing() if "works" in topic}
    assert "greengauge/score/enterprise:acme" in standing()
    running.stop()
    client.loop_stop()
    client.disconnect()
