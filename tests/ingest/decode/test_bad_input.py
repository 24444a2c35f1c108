"""Every entry of the list of bad input has its outcome, its reason and its place."""

from __future__ import annotations

import gzip
import json

import pytest

from devices.plant.model import Plant
from devices.readings import Mark
from ingest.decode.definition import Decoder
from ingest.decode.explain import explain
from tests.ingest.decode.conftest import NOW

KILN = b"plant/acme/wuhu/pyro/k1/kiln"


def feed(value: str) -> bytes:
    """A good object with this in place of its number."""
    return b'{"ts": %d, "feed": %s}' % (NOW, value.encode())


def at(ts: str) -> bytes:
    """A good object with this in place of its time."""
    return b'{"ts": %s, "feed": 340}' % ts.encode()


QUARANTINED = {
    "empty": (b"", "empty", "payload byte 0"),
    "blank": (b" \r\n", "empty", "payload byte 0"),
    "invalid UTF-8": (b'{"ts": 1\xc3\x28}', "not-utf8", "payload byte 8"),
    "gzip": (gzip.compress(feed("340"), mtime=0), "not-utf8", "payload byte 1"),
    "binary": (b"\x00\x01\x02", "not-json", "payload byte 0"),
    "BOM": (b"\xef\xbb\xbf" + feed("340"), "bom", "payload byte 0"),
    "UTF-16": (feed("340").decode().encode("utf-16"), "not-utf8", "payload byte 0"),
    "truncated": (feed("340")[:-1], "truncated", "payload byte 33"),
    "truncated in a word": (b'{"ts": 1, "feed": tr', "truncated", "payload byte 20"),
    "truncated in a text": (b'{"ts": 1, "fe', "truncated", "payload byte 13"),
    "trailing bytes": (feed("340") + b" x", "trailing-bytes", "payload byte 35"),
    "two objects": (feed("340") * 2, "trailing-bytes", "payload byte 34"),
    "single quotes": (b"{'ts': 1}", "not-json", "payload byte 1"),
    "leading zero": (feed("007"), "not-json", "payload byte 31"),
    "leading plus": (feed("+7"), "not-json", "payload byte 30"),
    "NaN": (feed("NaN"), "not-finite", 'key "feed"'),
    "Infinity": (feed("-Infinity"), "not-finite", 'key "feed"'),
    "1e999": (feed("1e999"), "not-finite", 'key "feed"'),
    "1e308 in full and one more": (feed("2" + "0" * 308 + ".0"), "not-finite", 'key "feed"'),
    "nesting": (feed("[" * 16 + "1" + "]" * 16), "too-deep", "payload"),
    "nesting of unknown": (b'{"ts": 1, "x": ' + b"[" * 9999, "too-deep", "payload"),
    "nested value": (feed('{"value": 340}'), "nested", 'key "feed"'),
    "duplicate keys": (b'{"feed": 1, "ts": 1, "feed": 1}', "duplicate-key", 'key "feed"'),
    "5,000 digits": (feed("9" * 5000), "number-too-long", 'key "feed"'),
    "5,000 decimals": (feed("0." + "9" * 5000), "number-too-long", 'key "feed"'),
    "2^64": (feed(str(2**64)), "integer-too-large", 'key "feed"'),
    "-2^64": (feed(str(-(2**64))), "integer-too-large", 'key "feed"'),
    "lone surrogate": (feed(r'1, "note": "\ud800"'), "lone-surrogate", "payload"),
    "lone surrogate in a name": (feed(r'1, "\udfff": 1'), "lone-surrogate", "payload"),
    "raw control character": (b'{"ts": 1, "fe\x01ed": 1}', "control-character", "payload byte 13"),
    "escaped control character": (feed(r'1, "fe\ned": 1'), "control-character", 'key "fe\\ned"'),
    "C1 control character": (feed('1, "fe\x85ed": 1'), "control-character", 'key "fe\\x85ed"'),
    "scalar": (b"340", "not-an-object", "payload"),
    "text": (b'"340"', "not-an-object", "payload"),
    "null message": (b"null", "not-an-object", "payload"),
    "array in array": (b"[[1]]", "not-an-object", "object 1 of 1, payload"),
    "empty array": (b"[]", "no-value", "payload"),
    "empty object": (b"{}", "no-time", 'key "ts"'),
    "no ts": (b'{"feed": 340}', "no-time", 'key "ts"'),
    "no value": (b'{"ts": %d}' % NOW, "no-value", "payload"),
    "only reserved keys": (b'{"ts": %d, "seq": 1, "q": "N"}' % NOW, "no-value", "payload"),
    "text number": (feed('"12.3"'), "text", 'key "feed"'),
    "boolean": (feed("true"), "boolean", 'key "feed"'),
    "null": (feed("null"), "null", 'key "feed"'),
    "ts as text": (at('"2025-11-22T08:26:40Z"'), "bad-time", 'key "ts"'),
    "ts with a point": (at(f"{NOW}.0"), "bad-time", 'key "ts"'),
    "ts null": (at("null"), "bad-time", 'key "ts"'),
    "ts boolean": (at("true"), "bad-time", 'key "ts"'),
    "ts 0": (at("0"), "time-zero", 'key "ts"'),
    "ts negative": (at("-1"), "time-zero", 'key "ts"'),
    "seconds": (at(str(NOW // 1000)), "time-unit", 'key "ts"'),
    "microseconds": (at(str(NOW * 1000)), "time-unit", 'key "ts"'),
    "nanoseconds": (at(str(NOW * 10**6)), "time-unit", 'key "ts"'),
    "future": (at(str(NOW + 60_001)), "time-future", 'key "ts"'),
    "far future": (at(str(2**62)), "time-future", 'key "ts"'),
    "past": (at(str(NOW - 72 * 3_600_000 - 1)), "time-past", 'key "ts"'),
    "beyond int64": (at(str(2**63)), "time-range", 'key "ts"'),
    "far beyond int64": (at("9" * 300), "time-range", 'key "ts"'),
    "below int64": (at("-" + "9" * 30), "time-range", 'key "ts"'),
    "seq with a point": (feed('1, "seq": 1.5'), "bad-seq", 'key "seq"'),
    "seq below zero": (feed('1, "seq": -1'), "bad-seq", 'key "seq"'),
    "seq beyond what is counted exactly": (feed('1, "seq": 9007199254740992'), "bad-seq", 'key "seq"'),
    "seq as text": (feed('1, "seq": "1"'), "bad-seq", 'key "seq"'),
    "rev beyond 64 bits": (feed('1, "rev": 9223372036854775808'), "bad-rev", 'key "rev"'),
    "unknown flag": (feed('1, "q": "X"'), "bad-flag", 'key "q"'),
    "flag of another type": (feed('1, "q": 1'), "bad-flag", 'key "q"'),
    "other identity": (feed('1, "meter": "cems"'), "identity", 'key "meter"'),
    "identity is no text": (feed('1, "meter": 1'), "identity", 'key "meter"'),
    "close is no true": (b'{"close": 1}', "bad-close", 'key "close"'),
}


@pytest.mark.parametrize("name", QUARANTINED)
def test_quarantined(name: str, decoder: Decoder, kiln: Plant) -> None:
    """Nothing of it is stored; code and place are stable; every sentence is there; `explain` says the same."""
    payload, reason, where = QUARANTINED[name]
    decoded = decoder.message(KILN, payload, NOW)
    (reject,) = decoded.rejects
    assert (reject.outcome, reject.reason, reject.where) == ("quarantined", reason, where)
    assert reject.cause
    assert reject.mend
    assert (reject.cause + reject.where + reject.mend).isprintable()
    assert len(decoded.readings) == 0
    told = explain(kiln, KILN.decode(), payload, NOW)
    assert (told["outcome"], told["reason"], told["where"], told["mend"]) == (
        "quarantined",
        reason,
        reject.where,
        reject.mend,
    )
    json.dumps(told, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("seconds", "looks like seconds"),
        ("microseconds", "looks like microseconds"),
        ("nanoseconds", "looks like nanoseconds"),
        ("gzip", "gzip"),
        ("other identity", "security"),
        ("null", "sensor gives no value"),
        ("text number", "without quotes"),
        ("future", "2025-11-22T08:27:40.001Z"),
        ("past", "3 days"),
    ],
)
def test_words(name: str, said: str, decoder: Decoder) -> None:
    """The sentence names what a plant engineer has to look for."""
    (reject,) = decoder.message(KILN, QUARANTINED[name][0], NOW).rejects
    assert said in reject.cause + " " + reject.mend


@pytest.mark.parametrize(
    ("text", "value", "mark"),
    [
        ("340", 340_000, 0),
        ("340.5", 340_500, 0),
        ("-0.0", 0, 0),
        ("5e-324", 0, 0),
        ("0.0005", 0, 0),
        ("0.0015", 2, 0),
        ("1.79e308", 0, Mark.OUT_OF_RANGE),
        ("1e308", 0, Mark.OUT_OF_RANGE),
        ("500.0004", 500_000, 0),
        ("500.001", 0, Mark.OUT_OF_RANGE),
        ("-1", 0, Mark.OUT_OF_RANGE),
        (str(2**64 - 1), 0, Mark.OUT_OF_RANGE),
        ("1E2", 100_000, 0),
    ],
)
def test_stored(text: str, value: int, mark: int, decoder: Decoder) -> None:
    """The text goes through as it stands, its count is exact, what is impossible is flagged."""
    decoded = decoder.message(KILN, feed(text), NOW)
    assert decoded.rejects == ()
    assert decoded.readings.number(0) == text.encode()
    assert (decoded.readings.value.tolist(), decoded.readings.mark.tolist()) == ([value], [mark])


def test_late_is_stored(decoder: Decoder) -> None:
    """Ten minutes late, and at the very edges of the window, is let in."""
    for ts in (NOW - 600_000, NOW - 72 * 3_600_000, NOW + 60_000):
        decoded = decoder.message(KILN, at(str(ts)), NOW)
        assert decoded.readings.ts.tolist() == [ts]
        assert decoded.readings.received.tolist() == [NOW]


@pytest.mark.parametrize(
    ("topic", "reason", "where", "names"),
    [
        ("plant/acme/wuhu/pyro/k1/kilm", "unknown-meter", "topic level 6", ("plant/acme/wuhu/pyro/k1/kilm",)),
        ("plant/acme/wuhu/pyro/k9/kiln", "unknown-meter", "topic level 5", ("plant/acme/wuhu/pyro/k9/kiln",)),
        ("other", "unknown-meter", "topic level 1", ("other",)),
        ("plant/acme/wuhu", "unknown-meter", "topic level 3", ("plant/acme/wuhu",)),
        ("plant/acme/wuhu/pyro/k1/kiln/fed", "unknown-channel", "topic level 7", ("kiln.fed",)),
        ("plant/acme/wuhu/pyro/k1/kiln/clinker", "unknown-channel", "topic level 7", ("kiln.clinker",)),
        ("legacy/kiln1/coal/coal", "unknown-channel", "topic level 4", ("coal.coal",)),
        ("plant/acme/wuhu/pyro/k1/<script>", "unknown-meter", "topic level 6", ("plant/acme/wuhu/pyro/k1/<script>",)),
        ("plant/acme/wuhu/pyro/k1/a,b c=d\\", "unknown-meter", "topic level 6", ("plant/acme/wuhu/pyro/k1/a,b c=d\\",)),
    ],
)
def test_unknown_topic_waits(topic: str, reason: str, where: str, names: tuple[str, ...], decoder: Decoder) -> None:
    """An unknown meter or channel is pending, and its place in the topic is named."""
    decoded = decoder.message(topic.encode(), b"340", NOW)
    (reject,) = decoded.rejects
    assert (reject.outcome, reject.reason, reject.where, reject.names) == ("pending", reason, where, names)
    assert len(decoded.readings) == 0


@pytest.mark.parametrize(
    ("topic", "where"),
    [
        (b"plant//wuhu", "topic level 2"),
        (b"/plant", "topic level 1"),
        (b"plant/", "topic level 2"),
        (b"x" * 65_535, "topic"),
        (b"plant/\xff", "topic byte 6"),
        (b"plant/a\nb", "topic level 2"),
        (b"", "topic level 1"),
    ],
)
def test_bad_topic(topic: bytes, where: str, decoder: Decoder) -> None:
    """A topic that can't be a meter's is quarantined; what is kept of it is printable and short."""
    (reject,) = decoder.message(topic, feed("340"), NOW).rejects
    assert (reject.outcome, reject.reason, reject.where) == ("quarantined", "bad-topic", where)
    assert reject.topic.isprintable()
    assert len(reject.topic) <= 1024


def test_unknown_channels_wait_alone(decoder: Decoder) -> None:
    """The known channels of the object are stored; the unknown ones are one pending reject with their names."""
    decoded = decoder.message(KILN, feed('340, "fed": 1, "<script>": 2, "status": "ok"'), NOW)
    (reject,) = decoded.rejects
    assert (reject.outcome, reject.reason) == ("pending", "unknown-channel")
    assert reject.names == ("kiln.fed", "kiln.<script>", "kiln.status")
    assert decoded.readings.value.tolist() == [340_000]


def test_unknown_does_not_excuse_the_rest(decoder: Decoder) -> None:
    """An object is all or nothing: a bad value beside an unknown channel quarantines it."""
    decoded = decoder.message(KILN, feed('null, "fed": 1, "kwh": 3'), NOW)
    (reject,) = decoded.rejects
    assert (reject.outcome, reject.reason, reject.values) == ("quarantined", "null", 2)
    assert len(decoded.readings) == 0


def test_derived_and_renamed_wait(decoder: Decoder) -> None:
    """A derived channel and a channel under its registry name say what is meant."""
    (reject,) = decoder.message(KILN, feed('340, "clinker": 210'), NOW).rejects
    assert (reject.outcome, reject.reason) == ("pending", "derived-channel")
    assert '"feed"' in reject.cause
    (reject,) = decoder.message(b"legacy/kiln1/coal", b'{"ts": %d, "coal": 1}' % NOW, NOW).rejects
    assert (reject.outcome, reject.reason) == ("pending", "unknown-channel")
    assert '"TOT_1"' in reject.mend


def test_one_bad_object_of_fifty(decoder: Decoder) -> None:
    """49 are stored, one is quarantined with its own text and its number in the array."""
    objects = [f'{{"ts": {NOW + k}, "feed": {k}}}' for k in range(50)]
    objects[37] = '{"ts": 0, "feed": 37, "kwh": 1}'
    decoded = decoder.message(KILN, ("[" + ", ".join(objects) + "]").encode(), NOW)
    (reject,) = decoded.rejects
    assert len(decoded.readings) == 49
    assert (reject.item, reject.reason, reject.where) == (37, "time-zero", 'object 38 of 50, key "ts"')
    assert (reject.payload.decode(), reject.size, reject.values) == (objects[37], len(objects[37]), 2)


@pytest.mark.parametrize("bad", ["NaN", r'1, "x": "\ud800"', '1, "feed": 1', "[1]", "null", '1, "meter": "x"'])
def test_neighbours_are_spared(bad: str, decoder: Decoder) -> None:
    """What is wrong inside one object of an array costs no other object."""
    payload = b"[" + feed("1") + b"," + feed(bad) + b"," + feed("3") + b"]"
    decoded = decoder.message(KILN, payload, NOW)
    assert decoded.readings.value.tolist() == [1000, 3000]
    assert [r.item for r in decoded.rejects] == [1]


def test_rejects_of_one_message_are_bounded(decoder: Decoder) -> None:
    """A thousand rejects, then one for all the rest, with what was lost."""
    decoded = decoder.message(KILN, b"[" + b",".join([b'{"ts": 0, "feed": 1}'] * 1500) + b"]", NOW)
    assert len(decoded.rejects) == 1001
    rest = decoded.rejects[-1]
    assert (rest.reason, rest.item, rest.values) == ("too-many-faults", 1000, 500)


def test_too_large(kiln: Plant) -> None:
    """Over the limit it is quarantined with its size and a prefix."""
    (reject,) = Decoder(kiln, largest=5000).message(KILN, b" " * 5001, NOW).rejects
    assert (reject.reason, reject.size, len(reject.payload)) == ("too-large", 5001, 4096)
    assert Decoder(kiln, largest=5000).message(KILN, feed("1").ljust(5000), NOW).rejects == ()
