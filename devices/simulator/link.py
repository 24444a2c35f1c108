"""Publishing connections on paho-mqtt, many in one thread: each meter is a client of its own, as in a plant.

paho's own thread per client costs 25 threads fighting for one interpreter. Its external-loop interface
lets a single selector drive them all, and lets packets leave in batches.

Delivery: QoS 1. What has no PUBACK yet is sent again by paho, in order, after a reconnect (DUP set); nothing
new is published on a link before that. So a broker's restart costs repetitions, never a gap or a new order.
"""

from __future__ import annotations

import random
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from devices.broker import Broker
from devices.errors import ConfigurationError, EnvironmentFailure

IN_FLIGHT = 1000
"""Messages without PUBACK that one link holds at most: the window that bounds memory."""
_KEEPALIVE = 30


class Link:
    """One client. Give it to a `Pump`, which connects it and keeps it connected."""

    def __init__(self, broker: Broker, client_id: str, *, will: str | None = None) -> None:
        self.broker, self.will = broker, will
        self.unacknowledged = 0
        self.acknowledged = 0
        self.ready = False
        self.wanted = True
        self.refused = ""
        self.retry_at = 0.0
        self._pause = 0.1
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        client.max_inflight_messages_set(0)  # the window is ours
        client.connect_timeout = 5.0
        client.on_connect, client.on_disconnect, client.on_publish = self._on_connect, self._on_disconnect, self._on_ack
        client.on_socket_register_write = lambda *_: None  # packets wait for the pump, which sends them in batches
        if broker.username:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            client.tls_set_context(_tls(broker))
        if will:
            client.will_set(will, b"offline", qos=1, retain=True)

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Queue one message at QoS 1."""
        self.unacknowledged += 1
        self._client.publish(topic, payload, qos=1, retain=retain)

    @property
    def room(self) -> bool:
        """Whether another message may be published now."""
        return self.ready and self.unacknowledged < IN_FLIGHT

    def cut(self) -> None:
        """Drop the connection without a DISCONNECT, as a meter does that loses power, and stay away."""
        self.wanted = False
        if sock := self._socket:
            sock.shutdown(socket.SHUT_RDWR)

    def disconnect(self) -> None:
        """Say goodbye in order (no will is sent)."""
        self.wanted = False
        self._client.disconnect()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.refused = str(reason)
            return
        self.ready, self.refused, self._pause = True, "", 0.1
        if self.will:
            self.publish(self.will, b"online", retain=True)

    def _on_disconnect(self, *_: Any) -> None:
        self.ready = False

    def _on_ack(self, *_: Any) -> None:
        self.unacknowledged -= 1
        self.acknowledged += 1

    def _try(self, now: float) -> None:
        """Connect, or plan the next try with back-off and jitter."""
        self.retry_at = now + self._pause * (0.5 + random.random())  # noqa: S311 - jitter, no secret
        self._pause = min(5.0, self._pause * 2)
        try:
            self._client.connect(self.broker.host, self.broker.port, _KEEPALIVE)
        except OSError as failure:
            self.refused = failure.strerror or str(failure)

    @property
    def _socket(self) -> Any:
        return self._client.socket()


def _tls(broker: Broker) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(broker.ca) if broker.ca else None)
        if broker.cert:
            context.load_cert_chain(broker.cert, broker.key)
    except OSError as wrong:
        raise ConfigurationError(
            f"the TLS files cannot be used: {wrong}", where=str(broker), mend="name PEM files that belong together"
        ) from None
    return context


class Pump:
    """Runs many links from the thread that calls it."""

    def __init__(self, links: Iterable[Link]) -> None:
        self.links = list(links)
        self._misc_at = 0.0

    def run(self, timeout: float) -> None:
        """Move bytes for at most `timeout` seconds, returning as soon as something arrived."""
        now = time.monotonic()
        if now >= self._misc_at:
            self._misc_at = now + 1.0
            for link in self.links:
                link._client.loop_misc()  # noqa: SLF001 - Pump and Link are one idea in two classes
        with selectors.DefaultSelector() as selector:
            for link in self.links:
                sock = link._socket  # noqa: SLF001 - as above
                if sock is None:
                    if link.wanted and now >= link.retry_at:
                        link._try(now)  # noqa: SLF001 - as above
                        sock = link._socket  # noqa: SLF001 - as above
                    if sock is None:
                        continue
                client = link._client  # noqa: SLF001 - as above
                if client.want_write() and client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    continue
                if hasattr(sock, "pending") and sock.pending():
                    client.loop_read()  # bytes that TLS holds: select would not see them
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.want_write() else 0)
                if client.socket() is not None:
                    selector.register(sock, events, link)
            if not selector.get_map():
                time.sleep(min(timeout, 0.05))
                return
            for chosen, events in selector.select(timeout):
                client = chosen.data._client  # noqa: SLF001 - as above
                if events & selectors.EVENT_READ:
                    client.loop_read()
                if events & selectors.EVENT_WRITE and client.socket() is not None:
                    client.loop_write()

    def until(self, done: Callable[[], bool], timeout: float, slice_: float = 0.05) -> bool:
        """Run until `done()`; whether it came true in time."""
        end = time.monotonic() + timeout
        while not done():
            if time.monotonic() >= end:
                return False
            self.run(slice_)
        return True

    def connect(self, timeout: float = 15.0) -> None:
        """Connect every link; EnvironmentFailure with the broker's words if one does not get through."""
        if not self.until(lambda: all(link.ready for link in self.links if link.wanted), timeout):
            stuck = next(link for link in self.links if link.wanted and not link.ready)
            raise EnvironmentFailure(
                f"the broker does not let us in: {stuck.refused or 'no answer'}",
                where=str(stuck.broker),
                mend="is it running, and are address, user and password right?",
            )

    def drain(self, timeout: float) -> bool:
        """Run until every message has its PUBACK; whether that came in time."""
        return self.until(lambda: not any(link.unacknowledged for link in self.links), timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Say `offline` and goodbye on every link."""
        for link in self.links:
            if link.ready and link.will:
                link.publish(link.will, b"offline", retain=True)
        self.until(lambda: not any(link.unacknowledged for link in self.links if link.ready), timeout)
        for link in self.links:
            link.disconnect()
        self.run(0)
