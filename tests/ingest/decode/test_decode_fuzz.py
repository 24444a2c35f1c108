"""Whatever the bytes are: readings or rejects, never an exception, in bounded time."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decode.definition import Decoder
from ingest.log.record import Entry, Record, RecordKind
from tests.ingest.decode.conftest import NOW

pytestmark = pytest.mark.fault(13)

KILN = b"plant/acme/wuhu/pyro/k1/kiln"
TOPICS = st.one_of(st.sampled_from([KILN, KILN + b"/feed", KILN + b"/x", b"legacy/kiln1/coal"]), st.binary(max_size=60))
KEYS = st.one_of(
    st.sampled_from(["ts", "feed", "kwh", "seq", "rev", "q", "meter", "close", "clinker"]), st.text(max_size=4)
)
VALUES = st.recursive(
    st.one_of(
        st.sampled_from([NOW, NOW // 1000, 0, 340.5, "N", "kiln", True, None, float("nan"), 2**64, 10**40]),
        st.integers(),
        st.floats(),
        st.text(max_size=4),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
PAYLOADS = st.one_of(
    st.binary(max_size=80),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(KEYS, VALUES, max_size=5).map(lambda value: json.dumps({"ts": NOW, "feed": 1} | value).encode()),
    st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=4).map(lambda value: json.dumps(value).encode()),
)


def sound(decoder: Decoder, topic: bytes, payload: bytes) -> None:
    """One message ends as readings, rejects or closes, and everything said of it can be shown."""
    decoded = decoder.message(topic, payload, NOW)
    assert len(decoded.readings) or decoded.rejects or decoded.closes
    for reject in decoded.rejects:
        assert reject.cause
        assert reject.mend
        assert (reject.topic + reject.cause + reject.where + reject.mend).isprintable()
        assert len(reject.cause + reject.where + reject.mend) < 1000
        json.dumps(reject.names, ensure_ascii=False).encode()
    for row in range(len(decoded.readings)):
        json.loads(decoded.readings.number(row))


@settings(max_examples=400, deadline=500)
@given(TOPICS, PAYLOADS)
def test_any_message(decoder: Decoder, topic: bytes, payload: bytes) -> None:
    """Any topic with any payload, most of them nearly right."""
    sound(decoder, topic, payload)


@settings(max_examples=200, deadline=500)
@given(PAYLOADS, st.data())
def test_damaged_message(decoder: Decoder, payload: bytes, data: st.DataObject) -> None:
    """A message with a byte changed, left out or put in."""
    at = data.draw(st.integers(0, len(payload)))
    byte = data.draw(st.binary(max_size=2))
    sound(decoder, KILN, payload[:at] + byte + payload[at + data.draw(st.integers(0, 2)) :])


@settings(max_examples=100, deadline=500)
@given(st.binary(max_size=200), st.sampled_from([4, 5]))
def test_any_body(decoder: Decoder, body: bytes, level: int) -> None:
    """A record body of any bytes."""
    decoder.decode([Record(Entry(RecordKind.FRAMES, body, NOW, 1, level), 0, 40, 40 + len(body))])


@pytest.mark.parametrize(
    "unit",
    [
        b"[",
        b"{",
        b'"',
        b"\\",
        b'{"a":',
        b'["',
        b"9",
        b"[]",
        b"\xff",
        b" ",
        b"-",
        b'"\\u',
        b"{}",
        b'{"":1},',
        b'{"ts":0},',
    ],
)
def test_bounded_time(decoder: Decoder, unit: bytes) -> None:
    """A megabyte of one thing, bare or as an array: a second at the very most, and few rejects."""
    for payload in (unit * ((1 << 20) // len(unit)), b"[" + (unit * 1000).rstrip(b",") + b"]"):
        begun = time.perf_counter()
        decoded = decoder.message(KILN, payload, NOW)
        assert time.perf_counter() - begun < 1.0
        assert 0 < len(decoded.rejects) <= 1001
