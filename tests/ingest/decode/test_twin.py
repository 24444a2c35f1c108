"""The compiled pass accepts only what the definition accepts, with the identical result."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plant.model import Plant
from ingest import kernels
from ingest.decode import lookup, passes
from ingest.decode.definition import Decoder
from ingest.decode.twin import Twin
from ingest.decode.window import bounds
from ingest.log.record import Record
from ingest.session.frames import encode
from tests.ingest.decode.conftest import KILN, LARGEST, NOW
from tests.ingest.decode.twins import record, same
from tests.plants import channel, plant


def left(twin: Twin, body: bytes, level: int = 5) -> int:
    """How many frames the pass leaves to the definition."""
    twin.decode([record(body, level)])
    assert twin._tables is not None
    window = bounds(NOW, twin.definition.plant.intake)
    return len(passes.run(body, level, 0, NOW, window, twin._tables).slow)


# --- what it takes ------------------------------------------------------------------------------------------------

TAKEN = [
    b'{"ts":%d,"a":1.5,"ab":-2,"feed":340.25}',
    b'{"ts": %d, "a": 1.5, "ab": -2, "feed": 340.25}',
    b'{"feed":1E2,"b":1e+3,"a":0.30000000000000004,"ts":%d}',
    b'\r\n\t { "seq" : 7 ,\n "a" : -0.0e-3 , "rev" : 2 , "q" : "M" , "meter" : "kiln" , "ts" : %d } \n',
    b'{"ts":%d,"\xc2\xb5":0.0125,"feed":501}',
    b'[{"ts":%d,"a":1}]',
    b'[ {"ts": %d, "a": 1}, {"a": 2, "ts": 1763800000001} ]',
]


@pytest.mark.parametrize("payload", TAKEN)
@pytest.mark.parametrize("level", [4, 5])
def test_canonical_forms_are_taken(twin: Twin, payload: bytes, level: int) -> None:
    """Python's and JavaScript's spacing, any key order, exponents, arrays: none of it costs the definition's price."""
    body = encode(KILN, payload % NOW if b"%d" in payload else payload, level=level, qos=1, mid=3)
    assert left(twin, body, level) == 0
    assert not twin.decode([record(body, level)]).rejects


TWICE = [b'"ts":%d' % NOW, b'"seq":1', b'"rev":1', b'"q":"M"', b'"meter":"kiln"', b'"a":1', b'"feed":2']
LEFT = [
    *(b'{"ts":%d,"a":1,%b,%b}' % (NOW, key, key) for key in TWICE[1:5]),
    *(b'{"ts":%d,%b,"feed":2,%b}' % (NOW, key, key) for key in TWICE),
    b'{"ts":%d,"a":1,"close":true}' % NOW,
    b'{"ts":%d,"\\u0061":1}' % NOW,
    b'{"ts":%d,"a":1,"b":[1]}' % NOW,
    b'{"ts":%d,"a":1,"x":1}' % NOW,
    b'{"ts":%d,"a":1,}' % NOW,
    b'{"ts":%d,"a":01}' % NOW,
    b'{"ts":%d,"a":1}{}' % NOW,
    b'{"ts":%d,"a":1]' % NOW,
    b'[{"ts":%d,"a":1},]' % NOW,
    b'[{"ts":%d,"a":1}}' % NOW,
    b'[{"ts":%d,"a":1},{"ts":%d}]' % (NOW, NOW),
    b'{"ts":%d,"odd":1}' % NOW,
    b'{"ts":%d}' % (NOW - 72 * 3_600_000 - 1),
    b"[]",
]


@pytest.mark.parametrize("payload", LEFT)
def test_what_looks_odd_is_left(twin: Twin, payload: bytes) -> None:
    """A key twice, `close`, escapes, nesting, unknown keys, faults: the definition decides, its neighbours stay."""
    good = encode(KILN, b'{"ts":%d,"a":1,"seq":4}' % NOW, level=5)
    body = good + encode(KILN, payload, level=5) + good
    assert left(twin, body) == 1
    same(twin.decode([record(body)]), twin.definition.decode([record(body)]))


def test_bare_numbers_and_deliveries_are_taken(twin: Twin) -> None:
    """A channel's own topic; QoS 0 and 2, retained, redelivered; MQTT 5 properties."""
    bodies = [
        encode(KILN + b"/feed", b" 340.5\n", level=5, qos=1, mid=1),
        encode(b"coal/TOT_1", b"1e3", level=5),
        encode(KILN, b'{"ts":%d,"a":1}' % NOW, level=5, qos=2, mid=9, dup=True, properties=b"\x05\x02\0\0\0\x09"),
        encode(KILN, b'{"ts":%d,"a":1,"seq":1}' % NOW, level=5, retain=True),
    ]
    assert left(twin, b"".join(bodies)) == 0
    same(twin.decode([record(b"".join(bodies))]), twin.definition.decode([record(b"".join(bodies))]))


