"""A real InfluxDB that lost what it acknowledged: `verify` says so, `rewind` brings readings and scores back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from devices import times
from tests.system.influx import Influxd, influx, influx_server  # noqa: F401 - fixtures
from tests.system.mosquitto import Mosquitto, mosquitto  # noqa: F401 - fixtures
from tests.system.running import Running, command, until

pytestmark = pytest.mark.system


def test_a_lost_bucket_comes_back(tmp_path: Path, mosquitto: Mosquitto, influx: Influxd) -> None:
    """All points of the readings and of the degrees told since are there again, once and equal."""
    assert command("init", tmp_path / "plant.toml").returncode == 0
    data = tmp_path / "data"
    store = ["--store", f"{influx.url}?org={influx.org}&bucket={influx.bucket}"]
    words = ["run", tmp_path / "plant.toml", "--data", data, "--broker", mosquitto.url, "--port", "0", *store]
    env = {"GREENGAUGE_INFLUX_TOKEN": influx.token}
    running = Running(words, tmp_path, **env).start().ready()
    client = Client(CallbackAPIVersion.VERSION2, client_id="k1-kiln")
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()

    def told(*verb: str, code: int) -> Any:
        done = command(*verb, "--data", data, "--json", *store, **env)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def held() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        return influx.rows("SELECT feed, kwh FROM reading"), influx.rows("SELECT completeness FROM emission, degree")

    try:
        now = int(time.time() * 1000)
        for i in range(150):  # two and a half minutes of the past: their minutes close at once
            ts = now - 150_000 + i * 1000
            client.publish("plant/acme/works/pyro/k1/k1-kiln", f'{{"ts": {ts}, "feed": {300 + i}.25, "kwh": {i}}}', 1)
            cems = f'{{"ts": {ts}, "nox": {40 + i % 7}.5, "so2": 10, "pm": 3, "o2": 10}}'
            client.publish("plant/acme/works/stack/tail/cems", cems, 1).wait_for_publish(5)
        for topic in ("pyro/k1/k1-kiln", "pyro/k1/k1-coal", "stack/tail/cems"):
            client.publish(f"plant/acme/works/{topic}", '{"close": true}', 1).wait_for_publish(5)
        until(lambda: len(held()[0]) == 150 and held()[1], 30, running.log)
        running.settle(60)
        before = held()
        assert told("verify", code=0)["stored"] == 150 * 6

        everything = {"start": "2000-01-01T00:00:00Z", "stop": "2100-01-01T00:00:00Z"}
        path = f"/api/v2/delete?org={influx.org}&bucket={influx.bucket}"
        assert influx.request("POST", path, json.dumps(everything).encode())[0] == 204
        assert held() == ([], [])
        lost = told("verify", code=1)
        assert (lost["missing"], lost["stored"]) == (900, 0)
        assert told("rewind", "--to", times.format(now - 600_000), code=0)["complete"] is True
        until(lambda: held()[0] == before[0], 30, running.log)
        until(lambda: [p for p in held()[1] if p in before[1]] == before[1], 30, running.log)
        assert told("verify", code=0)["stored"] == 900
    finally:
        client.disconnect()
        client.loop_stop()
        running.stop()
