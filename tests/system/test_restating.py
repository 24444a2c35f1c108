"""Late readings and corrected factors in a real service: new revisions, what was known before, kill -9, recompute.

Expected outputs are sums done by hand: every minute brings 5 t of clinker and 600 kWh; a late one brings its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.system.influx import TOKEN, Influxd, influx, influx_server  # noqa: F401 - fixtures
from tests.system.mosquitto import Mosquitto, mosquitto  # noqa: F401 - fixtures
from tests.system.running import ROOT, Running, command, until

pytestmark = pytest.mark.system

MINUTE, HOUR = 60_000, 3_600_000
LINE = "line:acme/works/pyro/k1"
METER = "plant/acme/works/pyro/k1/m1"
REGISTRY = """
schema = 1
profiles = ["cement"]
[intake]
past = "96h"
[scoring]
windows = ["1h", "24h"]
[site.works]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[line.k1]
site = "works"
area = "pyro"
industry = "cement"
lcd = { basis = "gross", power = true }
[meter.m1]
line = "k1"
every = "1min"
[meter.m1.channels]
clinker = { unit = "t", kind = "amount", period = "1min", step = "0.001", counts = "product:clinker" }
kwh = { unit = "kWh", kind = "amount", period = "1min", step = "1", counts = "electricity" }
"""
CORRECTED = """
[[factor]]
id = "grid:CN"
value = 1.5366
unit = "kg CO2/kWh"
from = 2022-01-01
source = "a correction for the test"
"""


class Meter:
    """One edge meter."""

    def __init__(self, broker: Mosquitto) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="m1")
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def send(self, *rows: tuple[int, float]) -> None:
        """(ts, clinker) each, with 600 kWh; returns when the broker has them."""
        sent = [self._client.publish(METER, json.dumps({"ts": ts, "clinker": t, "kwh": 600}), qos=1) for ts, t in rows]
        for one in sent:
            one.wait_for_publish(20)

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()


@pytest.fixture
def meter(mosquitto: Mosquitto) -> Iterator[Meter]:
    made = Meter(mosquitto)
    yield made
    made.close()


def service(folder: Path, broker: Mosquitto, store: Influxd | None = None) -> Running:
    words = ["run", folder / "plant.toml", "--data", folder / "data", "--broker", broker.url, "--port", "0"]
    if store is None:
        return Running([*words, "--store", "embedded"], folder, GREENGAUGE_SNAPSHOT_SECONDS="1")
    env = {"GREENGAUGE_INFLUX_TOKEN": TOKEN, "GREENGAUGE_SNAPSHOT_SECONDS": "1"}
    return Running([*words, "--store", store.url], folder, **env)


def at(running: Running, ts: int, window: str, **query: int) -> dict[str, Any]:
    """The line's low-carbon degree at one moment."""
    asked = running.get("/api/v1/scores", scope=LINE, degree="lcd", window=window, at=ts, **query)["scores"]
    assert [s["ts"] for s in asked] == [ts]
    return dict(asked[0])


def quiet(running: Running) -> None:
    """All is taken in, scored, told anew and delivered, twice in a row: states are told once a second."""
    for _ in range(2):
        time.sleep(1.2)
        running.settle()
        until(lambda: running.part("restating").get("text") == "ok", 90, running.log)


def heard(running: Running, newest: int) -> None:
    """The newest reading has arrived, and all is quiet."""
    until(lambda: running.get("/api/v1/meters")["meters"].get("m1", {}).get("last") == newest, 60, running.log)
    quiet(running)


def minutes(hours: int, missing: int) -> tuple[int, list[tuple[int, float]]]:
    """The last whole minute, and readings of so many hours up to it, without the one `missing` minutes ago."""
    now = int(time.time()) // 60 * MINUTE
    return now, [(now - m * MINUTE, 5.0) for m in range(hours * 60, -1, -1) if m != missing]


def test_a_reading_three_hours_late(
    tmp_path: Path,
    mosquitto: Mosquitto,
    influx: Influxd,
    meter: Meter,
) -> None:
    """Restated with revision 1, its reason and when it became known; before that the old value; InfluxDB follows."""
    (tmp_path / "plant.toml").write_text(REGISTRY)
    now, rows = minutes(5, missing=180)
    late, after = now - 180 * MINUTE, now - 150 * MINUTE
    running = service(tmp_path, mosquitto, influx).start().ready()
    try:
        meter.send(*rows)
        heard(running, now)
        before = at(running, after, "1h")
        assert (before["output"], before["revision"], before["lifecycle"]) == (59 * 5.0, 0, "final")
        moment = int(time.time() * 1000)
        time.sleep(1.1)
        meter.send((late, 7.0))
        until(lambda: at(running, after, "1h")["revision"] == 1, 60, running.log)
        quiet(running)
        told = at(running, after, "1h")
        assert (told["output"], told["lifecycle"]) == (59 * 5.0 + 7.0, "restated")
        assert "restated: " in told["reason"]
        assert "m1.clinker" in told["reason"]
        assert "3 h late" in told["reason"]
        assert moment < told["known_at"] <= time.time() * 1000
        assert at(running, after, "1h", known_at=moment) == before
        assert at(running, after, "1h", known_at=told["known_at"]) == told
        assert at(running, late - MINUTE, "1h")["revision"] == 0
        assert at(running, late + HOUR, "1h")["revision"] == 0
        asked = (
            f"SELECT output, revision FROM degree WHERE degree = 'lcd' AND \"window\" = '1h' AND level = 'line' "
            f"AND time = {after}ms"
        )
        until(lambda: [(r["output"], r["revision"]) for r in influx.rows(asked)] == [(302.0, 1)], 30, running.log)
    finally:
        running.stop()


