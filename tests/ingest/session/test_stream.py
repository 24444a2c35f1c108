"""The stream against a second reading of the standard, written for the tests alone."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from typing import NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import kernels
from ingest.session import packets
from ingest.session.frames import MAX_REMAINING, encode, split, varint
from ingest.session.stream import LARGEST, Frames, Malformed, Stream


class Read(NamedTuple):
    """What became of a stream of bytes."""

    publishes: bytes  # those of QoS 0 and 1
    count: int
    ids: list[int]
    others: list[bytes]
    left: bytes
    malformed: bool  # or far too large for what it is


def expected(data: bytes) -> Read:
    """By the letter of OASIS MQTT 5.0 §1.5.5, §2.1 and §3.3.2, one packet at a time."""
    publishes, count, ids, others = b"", 0, [], []
    while data:
        digits = 1
        while digits < len(data) and data[digits] >= 128 and digits < 4:
            digits += 1
        if len(data) <= digits:
            break
        if data[digits] >= 128:
            return Read(publishes, count, ids, others, data, True)
        header = digits + 1
        size = header + sum((data[1 + n] % 128) << (7 * n) for n in range(digits))
        if size > LARGEST and (data[0] // 16 != 3 or data[0] & 4):
            return Read(publishes, count, ids, others, data, True)
        packet = data[:size]
        if len(packet) < size:
            break
        kind, qos = packet[0] // 16, packet[0] // 2 % 4
        if kind == 3 and qos in (0, 1):
            publishes, count = publishes + packet, count + 1
            after_topic = header + 2 + int.from_bytes(packet[header : header + 2], "big")
            packet_id = packet[after_topic : after_topic + 2]
            if qos == 1 and len(packet_id) == 2 and packet_id != b"\0\0" and size - header >= 4:
                ids.append(int.from_bytes(packet_id, "big"))
        elif kind == 3:  # QoS 2 is never asked for, QoS 3 does not exist
            return Read(publishes, count, ids, others, data, True)
        else:
            others.append(packet)
        data = data[size:]
    return Read(publishes, count, ids, others, data, False)


def read(pieces: Iterable[bytes], *, compiled: bool = False, **options: int) -> Read:
    """What a `Stream` makes of bytes that come in these pieces."""
    stream = Stream(**options)
    with patch.object(kernels, "ready", lambda: compiled):
        return _read(stream, pieces)


def _read(stream: Stream, pieces: Iterable[bytes]) -> Read:
    blocks, count, acks, others, malformed = b"", 0, b"", [], False
    for piece in pieces:
        rest = piece
        while rest and not malformed:
            room = stream.room(len(rest))
            room[:] = rest[: len(room)]
            stream.filled(len(room))
            rest = rest[len(room) :]
            try:
                for item in stream.packets():
                    if isinstance(item, Frames):
                        blocks, count, acks = blocks + item.block, count + item.messages, acks + item.acks
                    else:
                        others.append(item)
            except Malformed:
                malformed = True
    quads = [acks[n : n + 4] for n in range(0, len(acks), 4)]
    assert all(quad[:2] == b"\x40\x02" for quad in quads)
    return Read(blocks, count, [int.from_bytes(quad[2:], "big") for quad in quads], others, stream.left, malformed)


def same(found: Read, told: Read) -> None:
    """Nobody looks at what is left of a stream that ends."""
    assert found[:4] == told[:4]
    assert found.malformed == told.malformed
    assert told.malformed or found.left == told.left


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


publishes = st.builds(
    encode,
    st.binary(max_size=12),
    st.one_of(st.binary(max_size=40), st.integers(100, 20_000).map(bytes)),
    level=st.sampled_from([4, 5]),
    qos=st.integers(0, 3),
    retain=st.booleans(),
    dup=st.booleans(),
    mid=st.integers(0, 65_535),
    properties=st.sampled_from([b"\0", b"\x05\x02\0\0\x0e\x10"]),
)
others = st.builds(
    lambda kind, body: bytes([kind]) + varint(len(body)) + body, st.integers(0, 255), st.binary(max_size=200)
)
streams = st.one_of(
    st.binary(max_size=200), st.lists(st.one_of(publishes, others, st.binary(max_size=3)), max_size=30).map(b"".join)
)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    assert kernels.wait()


@settings(max_examples=500, deadline=None)
@given(streams, st.lists(st.integers(0, 1 << 20), max_size=8), st.booleans())
def test_any_stream_split_anywhere(data: bytes, places: list[int], kernel: bool) -> None:
    """Same packets, same PUBACKs, same leftovers as the standard says, however the bytes are split, compiled or not."""
    same(read(cut(data, places), compiled=kernel), expected(data))


@given(st.lists(publishes, min_size=1, max_size=5), st.booleans())
def test_byte_by_byte(messages: list[bytes], kernel: bool) -> None:
    """A network that delivers single bytes changes nothing."""
    data = b"".join(messages)
    same(read((data[n : n + 1] for n in range(len(data))), compiled=kernel), expected(data))


@pytest.mark.parametrize("kernel", [False, True])
def test_lengths_of_one_to_four_bytes(kernel: bool) -> None:
    """Payloads at every border of the length's bytes that a held packet may have, amid others."""
    sizes = [0, 1, 120, 121, 122, 123, 16_376, 16_377, 16_378, 16_379, 16_380, 1 << 18, (1 << 18) + 9, 2_000_000]
    data = b"".join(encode(b"t", bytes(size), level=4, qos=1, mid=n + 1) + b"\xd0\0" for n, size in enumerate(sizes))
    data += encode(b"t", bytes(2_097_100), level=4, qos=1, mid=9)  # the last with three; four are given by hand
    data += b"\x32\x85\x80\x80\x00\0\1t\0\7"  # five, written longer than it need be: allowed by §1.5.5's algorithm
    chance = random.Random(1)
    pieces = cut(data, [chance.randrange(len(data)) for _ in range(100)])
    assert read(pieces, compiled=kernel) == expected(data)


