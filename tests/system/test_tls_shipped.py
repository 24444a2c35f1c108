"""The shipped mosquitto.conf with its TLS lines in force, and with passwords: the service and its meters through it."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from tests.deploy.files import DEPLOY
from tests.system.faults.meters import registry, topic
from tests.system.faults.service import service
from tests.system.mosquitto import Mosquitto, need
from tests.system.running import Running, until

pytestmark = pytest.mark.system

SECRET = "pw of the test, nowhere else"  # noqa: S105 - a test's own


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.cert, self.key = folder / "ca.crt", folder / "ca.key"
        options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        self._run("req", "-x509", *options, "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert)

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of that common name; good for 127.0.0.1 too."""
        key, asked, cert = (self.folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._run("req", *options, "-subj", f"/CN={name}", "-keyout", key, "-out", asked)
        extra = self.folder / f"{name}.ext"
        extra.write_text("subjectAltName=IP:127.0.0.1\n")
        signed = ["-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", "2", "-extfile", extra]
        self._run("x509", "-req", "-in", asked, *signed, "-out", cert)
        return cert, key

    def _run(self, *words: str | Path) -> None:
        subprocess.run([need("openssl"), *map(str, words)], check=True, capture_output=True)


def shipped(folder: Path, *, tls: bool) -> tuple[str, str]:
    """The shipped configuration for a broker in `folder`: what stands before its listener's port, and the rest."""
    lines = (DEPLOY / "mosquitto/mosquitto.conf").read_text().splitlines()
    for wanted in ("#listener 8883", "#require_certificate true", "#use_identity_as_username true"):
        assert any(line.startswith(wanted) for line in lines), f"{wanted} stands in the shipped file"
    kept = []
    for line in lines:
        if line.startswith("#") and not line.startswith("# ") and tls:
            line = line[1:].split("  #")[0].split(" #")[0].rstrip()
        kept.append(line)
    text = "\n".join(line for line in kept if not line.startswith(("listener ", "persistence_location ")))
    return text.replace("/mosquitto/config", str(folder)), "listener 8883" if tls else "listener 1883"


class Broker(Mosquitto):
    """Mosquitto with the shipped files."""

    def __init__(self, folder: Path, *, tls: bool) -> None:
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        shutil.copy(DEPLOY / "mosquitto/acl", folder / "acl")
        (folder / "passwd").touch()
        for user in ("greengauge", "m1"):
            subprocess.run([need("mosquitto_passwd"), "-b", folder / "passwd", user, SECRET], check=True)
        for file in ("acl", "passwd"):
            (folder / file).chmod(0o640 if os.geteuid() else 0o600)
        super().__init__(folder, shipped(folder, tls=tls)[0])


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[Broker, Authority]]:
    """The shipped broker with TLS and required client certificates, and who signs them."""
    authority = Authority(tmp_path / "authority")
    folder = tmp_path / "broker"
    broker = Broker(folder, tls=True)
    cert, key = authority.issue("server")
    for source, name in ((authority.cert, "ca.crt"), (cert, "server.crt"), (key, "server.key")):
        shutil.copy(source, folder / name)
    broker.start()
    yield broker, authority
    broker.stop()


def meter(broker: Mosquitto, authority: Authority, name: str | None) -> mqtt.Client:
    """A connected meter with its own certificate; None: without one."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name or "nobody", protocol=mqtt.MQTTv5)
    cert, key = authority.issue(name) if name else (None, None)
    client.tls_set(str(authority.cert), cert and str(cert), key and str(key), tls_version=ssl.PROTOCOL_TLS_CLIENT)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    return client


def published(client: mqtt.Client, where: str, payload: dict[str, Any]) -> str:
    """The broker's answer to a publish."""
    answers: list[str] = []
    client.on_publish = lambda *told: answers.append(str(told[3]))
    client.publish(where, json.dumps(payload), qos=1)
    until(lambda: answers, 10)
    return answers[0]