def test_a_digit_behind_a_bare_number_is_the_next_frames(twin: Twin) -> None:
    """The next frame begins with byte 0x30: the digit 0 to whoever reads on."""
    body = encode(KILN + b"/feed", b"12", level=4) * 2
    got = twin.decode([record(body, 4)]).readings
    assert (got.value.tolist(), got.number(0), got.number(1)) == ([12_000, 12_000], b"12", b"12")


# --- the same as the definition -----------------------------------------------------------------------------------

DIGITS = st.text("0123456789", min_size=1, max_size=22)
NUMBERS = st.one_of(
    st.from_regex(r"-?(0|[1-9]\d{0,19})(\.\d{1,20})?([eE][+-]?\d{1,3})?", fullmatch=True),
    st.tuples(DIGITS, st.sampled_from(["", ".5", ".25", ".0125", ".0000005", ".", "e", "e-", "e1"])).map("".join),
    st.floats().map(repr),
    st.sampled_from(["0.5", "1.5", "2.5", "0.25", "0.0125", "0.0375", "499.9995", "500.0005", "500.001", "-0.0004",
                     "NaN", "1500", "2500",
                     "9223372036854775807", "9223372036854775808", "1e18", "1e19", "1e-400", "+1", "01",
                     ".5", "1.", "0e0", "1e0001", "1e00001", "0." + "0" * 80 + "1", "1" + "0" * 70, "Infinity"]),
)  # fmt: skip
TIMES = st.one_of(
    st.sampled_from([NOW, NOW - 72 * 3_600_000, NOW + 60_000]).flatmap(lambda t: st.integers(t - 1, t + 1)).map(str),
    st.sampled_from([str(NOW) + ".0", f"{NOW}e0", "0", "-1", str(NOW // 1000), '"x"']),
)
KEYS = st.sampled_from(["a", "ab", "b", "µ", "fine", "odd", "whole", "feed", "TOT_1"])
ODD_KEYS = st.sampled_from(
    ["clinker", "x", "", "A", "aa", "\\u0061", 'x\\"y', "back\\\\slash", "x/y", "close", "tsx", "t", "qq", "ts"]
)
VALUES = st.one_of(
    NUMBERS, NUMBERS, st.sampled_from(['"1"', "true", "null", "[1]", '{"a":1}', '"N"', '"M"', '"kiln"', '"', ""])
)
RESERVED = st.one_of(
    st.tuples(st.just("seq"), st.integers(-3, 9).map(str) | NUMBERS),
    st.tuples(st.just("rev"), st.integers(-3, 9).map(str) | NUMBERS),
    st.tuples(st.just("q"), st.sampled_from(['"N"', '"M"', '"F"', '"X"', '"MM"', '""', "1", '"\\u004d"'])),
    st.tuples(st.just("meter"), st.sampled_from(['"kiln"', '"kiln2"', '"kil"', '"kilns"', "1", '"coal"'])),
    st.tuples(st.just("close"), st.sampled_from(["true", "false"])),
    st.tuples(ODD_KEYS, VALUES),
)
PAIRS = st.tuples(TIMES, st.lists(st.tuples(KEYS, NUMBERS), max_size=4), st.lists(RESERVED, max_size=2)).flatmap(
    lambda found: st.permutations([("ts", found[0]), *found[1], *found[2]])
)
GAPS = st.sampled_from(["", "", "", " ", "\n", "\t \r", "\x0b", "\xa0"])


@st.composite
def objects(draw: st.DrawFn) -> str:
    """One flat object, mostly good, in any spacing."""
    before, colon, comma, after = (draw(GAPS) for _ in range(4))
    pairs = (f'"{key}"{before}:{colon}{value}' for key, value in draw(PAIRS))
    return f"{after}{{{comma}" + f"{comma},{colon}".join(pairs) + f"{before}}}{after}"


PAYLOADS = st.one_of(
    objects(),
    objects(),
    NUMBERS,
    st.lists(objects(), max_size=4).map(lambda items: "[" + ",".join(items) + "]"),
    st.text(max_size=8),
).map(str.encode)
TOPICS = st.sampled_from(
    [KILN] * 5 + [b"coal", KILN + b"2", KILN + b"/feed", KILN + b"/a", b"coal/TOT_1", b"coal/x/y", b"legacy/q"]
    + [b"", b"/"]
    + [b"plant/acme/wuhu/pyro/k1/reserved", b"plant/acme/wuhu/pyro/k1/none", KILN[:-1], KILN + b"/", b"\xff/\0"]
)  # fmt: skip


@st.composite
def frames(draw: st.DrawFn, level: int) -> bytes:
    """One PUBLISH frame; sometimes with a byte changed, put in or left out."""
    qos = draw(st.sampled_from([1, 1, 1, 0, 2, 3]))
    properties = draw(
        st.sampled_from([b"\0", b"\0", b"\x05\x02\0\0\0\x09", b"\x80\0", b"\x7f", b"\xff\xff\xff\xff\xff"])
    )
    marks = {"retain": draw(st.booleans()), "dup": draw(st.booleans())} if draw(st.booleans()) else {}
    payload = draw(PAYLOADS)
    frame = encode(draw(TOPICS), payload, level=level, qos=qos, mid=7 if qos else 0, properties=properties, **marks)
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(frame)))
        frame = frame[:at] + draw(st.binary(max_size=2)) + frame[at + draw(st.integers(0, 2)) :]
    return frame


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_the_definitions_result(twin: Twin, data: st.DataObject) -> None:
    """Whatever stands in a record: the same readings, digits, marks, order, rejects, closes and sequence numbers."""
    level = data.draw(st.sampled_from([5, 4]))
    found = data.draw(st.lists(frames(level), max_size=6))
    slow = twin.definition.decode([record(b"".join(found), level)])
    same(twin.decode([record(b"".join(found), level)]), slow)
    cut = data.draw(st.integers(0, len(found)))
    parts, at = list[Record](), 1000
    for piece in (found[:cut], found[cut:]):
        parts.append(record(b"".join(piece), level, at))
        at = parts[-1].end
    same(twin.decode(parts), twin.definition.decode(parts))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120), st.sampled_from([4, 5, 0]))
