"""The shipped mosquitto.conf and acl in a real mosquitto: a meter speaks for itself only; queues wait for us."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.deploy.files import DEPLOY

pytestmark = pytest.mark.system
USERS = ("greengauge", "k1-kiln", "k1-coal", "cems1", "viewer", "simulator")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A mosquitto with our files, paths and port replaced; its port."""
    if shutil.which("mosquitto") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto is not on PATH")
        pytest.skip("mosquitto is not on PATH")
    folder = tmp_path_factory.mktemp("mosquitto")
    folder.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    conf = (DEPLOY / "mosquitto/mosquitto.conf").read_text()
    for path in ("/mosquitto/config/passwd", "/mosquitto/config/acl", "/mosquitto/data/"):
        assert path in conf
    conf = conf.replace("/mosquitto/config", str(folder)).replace("/mosquitto/data/", f"{folder}/")
    conf = conf.replace("listener 1883", f"listener {port} 127.0.0.1", 1)
    if os.geteuid() == 0:
        conf += "user root\n"  # the temporary folder is root's
    (folder / "mosquitto.conf").write_text(conf)
    shutil.copy(DEPLOY / "mosquitto/acl", folder / "acl")
    (folder / "passwd").touch()
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", str(folder / "passwd"), user, f"pw-{user}"], check=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["mosquitto", "-c", str(folder / "mosquitto.conf")], stdout=log, stderr=log)
    until(lambda: answers(port) or process.poll() is not None, "mosquitto answers")
    assert process.poll() is None, (folder / "log").read_text()
    assert "error" not in (folder / "log").read_text().lower(), (folder / "log").read_text()
    yield port
    process.terminate()
    process.wait(10)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(true: Callable[[], bool], what: str, within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Client:
    """A small MQTT 5 client that notes what it gets."""

    def __init__(self, port: int, user: str | None, *, client_id: str = "", password: str | None = None) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.reason: str | None = None
        self.published: dict[int, str] = {}
        self._ready = threading.Event()
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        if user:
            self.mqtt.username_pw_set(user, password or f"pw-{user}")
        self.mqtt.on_connect = self._connected
        self.mqtt.on_subscribe = lambda *_: self._ready.set()
        self.mqtt.on_message = lambda _, __, message: self.got.append((message.topic, message.payload))
        self.mqtt.on_publish = lambda _, __, mid, reason, ___: self.published.update({mid: str(reason)})
        self.mqtt.max_queued_messages_set(0)
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 3600 if client_id else 0
        kept.ReceiveMaximum = 65535
        self.mqtt.connect("127.0.0.1", port, clean_start=not client_id, properties=kept)
        self.mqtt.loop_start()
        until(lambda: self.reason is not None, "an answer to CONNECT")

    def _connected(self, _: object, __: object, ___: object, reason: object, ____: object) -> None:
        self.reason = str(reason)

    def subscribe(self, topic: str) -> None:
        self._ready.clear()
        self.mqtt.subscribe(topic, qos=1)
        assert self._ready.wait(5)

    def publish(self, topic: str) -> str:
        """The PUBACK's reason."""
        mid = self.mqtt.publish(topic, b"1", qos=1).mid
        until(lambda: mid in self.published, "a PUBACK")
        return self.published[mid]

    def close(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


@pytest.mark.parametrize(
    ("user", "topic", "may"),
    [
        ("k1-kiln", "plant/acme/wuhu/pyro/k1/k1-kiln", True),
        ("k1-kiln", "plant/acme/wuhu/pyro/k1/k1-kiln/feed", True),
        ("cems1", "plant/acme/wuhu/stack/tail/cems1", True),
        ("k1-kiln", "meter/k1-kiln/state", True),
        ("k1-kiln", "plant/acme/wuhu/pyro/k1/k1-coal", False),
        ("k1-kiln", "plant/acme/wuhu/stack/tail/cems1", False),
        ("k1-kiln", "plant/acme/wuhu/pyro/k1/k1-coal/k1-kiln/x", False),
        ("k1-kiln", "meter/k1-coal/state", False),
        ("k1-kiln", "greengauge/score/line:acme/wuhu/pyro/k1", False),
        ("k1-coal", "legacy/kiln1/coal", False),
        ("viewer", "plant/acme/wuhu/pyro/k1/k1-kiln", False),
        ("viewer", "greengauge/status", False),
        ("greengauge", "greengauge/status", True),
        ("greengauge", "plant/acme/wuhu/pyro/k1/k1-kiln", False),
        ("simulator", "plant/acme/wuhu/pyro/k1/k1-kiln", True),
    ],
)
def test_who_may_publish_what(broker: int, user: str, topic: str, may: bool) -> None:
    """A meter publishes under its own name only; only the service publishes scores."""
    client = Client(broker, user)
    assert client.publish(topic) in ({"Success", "No matching subscribers"} if may else {"Not authorized"})
    client.close()


def test_a_meter_cannot_listen(broker: int) -> None:
    """What others publish does not reach a meter, whatever it subscribes to."""
    meter, viewer, other = (Client(broker, user) for user in ("k1-kiln", "viewer", "cems1"))
    meter.subscribe("#")
    viewer.subscribe("#")
    service = Client(broker, "greengauge")
    service.publish("greengauge/status")
    other.publish("plant/acme/wuhu/stack/tail/cems1")
    until(lambda: len(viewer.got) == 1, "the viewer gets the status")
    time.sleep(0.2)
    assert meter.got == []
    assert [topic for topic, _ in viewer.got] == ["greengauge/status"]
    for client in (meter, viewer, other, service):
        client.close()


@pytest.mark.parametrize(("user", "password"), [(None, None), ("k1-kiln", "wrong"), ("nobody", "x")])
def test_strangers_stay_outside(broker: int, user: str | None, password: str | None) -> None:
    """No name, a wrong password, an unknown name."""
    client = Client(broker, user, password=password)
    assert client.reason == "Not authorized"
    client.close()


def test_nothing_is_lost_while_the_service_is_away(broker: int) -> None:
    """5,000 readings wait in its session: the default configuration would drop all but 1,000."""
    service = Client(broker, "greengauge", client_id="greengauge-test")
    service.subscribe("plant/#")
    service.close()
    meter = Client(broker, "k1-kiln")
    for _ in range(5000):
        meter.mqtt.publish("plant/acme/wuhu/pyro/k1/k1-kiln", b'{"ts": 1763800000000, "feed": 340.5}', qos=1)
    until(lambda: len(meter.published) == 5000, "5,000 PUBACKs", within=30)
    meter.close()
    back = Client(broker, "greengauge", client_id="greengauge-test")
    until(lambda: len(back.got) >= 5000, "5,000 readings", within=30)
    assert len(back.got) == 5000
    back.close()


def test_the_files_say_what_to_do(tmp_path: Path) -> None:
    """Anonymous access is off, queues are unbounded by number, bounded by bytes, and persistent."""
    lines = [
        line for line in (DEPLOY / "mosquitto/mosquitto.conf").read_text().splitlines() if not line.startswith("#")
    ]
    settings = dict(line.split(" ", 1) for line in lines if line)
    assert settings["allow_anonymous"] == "false"
    assert settings["max_queued_messages"] == "0"
    assert int(settings["max_queued_bytes"]) > 10**9
    assert settings["persistence"] == "true"
