"""What the wire rests on in paho-mqtt, one claim a test: a paho that changed fails here, in words, not at a plant."""

from __future__ import annotations

import inspect

import pytest
from paho.mqtt import __version__
from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

from ingest.session.wire import PINGREQ, PINGRESP, WireClient
from tests.ingest.session.paho import CONNACK_5, FakeClient


@pytest.fixture
def client() -> FakeClient:
    made = FakeClient()
    made.connect("nowhere.invalid", keepalive=10, clean_start=False)
    return made


def test_the_version_is_one_that_was_read() -> None:
    """2.1 and 2.2 were; pyproject.toml keeps 3 out, and a new 2.x has to be read before it is let in here."""
    assert __version__.split(".")[:2] in (["2", "1"], ["2", "2"])


def test_the_socket_comes_from_one_place() -> None:
    """`_create_socket(self)` is where paho makes its socket, and what it gives is what `socket()` shows."""
    assert list(inspect.signature(Client._create_socket).parameters) == ["self"]
    made = FakeClient()
    made.connect("nowhere.invalid", clean_start=False)
    assert made.socket() is made.fake
    assert issubclass(WireClient, Client)


def test_these_names_and_parameters_exist() -> None:
    """What is called by name is there, with the parameters it is called with."""
    wanted = {
        "__init__": {"callback_api_version", "client_id", "clean_session", "protocol", "reconnect_on_failure"}
        | {"manual_ack"},
        "connect": {"host", "port", "keepalive", "clean_start", "properties"},
        "subscribe": {"topic"},
        "tls_set": {"ca_certs", "certfile", "keyfile"},
        "username_pw_set": {"username", "password"},
        "loop_read": set(),
        "loop_write": set(),
        "loop_misc": set(),
        "want_write": set(),
        "disconnect": set(),
        "socket": set(),
    }
    for name, parameters in wanted.items():
        assert parameters <= set(inspect.signature(getattr(Client, name)).parameters), name
    assert {"connect_timeout", "keepalive", "on_socket_close"} <= set(dir(Client))


def test_a_socket_that_blocks_is_no_end(client: FakeClient) -> None:
    """BlockingIOError means nothing now, whatever part of a packet is there."""
    for byte in CONNACK_5:
        assert client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS
        client.fake.incoming.append(bytes([byte]))
    assert client.told == []
    client.loop_read()
    assert client.told == ["connected"]


@pytest.mark.parametrize("end", [b"", OSError("cut")])
def test_the_end_of_the_bytes_ends_the_connection(client: FakeClient, end: bytes | Exception) -> None:
    """No bytes, or an OSError: the socket is let go of before it is closed, then the end is told."""
    client.fake.incoming.append(end)
    assert client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS
    assert client.told[:2] == ["closing", "disconnected"]
    assert client.fake.closed
    assert client.socket() is None
    assert client.loop_read() == MQTTErrorCode.MQTT_ERR_NO_CONN


def test_whole_packets_are_sent(client: FakeClient) -> None:
    """A socket that takes all it is given gets a packet with each call."""
    assert client.fake.sent[0] == 0x10
    assert len(client.fake.sent) == 2 + client.fake.sent[1]
    client.fake.sent.clear()
    client.subscribe([("plant/#", 1)])
    assert client.fake.sent[0] == 0x82
    assert len(client.fake.sent) == 2 + client.fake.sent[1]


def test_what_a_callback_sends_waits_for_loop_write(client: FakeClient) -> None:
    """Inside a callback nothing is sent: `want_write` then says so."""
    client.on_connect = lambda client, *_: client.subscribe([("plant/#", 1)])
    client.fake.sent.clear()
    client.fake.incoming.append(CONNACK_5)
    client.loop_read()
    assert not client.fake.sent
    assert client.want_write()
    client.loop_write()
    assert client.fake.sent[0] == 0x82


def test_a_ping_that_is_answered_at_once_is_answered(client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """PINGREQ goes out as two bytes after a keep-alive; with its PINGRESP read paho asks again and never gives up."""
    now = [1000.0]
    monkeypatch.setattr("paho.mqtt.client.time_func", lambda: now[0])
    made = FakeClient()
    made.connect("nowhere.invalid", keepalive=10, clean_start=False)
    made.fake.incoming.append(CONNACK_5)
    made.loop_read()
    made.fake.sent.clear()
    for round_ in range(1, 6):
        now[0] += 10.5
        assert made.loop_misc() == MQTTErrorCode.MQTT_ERR_SUCCESS
        assert bytes(made.fake.sent) == PINGREQ * round_
        made.fake.incoming.append(PINGRESP)
        assert made.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert made.told == ["connected"]


def test_a_goodbye_is_sent_then_the_socket_closed(client: FakeClient) -> None:
    """`disconnect()` gives the packet to the socket first, and closes the socket itself."""
    client.fake.incoming.append(CONNACK_5)
    client.loop_read()
    client.fake.sent.clear()
    client.disconnect()
    assert client.fake.sent[:1] == b"\xe0"
    assert client.fake.closed


def test_nothing_else_is_asked_of_a_socket(client: FakeClient) -> None:
    """recv, send, setblocking and close are all that a connection's life needs."""
    client.fake.incoming.append(CONNACK_5)
    client.loop_read()
    client.loop_misc()
    client.disconnect()
    assert client.fake.called <= {"recv", "send", "fileno", "setblocking", "close"}