def reading() -> dict[str, Any]:
    return {"ts": time.time_ns() // 1_000_000, "clinker": 5.25, "kwh": 3}


def tls(folder: Path, broker: Mosquitto, ca: Path, cert: tuple[Path, Path] | None) -> Running:
    """The service over mqtts."""
    env = {"GREENGAUGE_BROKER_CA": str(ca)}
    if cert:
        env |= {"GREENGAUGE_BROKER_CERT": str(cert[0]), "GREENGAUGE_BROKER_KEY": str(cert[1])}
    return service(folder, broker.url.replace("mqtt://", "mqtts://"), **env)


def test_certificates_and_the_acl(tmp_path: Path, secured: tuple[Broker, Authority]) -> None:
    """The service and a meter by certificate; a meter speaks for itself only, and is stored; others stay out."""
    broker, authority = secured
    registry(tmp_path)
    running = tls(tmp_path, broker, authority.cert, authority.issue("greengauge")).start().ready()
    try:
        m1 = meter(broker, authority, "m1")
        assert published(m1, topic("m1"), reading()) == "Success"
        assert published(m1, topic("m2"), reading()) == "Not authorized"
        until(lambda: running.part("store").get("stored") == 2, 20, running.log)
        assert running.part("intake")["frames"] == 1
        m1.disconnect()
        m1.loop_stop()
        stranger = meter(broker, authority, None)
        time.sleep(1)
        assert not stranger.is_connected(), "a meter without a certificate came in"
        stranger.disconnect()
        stranger.loop_stop()
    finally:
        running.stop()


@pytest.mark.parametrize("wrong", ["no certificate", "another authority's", "the broker's is not known"])
def test_what_is_wrong_with_a_certificate_is_said(
    tmp_path: Path, secured: tuple[Broker, Authority], wrong: str
) -> None:
    """The service says that it is the certificate; no traceback, and the page stands."""
    broker, authority = secured
    registry(tmp_path)
    stranger = Authority(tmp_path / "stranger", "stranger")
    known = stranger.cert if wrong.startswith("the broker") else authority.cert
    own = {"n": None, "a": stranger.issue("greengauge"), "t": authority.issue("greengauge")}[wrong[0]]
    running = tls(tmp_path, broker, known, own).start()
    try:
        until(lambda: running.status("/healthz") == 200, 20, running.log)
        until(lambda: "certificate" in running.part("intake").get("text", ""), 20, running.log)
        assert running.status("/readyz") == 503
        assert "Traceback" not in running.log()
    finally:
        running.stop()


@pytest.mark.parametrize("by_file", [False, True])
def test_a_password_from_environment_or_file(tmp_path: Path, by_file: bool) -> None:
    """The service logs in by it, and it is nowhere to be read: not in argv, log, page or answers."""
    broker = Broker(tmp_path / "broker", tls=False).start()
    registry(tmp_path)
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    secret = {"GREENGAUGE_BROKER_PASSWORD_FILE": str(file)} if by_file else {"GREENGAUGE_BROKER_PASSWORD": SECRET}
    running = service(tmp_path, broker.url.replace("mqtt://", "mqtt://greengauge@"), **secret).start().ready()
    try:
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "m1", protocol=mqtt.MQTTv5)
        client.username_pw_set("m1", SECRET)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        assert published(client, topic("m1"), reading()) == "Success"
        assert published(client, topic("m3"), reading()) == "Not authorized"
        until(lambda: running.part("store").get("stored") == 2, 20, running.log)
        client.disconnect()
        client.loop_stop()
        assert running.process is not None
        argv = Path(f"/proc/{running.process.pid}/cmdline").read_bytes()
        said = [running.get_text(path) for path in ("/", "/api/v1/system", "/metrics", "/readyz")]
        assert SECRET not in "".join([argv.decode(), (tmp_path / "service.log").read_text(), *said])
    finally:
        running.stop()
        broker.stop()


def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    """In words, with what to do; the password is not among them."""
    broker = Broker(tmp_path / "broker", tls=False).start()
    registry(tmp_path)
    url = broker.url.replace("mqtt://", "mqtt://greengauge@")
    running = service(tmp_path, url, GREENGAUGE_BROKER_PASSWORD="a wrong one").start()  # noqa: S106 - a test's own
    try:
        until(lambda: running.status("/healthz") == 200, 20, running.log)
        until(lambda: "refuses" in running.part("intake").get("text", ""), 20, running.log)
        assert "a wrong one" not in running.part("intake")["text"] + running.log()
    finally:
        running.stop()
        broker.stop()