def test_kill_9_in_the_midst_of_restating(tmp_path: Path, mosquitto: Mosquitto, meter: Meter) -> None:
    """A reading too late for the engine's memory is restated through the log; killed, started, the same end."""
    (tmp_path / "plant.toml").write_text(REGISTRY)
    now, rows = minutes(90, missing=85 * 60)
    late = now - 85 * HOUR
    running = service(tmp_path, mosquitto).start().ready()
    try:
        meter.send(*rows)
        heard(running, now)
        assert at(running, late + 30 * MINUTE, "1h")["output"] == 59 * 5.0
        meter.send((late, 7.0))
        until(lambda: running.part("restating").get("text", "ok") != "ok", 60, running.log)
        for _ in range(3):
            running.kill()
            running.start().ready()
            time.sleep(0.7)
        until(lambda: at(running, late + 23 * HOUR, "24h")["revision"] == 1, 60, running.log)
        quiet(running)
        for ts, window, whole in ((30 * MINUTE, "1h", 60), (0, "1h", 60), (59 * MINUTE, "1h", 60)):
            told = at(running, late + ts, window)
            assert (told["output"], told["revision"]) == ((whole - 1) * 5.0 + 7.0, 1)
        day = at(running, late + 23 * HOUR, "24h")
        assert (day["output"], day["revision"]) == (1439 * 5.0 + 7.0, 1)
        assert at(running, late + 24 * HOUR, "24h")["revision"] == 0
        assert at(running, late - MINUTE, "1h")["revision"] == 0
    finally:
        running.stop()


def recompute(folder: Path, start: int, end: int) -> list[str]:
    span = ["--from", stamp(start), "--to", stamp(end)]
    return ["recompute", *span, "--data", str(folder / "data"), "--reason", "grid factor corrected", "--json"]


def stamp(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // 1000))


def test_a_corrected_factor_is_recomputed(tmp_path: Path, mosquitto: Mosquitto, meter: Meter) -> None:
    """On the folder itself, interrupted and resumed; then by the running service. kWh x (1.5366 - 0.5366) kg more."""
    (tmp_path / "plant.toml").write_text(REGISTRY)
    now, rows = minutes(40, missing=-1)
    start, end = now - 30 * HOUR, now - 28 * HOUR
    probe = end - 30 * MINUTE
    running = service(tmp_path, mosquitto).start().ready()
    try:
        meter.send(*rows)
        heard(running, now)
        before = at(running, probe, "1h")
        wrong = command(*recompute(tmp_path, end, start))
        assert (wrong.returncode, "the stretch is empty" in wrong.stderr) == (2, True)
        running.stop()

        (tmp_path / "plant.toml").write_text(REGISTRY + CORRECTED)
        child = subprocess.Popen(
            [sys.executable, "-m", "greengauge", *recompute(tmp_path, start, end)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(lambda: jobs(tmp_path), 60)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
        assert child.returncode == 130, said
        assert "goes on where it is" in said
        done = command(*recompute(tmp_path, start, end))
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["revised"] > 1000
        assert len(jobs(tmp_path)) == 1
        again = command(*recompute(tmp_path, start, end))
        assert json.loads(again.stdout)["revised"] == 0

        running.start().ready()
        quiet(running)
        told = at(running, probe, "1h")
        assert told["denominator"] - before["denominator"] == pytest.approx(60 * 600 / 1000, abs=1e-9)
        assert (told["revision"], told["numerator"]) == (1, before["numerator"])
        assert told["reason"].endswith("restated: recomputed: grid factor corrected")
        assert told["detail"]["co2_power"] == pytest.approx(60 * 600 * 1.5366 / 1000, abs=1e-9)
        assert at(running, probe, "1h", known_at=told["known_at"] - 1) == before
        assert at(running, start, "1h")["revision"] == 0
        assert at(running, end + 59 * MINUTE, "1h")["revision"] == 1
        assert at(running, end + 61 * MINUTE, "1h")["revision"] == 0

        by_service = command(*recompute(tmp_path, end + 2 * HOUR, end + 3 * HOUR))
        assert by_service.returncode == 0, by_service.stderr
        assert json.loads(by_service.stdout)["revised"] > 60
        assert at(running, end + 3 * HOUR, "1h")["revision"] == 1
        until(lambda: "greengauge_restating_jobs 0.0" in running.get_text("/metrics"), 20)
    finally:
        running.stop()


def jobs(folder: Path) -> list[Any]:
    from greengauge.history.jobs import look

    return list(look(folder / "data" / "history.db"))
