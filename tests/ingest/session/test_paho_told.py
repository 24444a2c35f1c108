"""What paho tells of a broker's answers, as the connection reads it: names, flags and words that may change."""

from __future__ import annotations

from typing import Any

import pytest
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from devices.broker import Broker
from ingest.session.dialling import dial, subscribe
from ingest.session.ending import ended_by
from ingest.session.failures import refused_by
from tests.ingest.session.paho import CONNACK_5, FakeClient

TOLD = list[tuple[Any, ...]]


def connected(level: int = 5) -> tuple[FakeClient, TOLD]:
    """A client that waits for its CONNACK, and what its callbacks are given, without client and userdata."""
    client, told = FakeClient(level), TOLD()

    def hear(_client: object, _userdata: object, *rest: Any) -> None:
        told.append(rest)

    client.on_connect = client.on_subscribe = client.on_disconnect = hear
    if level == 5:
        client.connect("nowhere.invalid", keepalive=10, clean_start=False)
    else:
        client.connect("nowhere.invalid", 1883, 10)
    return client, told


def given(client: FakeClient, packet: bytes) -> None:
    client.fake.incoming.append(packet)
    client.loop_read()


@pytest.mark.parametrize("present", [False, True])
def test_a_connack(present: bool) -> None:
    """`on_connect(client, userdata, flags, reason, properties)`: `session_present` and `is_failure`."""
    client, told = connected()
    given(client, bytes([0x20, 3, present, 0, 0]))
    ((flags, reason, _),) = told
    assert isinstance(flags, ConnectFlags)
    assert isinstance(reason, ReasonCode)
    assert (flags.session_present, reason.is_failure) == (present, False)


@pytest.mark.parametrize(
    ("level", "code", "kind", "words"),
    [
        (5, 0x84, "version", "does not speak this MQTT version"),
        (5, 0x85, "refused", "client identifier not valid"),
        (5, 0x86, "refused", "bad user name or password"),
        (5, 0x87, "refused", "not authorized"),
        (4, 2, "refused", "client identifier not valid"),
        (4, 4, "refused", "bad user name or password"),
        (4, 5, "refused", "not authorized"),
    ],
)
def test_a_refusal(level: int, code: int, kind: str, words: str) -> None:
    """The reasons that are looked at by their words read the same in both protocol levels, and have a mend."""
    client, told = connected(level)
    given(client, bytes([0x20, 3, 0, code, 0] if level == 5 else [0x20, 2, 0, code]))
    reason = told[0][1]
    assert reason.is_failure
    failed = refused_by(reason)
    assert (failed.kind, words in failed.cause) == (kind, True), failed.cause
    assert failed.mend or kind == "version"


def test_a_suback() -> None:
    """`on_subscribe(client, userdata, mid, reasons, properties)`: one reason a filter, in order."""
    client, told = connected()
    given(client, CONNACK_5)
    _, mid = client.subscribe([("a", SubscribeOptions(qos=1)), ("b", SubscribeOptions(qos=1))])
    assert mid is not None
    given(client, bytes([0x90, 5, mid >> 8, mid & 255, 0, 0x01, 0x87]))
    number, reasons, _ = told[-1]
    assert (number, [reason.is_failure for reason in reasons]) == (mid, [False, True])


@pytest.mark.parametrize(("code", "kind"), [(0x8B, "shutting-down"), (0x8E, "taken-over"), (0x97, "closed")])
def test_a_goodbye_of_the_broker(code: int, kind: str) -> None:
    """`on_disconnect(client, userdata, flags, reason, properties)`: it came from the broker, and says why."""
    client, told = connected()
    given(client, CONNACK_5)
    given(client, bytes([0xE0, 2, code, 0]))
    flags, reason, _ = told[1]
    assert isinstance(flags, DisconnectFlags)
    assert flags.is_disconnect_packet_from_server
    assert ended_by(reason, True, 10).kind == kind


def test_a_ping_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """paho's own end of a dead link is told by these words, and did not come from the broker."""
    now = [1000.0]
    monkeypatch.setattr("paho.mqtt.client.time_func", lambda: now[0])
    client, told = connected()
    given(client, CONNACK_5)
    for _ in range(3):
        now[0] += 10.5
        client.loop_misc()
    flags, reason, _ = told[1]
    assert not flags.is_disconnect_packet_from_server
    assert ended_by(reason, False, 10).kind == "silent"
    assert client.keepalive == 10


def test_what_a_connect_asks_for() -> None:
    """Session expiry (0x11) of 30 days and receive maximum (0x21) are in the packet's properties; no clean start."""
    client = FakeClient()
    dial(client, Broker.parse("mqtt://nowhere.invalid"), level=5, keepalive=10)
    assert b"\x11" + (30 * 86_400).to_bytes(4, "big") in client.fake.sent
    assert b"\x21\xff\xff" in client.fake.sent
    assert client.fake.sent[9] & 2 == 0


@pytest.mark.parametrize(("level", "options"), [(5, 0x11), (4, 1)])
def test_what_a_subscription_asks_for(level: int, options: int) -> None:
    """QoS 1; in MQTT 5 retained messages only where the subscription is new (retain handling 1)."""
    client, _ = connected(level)
    given(client, CONNACK_5 if level == 5 else b"\x20\x02\x00\x00")
    client.fake.sent.clear()
    subscribe(client, ["a"], level=level)
    assert bytes(client.fake.sent[-4:]) == b"\x00\x01a" + bytes([options])
