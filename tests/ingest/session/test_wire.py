"""The wire on one end of a pair of sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from ingest.session.frames import encode, puback
from ingest.session.stream import Frames
from ingest.session.wire import PINGREQ, PINGRESP, Wire

Pair = tuple[Wire, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    near.setblocking(False)
    wire = Wire(near)
    yield wire, far
    wire.close()
    far.close()


def test_messages_never_reach_paho(pair: Pair) -> None:
    """PUBLISH packets of QoS 0 and 1 come out as runs, anything else is what paho may receive, in between."""
    wire, far = pair
    one, two = encode(b"t", b"1", level=5, qos=1, mid=1), encode(b"t", b"2", level=5)
    far.sendall(one + two + b"\xd0\0" + one)
    assert wire.receive() == len(one + two + one) + 2
    items = list(wire.stream.packets())
    assert items == [Frames(one + two, 2, puback(1)), b"\xd0\0", Frames(one, 1, puback(1))]
    with pytest.raises(BlockingIOError):
        wire.recv(1)
    wire.give(b"\xd0\0")
    assert (wire.recv(1), wire.recv(100)) == (b"\xd0", b"\0")


def test_a_ping_goes_out_and_is_answered_here(pair: Pair) -> None:
    """paho has its PINGRESP though nothing of the broker's has been read."""
    wire, far = pair
    wire.send(PINGREQ)
    assert far.recv(10) == PINGREQ
    assert wire.unread
    assert wire.recv(10) == PINGRESP


def test_packets_of_two_never_mix(pair: Pair) -> None:
    """A peer that reads slowly gets paho's packets and blocks of PUBACKs whole, in the order they were sent."""
    wire, far = pair
    sent = bytearray()
    acks = b"".join(puback(n) for n in range(1, 30_001))
    for n in range(30):
        packet = b"\x82\x7f" + bytes([n]) * 127
        assert wire.send(packet) == len(packet)
        wire.put(acks)
        sent += packet + acks
    assert wire.unsent
    got = bytearray()
    while len(got) < len(sent):
        got += far.recv(7777)
        wire.flush()
    assert got == sent
    assert not wire.unsent


def test_the_end_comes_after_what_came_before_it(pair: Pair) -> None:
    """Bytes that were sent before the end are read; then paho is told the end, as an error, not as nothing yet."""
    wire, far = pair
    message = encode(b"t", b"1", level=5, qos=1, mid=1)
    far.sendall(message)
    far.close()
    assert wire.receive() == len(message)
    assert not wire.over
    assert wire.receive() == 0
    assert wire.over
    with pytest.raises(ConnectionResetError):
        wire.recv(1)


def test_a_full_buffer_is_not_the_end(pair: Pair) -> None:
    """A message larger than the buffer is read on: a read of no bytes would look like the end of the link."""
    wire, far = pair
    message = encode(b"t", bytes(1_500_000), level=5, qos=1, mid=1)
    far.setblocking(False)
    rest, got = memoryview(message), []
    while not got:
        if rest:
            rest = rest[far.send(rest[:100_000]) :]
        wire.receive()
        assert not wire.over
        got = list(wire.stream.packets())
    assert got == [Frames(message, 1, puback(1))]


def test_whoever_went_gets_no_acknowledgement(pair: Pair) -> None:
    """A link that takes no bytes any more is over; what waited is dropped."""
    wire, far = pair
    far.close()
    wire.put(puback(1))
    wire.put(puback(2))
    assert wire.over
    assert not wire.unsent
