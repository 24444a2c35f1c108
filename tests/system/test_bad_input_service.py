"""Issue 3's end 6: the bad inputs of the promise, published to a running service; `explain` says the same."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from devices.plant import load
from ingest.decode.explain import explain
from tests.system.mosquitto import Mosquitto, mosquitto  # noqa: F401 - fixtures
from tests.system.running import ROOT, Running, command, until

pytestmark = pytest.mark.system

TOPIC = "plant/acme/works/pyro/k1/k1-kiln"
DAY = 86_400_000


def bad(now: int) -> dict[str, tuple[str, bytes, str]]:
    """Name -> topic, payload, outcome."""

    def feed(text: str) -> bytes:
        return f'{{"ts": {now}, "feed": {text}}}'.encode()

    quarantined = {
        "empty payload": b"",
        "invalid UTF-8": b'{"ts": \xff}',
        "BOM": b"\xef\xbb\xbf" + feed("1"),
        "truncated JSON": feed("1")[:-1],
        "trailing bytes": feed("1") + b" x",
        "NaN": feed("NaN"),
        "Infinity": feed("-Infinity"),
        "1e999": feed("1e999"),
        "nesting": b"[" * 17 + b"]" * 17,
        "duplicate keys": f'{{"ts": {now}, "feed": 1, "feed": 2}}'.encode(),
        "5,000 digits": feed("1" * 5000),
        "2^64 and more as ts": b'{"ts": 18446744073709551616, "feed": 1}',
        "lone surrogate": f'{{"ts": {now}, "\\ud800": 1}}'.encode(),
        "control character in a name": f'{{"ts": {now}, "a\\u0007": 1}}'.encode(),
        "top-level scalar": b"12.3",
        "missing ts": b'{"feed": 1}',
        "no value": f'{{"ts": {now}}}'.encode(),
        "number as text": feed('"12.3"'),
        "boolean": feed("true"),
        "null": feed("null"),
        "ts 0": b'{"ts": 0, "feed": 1}',
        "negative ts": b'{"ts": -5, "feed": 1}',
        "seconds": f'{{"ts": {now // 1000}, "feed": 1}}'.encode(),
        "nanoseconds": f'{{"ts": {now * 1_000_000}, "feed": 1}}'.encode(),
        "future": f'{{"ts": {now + 3_600_000}, "feed": 1}}'.encode(),
        "older than past": f'{{"ts": {now - 4 * DAY}, "feed": 1}}'.encode(),
        "identity": f'{{"ts": {now}, "feed": 1, "meter": "another"}}'.encode(),
    }
    return {name: (TOPIC, payload, "quarantined") for name, payload in quarantined.items()} | {
        "unknown meter": ("plant/acme/works/pyro/k1/new-one", feed("1"), "pending"),
        "unknown channel": (TOPIC, f'{{"ts": {now}, "feed": 1.5, "novel": 1}}'.encode(), "pending"),
        "empty topic level": ("plant/acme/works//k1/k1-kiln", feed("1"), "quarantined"),
        "script as a name": ("plant/acme/works/pyro/k1/<script>alert(1)<", feed("1"), "pending"),
        "array with one bad": (TOPIC, b"[" + feed("2") + b"," + feed("null") + b"]", "quarantined"),
    }


def test_every_bad_input_is_quarantined_with_a_reason_and_intake_goes_on(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Logged, acknowledged, quarantined with words a plant engineer understands; `explain` gives the same reason."""
    assert command("init", tmp_path / "plant.toml").returncode == 0
    data = tmp_path / "data"
    words = ["run", tmp_path / "plant.toml", "--data", data, "--broker", mosquitto.url, "--port", "0"]
    running = Running(words, tmp_path).start().ready()
    client = Client(CallbackAPIVersion.VERSION2, client_id="k1-kiln")
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    try:
        now = int(time.time() * 1000)
        plant = load(tmp_path / "plant.toml")
        inputs = bad(now)
        for topic, payload, _ in inputs.values():
            client.publish(topic, payload, qos=1).wait_for_publish(5)
        client.publish(TOPIC, f'{{"ts": {now}, "feed": 341.5, "kwh": 12}}', qos=1).wait_for_publish(5)

        def listed() -> list[dict[str, object]]:
            told = command("quarantine", "list", "--data", data, "--json")
            assert told.returncode == 0, told.stderr
            return [json.loads(line) for line in told.stdout.splitlines()]

        until(lambda: len(listed()) >= len(inputs), 20, running.log)
        rejects = listed()
        assert all({"position", "received", "topic", "reason", "size"} <= set(reject) for reject in rejects)
        assert all(len(str(reject["cause"])) > 10 and reject["mend"] for reject in rejects)
        for (name, (topic, payload, outcome)), reject in zip(inputs.items(), rejects, strict=True):
            assert reject["outcome"] == outcome, (name, reject)
            assert explain(plant, topic, payload)["reason"] == reject["reason"], name
        for name in ("number as text", "seconds", "unknown channel"):  # the command is the same code: a few are enough
            topic, payload, outcome = inputs[name]
            told = command("explain", tmp_path / "plant.toml", topic, payload.decode(), "--json")
            assert (told.returncode, json.loads(told.stdout)["outcome"]) == (1, outcome), told.stdout
        until(lambda: running.part("store").get("stored", 0) >= 2, 10, running.log)
        assert running.status("/readyz") == 200
    finally:
        client.disconnect()
        client.loop_stop()
        running.stop()


def test_the_command_is_readable_when_the_port_is_busy(tmp_path: Path) -> None:
    """A busy port is no error: the next free one is printed."""
    import socket

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert command("init", tmp_path / "plant.toml").returncode == 0
        words = [
            "run",
            tmp_path / "plant.toml",
            "--data",
            tmp_path / "d",
            "--broker",
            "mqtt://127.0.0.1:1",
            "--port",
            str(port),
        ]
        running = Running(words, tmp_path).start()
        assert running.page != f"http://127.0.0.1:{port}"
        assert running.stop() < 3
        assert "Traceback" not in running.log()
    assert (ROOT / "greengauge/init.toml").exists()
