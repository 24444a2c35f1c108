"""paho on a socket that allows the calls it is known to make, and no others."""

from __future__ import annotations

from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

CONNACK_5 = b"\x20\x03\x00\x00\x00"
"""Accepted, no session."""


class FakeSocket:
    """The calls that paho may make, and nothing else: any other one is an AttributeError."""

    def __init__(self) -> None:
        self.incoming: list[bytes | Exception] = []
        self.sent = bytearray()
        self.takes = 1 << 20
        self.closed = False
        self.called: set[str] = set()

    def recv(self, size: int) -> bytes:
        self.called.add("recv")
        if not self.incoming:
            raise BlockingIOError
        first = self.incoming[0]
        if isinstance(first, Exception):
            raise first
        if not first:
            return b""
        self.incoming[0] = first[size:]
        if not self.incoming[0]:
            self.incoming.pop(0)
        return first[:size]

    def send(self, data: bytes | bytearray) -> int:
        self.called.add("send")
        taken = data[: self.takes]
        self.sent += taken
        return len(taken)

    def fileno(self) -> int:
        self.called.add("fileno")
        return 99

    def setblocking(self, flag: bool) -> None:
        self.called.add("setblocking")
        assert flag is False

    def close(self) -> None:
        self.called.add("close")
        self.closed = True


class FakeClient(Client):
    """paho on such a socket."""

    def __init__(self, level: int = 5) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id="me",
            protocol=MQTTProtocolVersion.MQTTv5 if level == 5 else MQTTProtocolVersion.MQTTv311,
            clean_session=None if level == 5 else False,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.fake = FakeSocket()
        self.told: list[str] = []
        self.on_connect = lambda *_: self.told.append("connected")
        self.on_message = lambda *_: self.told.append("message")
        self.on_disconnect = lambda *_: self.told.append("disconnected")
        self.on_socket_close = lambda _client, _userdata, sock: self.told.append("closed" if sock.closed else "closing")

    def _create_socket(self) -> Any:
        return self.fake
