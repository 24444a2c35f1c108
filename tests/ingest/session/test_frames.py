from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.session.frames import encode, split, varint

MESSAGES = st.lists(
    st.tuples(
        st.text(max_size=20).map(str.encode),
        st.binary(max_size=300),
        st.integers(0, 2),
        st.booleans(),
        st.booleans(),
        st.integers(1, 65535),
    ),
    max_size=8,
)


@given(MESSAGES, st.sampled_from([4, 5]))
def test_what_was_encoded_is_split_again(messages: list, level: int) -> None:
    """Topic, payload, QoS, RETAIN, DUP and packet id survive, at both protocol levels."""
    body = b"".join(
        encode(topic, payload, level=level, qos=qos, retain=retain, dup=dup, mid=mid)
        for topic, payload, qos, retain, dup, mid in messages
    )
    frames = list(split(body, level))
    assert [(f.topic, bytes(f.payload), f.qos, f.retain, f.dup, f.mid, f.fault) for f in frames] == [
        (topic, payload, qos, retain, dup, mid if qos else 0, "") for topic, payload, qos, retain, dup, mid in messages
    ]
    assert [f.offset for f in frames] == sorted({f.offset for f in frames})


def test_the_bytes_are_those_of_the_standard() -> None:
    """A QoS 1 PUBLISH of both levels, byte for byte."""
    assert encode(b"a/b", b"x", level=4, qos=1, mid=10) == bytes.fromhex("32 08 0003 612f62 000a 78")
    assert encode(b"a/b", b"x", level=5, qos=1, mid=10, dup=True) == bytes.fromhex("3a 09 0003 612f62 000a 00 78")


def test_properties_are_skipped() -> None:
    """MQTT 5 properties stand between packet id and payload and are no part of it."""
    expiry = bytes.fromhex("05 02 00000e10")
    (frame,) = split(encode(b"t", b"payload", level=5, qos=1, mid=1, properties=expiry), 5)
    assert bytes(frame.payload) == b"payload"


@pytest.mark.parametrize(("value", "size"), [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (268_435_455, 4)])
def test_lengths_at_their_borders(value: int, size: int) -> None:
    """The variable byte integer takes as many bytes as the standard's table says."""
    assert len(varint(value)) == size


@given(st.binary(max_size=400), st.sampled_from([4, 5]))
def test_any_bytes_split_without_an_error(body: bytes, level: int) -> None:
    """Whatever the bytes, splitting ends; frames begin at the first byte and follow each other."""
    offsets = [frame.offset for frame in split(body, level)]
    assert offsets[:1] == ([0] if body else [])
    assert all(a < b < len(body) for a, b in itertools.pairwise(offsets))


def test_one_bad_frame_spoils_itself_only() -> None:
    """A topic length beyond its frame is that frame's fault; the next frame is read."""
    good = encode(b"t", b"1", level=4)
    bad = bytes.fromhex("30 04 00ff 6161")
    first, second, third = split(good + bad + good, 4)
    assert second.fault
    assert second.topic == b""
    assert (first.topic, third.topic, third.offset) == (b"t", b"t", len(good + bad))
