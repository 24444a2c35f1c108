"""A step-by-step MQTT client and a broker candidate, for the tests against real brokers."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from greengauge.broker import EmbeddedBroker

TOPIC = "plant/acme/wuhu/pyro/k1/k1-coal"


@dataclass(frozen=True, slots=True)
class Iotcore:
    """rumqttd in a wheel: a candidate that was not chosen."""

    name: str = "iotcore"

    def command(self, folder: Path, port: int) -> list[str]:  # noqa: ARG002 - it keeps nothing on disk
        """No configuration file: everything is an argument."""
        code = (
            "from iotcore.iotcore import IotCoreBroker as B; "
            f"B(listen='127.0.0.1', port={port}, max_payload_size=8 << 20).run_forever()"
        )
        return [sys.executable, "-c", code]


class Peer:
    """A client driven step by step, so that a cut can be placed exactly."""

    def __init__(self, broker: EmbeddedBroker, name: str, *, clean: bool = True, will: str | None = None) -> None:
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean, manual_ack=True)
        self.client.max_inflight_messages_set(1000)
        self.got: list[mqtt.MQTTMessage] = []
        self.present: bool | None = None
        self.granted = 0
        self.client.on_message = lambda _c, _u, message: self.got.append(message)
        self.client.on_connect = lambda _c, _u, flags, _rc, _p: setattr(self, "present", flags.session_present)
        self.client.on_subscribe = lambda *_: setattr(self, "granted", self.granted + 1)
        if will:
            self.client.will_set(will, b"gone", qos=1, retain=True)
        self.client.connect("127.0.0.1", int(broker.url.rpartition(":")[2]), keepalive=30)
        self.pump(lambda: self.present is not None)

    def pump(self, done: object = lambda: False, seconds: float = 10.0) -> bool:
        """Run the session until `done()`; whether it came true."""
        end = time.monotonic() + seconds
        while not (result := done()) and time.monotonic() < end:  # type: ignore[operator]
            self.client.loop(0.05)
        return bool(result)

    def subscribe(self, topic: str) -> None:
        """At QoS 1; returns with the SUBACK."""
        self.client.subscribe(topic, qos=1)
        assert self.pump(lambda: self.granted)

    def publish(self, payloads: list[bytes], topic: str = TOPIC, *, retain: bool = False) -> None:
        """At QoS 1; returns when each has its PUBACK."""
        sent = [self.client.publish(topic, p, qos=1, retain=retain) for p in payloads]
        assert self.pump(lambda: all(s.is_published() for s in sent), 30), "no PUBACK"

    def ack(self, messages: list[mqtt.MQTTMessage]) -> None:
        """PUBACK each."""
        for message in messages:
            self.client.ack(message.mid, message.qos)

    def cut(self) -> None:
        """The connection ends without a DISCONNECT."""
        sock = self.client.socket()
        assert sock
        sock.close()

    def payloads(self) -> list[bytes]:
        """What came, in order."""
        return [m.payload for m in self.got if not m.topic.startswith("$")]
