"""A mistake of ours over one message does not stop the service: injected, with a real broker."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.system.faults.meters import registry, topic
from tests.system.faults.service import service
from tests.system.mosquitto import Mosquitto, mosquitto  # noqa: F401 - fixtures
from tests.system.running import until

pytestmark = [pytest.mark.system, pytest.mark.fault(13)]


def test_the_service_goes_on(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """The message is quarantined as `internal` and rings; those before and behind it are stored; a restart too."""
    registry(tmp_path)
    running = service(tmp_path, mosquitto.url, child=True, FAULT_NUMBER="6.66").start().ready()
    client = Client(CallbackAPIVersion.VERSION2, client_id="m1")
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    try:
        now = int(time.time() * 1000)
        for n, number in enumerate(("1.5", "6.66", "2.5")):  # with an escape: the definition decodes it
            payload = f'{{"ts": {now + n}, "q": "\\u004e", "clinker": {number}, "kwh": {n}}}'
            client.publish(topic("m1"), payload, qos=1).wait_for_publish(5)
        until(lambda: running.part("store").get("stored", 0) == 4, 20, running.log)
        until(lambda: running.part("quarantine").get("reasons") == {"internal": 1}, 20, running.log)
        alarms = until(
            lambda: [a for a in running.get("/api/v1/alarms")["alarms"] if a["id"] == "internal"], 20, running.log
        )
        assert alarms[0]["state"] == "unacknowledged"
        assert "ZeroDivisionError" in running.log()
        running.kill()
        running.start().ready()
        client.publish(topic("m1"), f'{{"ts": {now + 9}, "kwh": 9}}', qos=1).wait_for_publish(5)
        until(lambda: running.part("store").get("stored", 0) >= 1, 20, running.log)
        until(lambda: running.part("quarantine").get("reasons") == {"internal": 1}, 20, running.log)
        assert running.stop() < 20
    finally:
        client.disconnect()
        client.loop_stop()
        running.kill()


def test_scoring_stops_alone(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Readings are stored and acknowledged on, an alarm rings, the page says so; a mended program takes it up there."""
    registry(tmp_path)
    running = service(tmp_path, mosquitto.url, child=True, FAULT_PUSH="2").start().ready()
    client = Client(CallbackAPIVersion.VERSION2, client_id="m1")
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    try:
        now = int(time.time() * 1000)
        for n in range(8):
            payload = f'{{"ts": {now + n}, "clinker": 1, "kwh": {n}}}'
            client.publish(topic("m1"), payload, qos=1).wait_for_publish(5)
            time.sleep(0.1)
        until(lambda: running.part("store").get("stored", 0) == 16, 20, running.log)
        until(lambda: running.part("scoring").get("state") == "stopped", 20, running.log)
        alarms = until(
            lambda: [a for a in running.get("/api/v1/alarms")["alarms"] if a["id"] == "scoring-stopped"],
            20,
            running.log,
        )
        assert alarms[0]["state"] == "unacknowledged"
        assert "ZeroDivisionError" in alarms[0]["text"]
        assert running.status("/api/v1/sums") == 503
        assert running.stop() < 20
        mended = service(tmp_path, mosquitto.url).start().ready()
        try:
            until(lambda: mended.part("scoring").get("text") == "ok", 20, mended.log)
            sums = mended.get("/api/v1/sums", meter="m1", channel="clinker", window="1h")["sums"]
            assert float(sums[0]["sum"]) == 8
        finally:
            mended.kill()
    finally:
        client.disconnect()
        client.loop_stop()
        running.kill()