def test_any_body(twin: Twin, body: bytes, level: int) -> None:
    """A body of any bytes, and any frame cut short."""
    same(twin.decode([record(body, level)]), twin.definition.decode([record(body, level)]))


def test_every_cut(twin: Twin) -> None:
    """A good body that ends at any byte."""
    body = encode(KILN, TAKEN[3] % NOW, level=5, qos=1, mid=3) + encode(KILN + b"/feed", b"-1.5e2", level=5)
    for end in range(len(body)):
        same(twin.decode([record(body[:end])]), twin.definition.decode([record(body[:end])]))


@pytest.mark.parametrize("size", [LARGEST, LARGEST + 1])
def test_the_payload_limit(twin: Twin, size: int) -> None:
    """White space counts too."""
    body = encode(KILN, (b'{"ts":%d,"a":1}' % NOW).ljust(size), level=5)
    same(twin.decode([record(body)]), twin.definition.decode([record(body)]))
    assert len(twin.decode([record(body)]).rejects) == (size > LARGEST)


def test_many_keys_in_any_order() -> None:
    """A meter with more keys than fit a word: every order, and one of them twice."""
    made = plant({"kiln": [channel(f"c{k}") for k in range(150)]})
    twin, order = Twin(made), list(range(150))
    assert kernels.wait()
    for seed in range(20):
        random.Random(seed).shuffle(order)
        keys = order if seed % 2 else [*order, order[seed]]
        text = ",".join(f'"c{k}":{k}' for k in keys)
        body = encode(KILN, f'{{"ts":{NOW},{text}}}'.encode(), level=5)
        got = twin.decode([record(body)])
        assert got.readings.channel.tolist() == (order if seed % 2 else [])
        same(got, twin.definition.decode([record(body)]))


def test_a_large_plant_reads_ahead() -> None:
    """Beyond some thousand meters the pass asks for memory ahead; what it finds there changes nothing."""
    made = plant({f"m{k}": [channel("a")] for k in range(lookup.LARGE)})
    twin, draw = Twin(made), random.Random(3)
    assert kernels.wait()
    topics = [
        made.meters[draw.randrange(lookup.LARGE)].topic.encode() + draw.choice((b"", b"", b"x")) for _ in range(300)
    ]
    whole = b"".join(encode(topic, b'{"ts":%d,"a":1}' % NOW, level=5) for topic in topics)
    assert left(twin, whole) == sum(topic.endswith(b"x") for topic in topics)
    for body in (whole, whole[:-20], whole + b"\x30\xff\xff\xff\xff\xff", whole[:500] + b"\x30\x01\xff" + whole):
        same(twin.decode([record(body)]), twin.definition.decode([record(body)]))


def test_until_the_kernels_are_there(works: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The definition serves; nobody waits and nobody can tell."""
    monkeypatch.setattr(kernels, "ready", lambda: False)
    twin = Twin(works)
    monkeypatch.setattr("ingest.decode.passes.run", lambda *_: pytest.fail("the pass ran"))
    body = encode(KILN, TAKEN[0] % NOW, level=5)
    same(twin.decode([record(body)]), Decoder(works).decode([record(body)]))