@pytest.mark.parametrize("kernel", [False, True])
@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize("qos", [0, 1])
def test_a_message_too_large_is_cut_as_it_streams(level: int, qos: int, kernel: bool) -> None:
    """Topic, length and beginning stay, it is acknowledged in its turn, its neighbours are whole, memory is flat."""
    properties = b"\x05\x02\0\0\x0e\x10"
    options = {"level": level, "qos": qos, "properties": properties}
    before, after = encode(b"a", b"1", level=level, qos=1, mid=1), encode(b"b", b"2", level=level, qos=1, mid=3)
    payload = bytes(range(256)) * 8_000
    huge = encode(b"plant/huge", payload, mid=2, retain=True, **options)
    found = read(cut(before + huge + after, list(range(0, len(huge), 99_991))), compiled=kernel, largest=1_000_000)
    first, middle, last = split(found.publishes, level)
    assert (first.topic, last.topic, found.ids) == (b"a", b"b", [1, 2, 3] if qos else [1, 3])
    assert (middle.topic, middle.qos, middle.retain, middle.dup, middle.fault) == (b"plant/huge", qos, True, False, "")
    assert middle.size == len(payload)
    assert bytes(middle.payload) == payload[: 4096 - (len(properties) if level == 5 else 0)]
    assert not found.left


def test_the_largest_message_of_all_takes_no_memory() -> None:
    """268,435,455 bytes pass through a buffer that stays as small as it was."""
    import tracemalloc

    head = b"\x32" + varint(MAX_REMAINING) + b"\0\1t\0\7"
    stream, left, found = Stream(), len(head) + MAX_REMAINING - 5, []
    tracemalloc.start()
    while left:
        room = stream.room(min(left, 1 << 18))
        room[: len(head)] = head
        head = b""
        stream.filled(len(room))
        left -= len(room)
        found += stream.packets()
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
    (frames,) = found
    (frame,) = split(frames.block, 4)
    assert (frame.topic, frame.size, frames.acks) == (b"t", MAX_REMAINING - 5, b"\x40\x02\0\7")


def test_a_message_too_large_is_acknowledged_at_its_end() -> None:
    """Not while its bytes still come: it is no message before."""
    data = encode(b"t", bytes(3_000_000), level=4, qos=1, mid=5)
    assert read([data[:-1]]).count == 0
    assert read([data]).ids == [5]


@pytest.mark.parametrize("kernel", [False, True])
@pytest.mark.parametrize("size", [5, 3_000_000])
def test_qos_2_ends_the_connection_unanswered(size: int, kernel: bool) -> None:
    """Subscribed at QoS 1, no broker may send it (OASIS MQTT 5.0 §3.8.4). A PUBREC on arrival, which paho would send,
    lets the broker forget what is not durable yet: so paho never sees it.
    """
    good = encode(b"t", b"1", level=5, qos=1, mid=9)
    found = read([good + encode(b"t", bytes(size), level=5, qos=2, mid=10)], compiled=kernel)
    assert found.malformed
    assert (found.publishes, found.ids, found.others) == (good, [9], [])


@pytest.mark.parametrize("bad", [b"\x30\xff\xff\xff\xff", b"\x90\xff\xff\xff\x7f" + bytes(1 << 17)])
def test_what_cannot_be_cut(bad: bytes) -> None:
    """A length of five bytes, and a packet that is no message and would not fit: what came before is given first."""
    good = encode(b"t", b"1", level=4, qos=1, mid=9)
    found = read([good + bad])
    assert found.malformed
    assert (found.publishes, found.ids) == (good, [9])


@given(st.lists(st.one_of(publishes, others), max_size=20).map(b"".join), st.integers(0, 60))
def test_python_and_kernel_agree_on_every_number(data: bytes, start: int) -> None:
    """The compiled pass returns what the same text returns uncompiled, PUBACKs included, wherever it begins."""
    import numpy as np

    from ingest.session import packets_kernel

    told = bytearray(packets.room_for_acks(len(data) + 6))
    compiled_told = np.zeros(len(told), np.uint8)
    at = min(start, len(data))
    assert packets.run(data, at, len(data), told) == packets_kernel.run(
        np.frombuffer(bytearray(data), np.uint8), at, len(data), compiled_told
    )
    assert compiled_told.tobytes() == bytes(told)
