"""What comes out of good messages, record by record."""

from __future__ import annotations

from fractions import Fraction

import pytest

from devices.plant.model import Plant
from devices.readings import Mark, Readings
from ingest.decode.definition import Decoder
from ingest.decode.explain import explain
from ingest.decode.sequence import by_meter, follow
from ingest.log.record import Entry, Record, RecordKind
from ingest.session.frames import encode
from tests.ingest.decode.conftest import NOW
from tests.plants import channel, plant

KILN = "plant/acme/wuhu/pyro/k1/kiln"


def record(*messages: bytes | tuple[str, bytes], level: int = 5, at: int = 1000, **delivery: int) -> Record:
    """One record of frames; a bare payload is the kiln's."""
    pairs = [m if isinstance(m, tuple) else (KILN, m) for m in messages]
    options = {"qos": 1, "mid": 7} | delivery
    body = b"".join(encode(topic.encode(), payload, level=level, **options) for topic, payload in pairs)  # type: ignore[arg-type]
    return Record(Entry(RecordKind.FRAMES, body, NOW, 1, level), at, at + 40, at + 40 + len(body))


def same(a: Readings, b: Readings) -> bool:
    """Equal, row by row, text included."""
    names = ("channel", "ts", "value", "rev", "letter", "mark", "received", "position")
    return all(getattr(a, n).tolist() == getattr(b, n).tolist() for n in names) and [
        a.number(k) for k in range(len(a))
    ] == [b.number(k) for k in range(len(b))]


@pytest.mark.parametrize("level", [4, 5])
def test_every_column(decoder: Decoder, level: int) -> None:
    """A flat object in any key order, its reserved keys, and the position of its frame."""
    first = b'{"ts": %d, "feed": 340.50, "kwh": 12}' % (NOW - 1000)
    second = b'{"q":"S","kwh":-0,"rev":3,"meter":"kiln","ts":%d,"seq":1}' % NOW
    rec = record(first, second, level=level)
    decoded = decoder.decode([rec])
    assert decoded.rejects == ()
    assert decoded.frames == 2
    got = decoded.readings
    assert got.channel.tolist() == [0, 2, 2]
    assert got.ts.tolist() == [NOW - 1000, NOW - 1000, NOW]
    assert got.value.tolist() == [340_500, 12, 0]
    assert got.rev.tolist() == [0, 0, 3]
    assert got.letter.tobytes() == b"NNS"
    assert got.mark.tolist() == [0, 0, 0]
    assert got.received.tolist() == [NOW] * 3
    second_at = rec.body_at + len(record(first, level=level).entry.body)
    assert got.position.tolist() == [rec.body_at, rec.body_at, second_at]
    assert [got.number(k) for k in range(3)] == [b"340.50", b"12", b"-0"]


def test_array(decoder: Decoder) -> None:
    """An array is its objects, in their order."""
    items = [b'{"ts": %d, "feed": %d}' % (NOW + k, k) for k in (3, 1, 2)]
    got = decoder.decode([record(b"[" + b" , ".join(items) + b"]")]).readings
    assert got.ts.tolist() == [NOW + 3, NOW + 1, NOW + 2]
    assert got.value.tolist() == [3000, 1000, 2000]


def test_bare_number(decoder: Decoder) -> None:
    """One number at …/{meter}/{field}: the receive time, marked."""
    got = decoder.decode([record((f"{KILN}/feed", b" 340.5\n"), ("legacy/kiln1/coal/TOT_1", b"7"))]).readings
    assert got.channel.tolist() == [0, 5]
    assert got.ts.tolist() == [NOW, NOW]
    assert got.value.tolist() == [340_500, 700]
    assert got.mark.tolist() == [Mark.RECEIVE_TIME] * 2
    assert got.number(0) == b"340.5"


@pytest.mark.parametrize(
    ("payload", "reason"), [(b'{"ts": 1, "feed": 2}', "not-a-number"), (b'"1"', "text"), (b"[1]", "not-a-number")]
)
def test_bare_number_is_a_number(decoder: Decoder, payload: bytes, reason: str) -> None:
    """On a channel's topic only one number is a message."""
    (reject,) = decoder.decode([record((f"{KILN}/feed", payload))]).rejects
    assert reject.reason == reason


def test_field_of_its_own(decoder: Decoder) -> None:
    """A channel's own field is the key, on the meter's own topic."""
    got = decoder.decode([record(("legacy/kiln1/coal", b'{"ts": %d, "TOT_1": 1.005}' % NOW))]).readings
    assert (got.channel.tolist(), got.value.tolist()) == ([5], [100])


def test_marks_of_delivery(decoder: Decoder) -> None:
    """QoS 0, retained and redelivered readings are stored and say so."""
    payload = b'{"ts": %d, "feed": 1}' % NOW
    for delivery, mark in [
        ({"qos": 0, "mid": 0}, Mark.UNGUARANTEED),
        ({"retain": True}, Mark.RETAINED),
        ({"dup": True}, Mark.REDELIVERED),
    ]:
        assert decoder.decode([record(payload, **delivery)]).readings.mark.tolist() == [mark]


def test_retained(decoder: Decoder) -> None:
    """Retained and older than `past` is quarantined; a retained number without a time too: its age is unknown."""
    old = b'{"ts": %d, "feed": 1}' % (NOW - 73 * 3_600_000)
    (reject,) = decoder.decode([record(old, retain=True)]).rejects
    assert reject.reason == "time-past"
    (reject,) = decoder.decode([record((f"{KILN}/feed", b"1"), retain=True)]).rejects
    assert reject.reason == "retained-no-time"


def test_close(decoder: Decoder) -> None:
    """A close message stands after the rows that came before it; it may carry the last reading itself."""
    one = b'{"ts": %d, "feed": 1}' % NOW
    last = b'{"ts": %d, "feed": 1, "close": true}' % NOW
    decoded = decoder.decode(
        [record(one, one, b'{"close": true}', one, last), record(b'{"close": true, "meter": "kiln"}')]
    )
    assert decoded.rejects == ()
    assert [(c.row, c.meter, c.received) for c in decoded.closes] == [(2, 0, NOW), (4, 0, NOW), (4, 0, NOW)]


def test_history() -> None:
    """Feeding the past: no past limit, but seconds are still recognised and the future still ends."""
    decoder = Decoder(plant({"kiln": [channel("feed", step=Fraction(1))]}, history=True))
    for ts, reason in [
        (1_293_840_000_000, None),  # 2011
        (1_293_840_000, "time-unit"),
        (1, "time-past"),
        (NOW + 60_001, "time-future"),
    ]:
        rejects = decoder.decode([record(b'{"ts": %d, "feed": 1}' % ts)]).rejects
        assert [r.reason for r in rejects] == ([reason] if reason else [])


def test_other_records_and_broken_frames(decoder: Decoder) -> None:
    """Ticks and commands hold no readings; a frame that can't be read is a reject at its position."""
    good = record(b'{"ts": %d, "feed": 1}' % NOW)
    tick = Record(Entry(RecordKind.TICK, b"", NOW, 1, 0), 0, 40, 40)
    command = Record(Entry(RecordKind.COMMAND, b"{}", NOW, 1, 0), 0, 40, 42)
    torn = Record(Entry(RecordKind.FRAMES, good.entry.body + b"\x30\x7fabc", NOW, 1, 5), 0, 40, 900)
    decoded = decoder.decode([tick, command, torn])
    assert len(decoded.readings) == 1
    (reject,) = decoded.rejects
    assert (reject.reason, reject.position) == ("bad-frame", 40 + len(good.entry.body))


def test_a_record_is_decoded_alone(decoder: Decoder) -> None:
    """Decoding records together or one by one gives the same: nothing is carried from frame to frame."""
    records = [
        record(b'{"ts": %d, "feed": %d, "x": 1}' % (NOW, k), b'{"ts": 0}', (f"{KILN}/kwh", b"3"), at=k * 500)
        for k in range(4)
    ]
    together = decoder.decode(records)
    alone = [decoder.decode([r]) for r in records]
    assert same(together.readings, Readings.concat([d.readings for d in alone]))
    assert together.rejects == tuple(r for d in alone for r in d.rejects)
    assert same(Decoder(decoder.plant).decode(records).readings, together.readings)


def gaps(decoder: Decoder, pieces: list[Record]) -> dict[int, int]:
    """Missing sequence numbers, summed over records that are decoded one by one."""
    newest: dict[int, int] = {}
    total: dict[int, int] = {}
    for piece in pieces:
        for meter, missing in follow(newest, by_meter(decoder.decode([piece]).sequences)).items():
            total[meter] = total.get(meter, 0) + missing
    return total


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ([1, 2, 3], 0),
        ([1, 2, 5, 6, 9], 4),
        ([5, 5, 6, 6], 0),
        ([5, 7, 6, 8], 1),
        ([7, 8, 0, 1, 2], 0),
        ([7, 8, 1, 3], 1),
        ([0], 0),
        ([7, 8, 9_007_199_254_740_991, 9, 10, 12], 1),  # one that is far off is no gap, and ends no counting
    ],
)
def test_sequence_gaps(decoder: Decoder, numbers: list[int], missing: int) -> None:
    """Gaps are counted, repeats and a restart are none; the same however the log is cut."""
    payloads = [b'{"ts": %d, "feed": 1, "seq": %d}' % (NOW, n) for n in numbers]
    expected = {0: missing} if missing else {}
    assert decoder.decode([record(*payloads)]).sequence_gaps == expected
    for cut in range(len(payloads) + 1):
        assert gaps(decoder, [record(*payloads[:cut]), record(*payloads[cut:])]) == expected
    assert gaps(decoder, [record(p) for p in payloads]) == expected


DELIVERIES = {
    "first delivered again": ([3, 4], [4, 5, 6], [7], 0),
    "nothing came of them before": ([3], [4, 5], [6], 0),
    "one is missing behind them": ([3], [4, 5], [7], 1),
    "old ones of a meter that counts anew": ([499, 500, 1], [499, 500, 1], [2], 0),
    "the first that is heard of a meter": ([], [4], [5], 0),
    "far away": ([1], [9], [], 0),
}


@pytest.mark.parametrize(("before", "again", "then", "missing"), DELIVERIES.values(), ids=DELIVERIES)
def test_redelivered_numbers(
    decoder: Decoder, before: list[int], again: list[int], then: list[int], missing: int
) -> None:
    """What a DUP message brings is not missing; by itself it says nothing else. A retained one says nothing at all."""
    payload = b'{"ts": %d, "feed": 1, "seq": %d}'
    first, last = (record(*(payload % (NOW, n) for n in numbers)) for numbers in (before, then))
    middle = record(*(payload % (NOW, n) for n in again), dup=True)
    assert gaps(decoder, [first, middle, last]) == ({0: missing} if missing else {})
    assert gaps(decoder, [record(payload % (NOW, 1)), record(payload % (NOW, 9), retain=True)]) == {}


def test_explain_shows_what_is_stored(kiln: Plant) -> None:
    """The JSON object of contracts.md, with flags; a payload as text or bytes."""
    told = explain(kiln, KILN, b'{"ts": %d, "feed": 500.5, "kwh": 3, "q": "M"}' % NOW, NOW)
    assert told == {
        "outcome": "stored",
        "readings": [
            {
                "meter": "kiln",
                "channel": "feed",
                "ts": NOW,
                "value": "500.5",
                "unit": "t",
                "flags": ["out-of-range", "M"],
            },
            {"meter": "kiln", "channel": "kwh", "ts": NOW, "value": "3", "unit": "t", "flags": ["M"]},
        ],
        "reason": None,
        "cause": None,
        "where": None,
        "mend": None,
        "closes": False,
        "rejects": [],
    }
    bare = explain(kiln, f"{KILN}/feed", b"7", NOW)
    assert bare["readings"][0]["flags"] == ["receive-time"]
    assert explain(kiln, KILN, '{"close": true}')["closes"]


def test_explain_says_the_worst(kiln: Plant) -> None:
    """Of several outcomes the worst is told; what is stored all the same is listed."""
    good, unknown, bad = b'{"ts": %d, "feed": 1}' % NOW, b'{"ts": %d, "x": 1}' % NOW, b'{"ts": 0, "feed": 1}'
    told = explain(kiln, KILN, b"[%b, %b]" % (good, unknown), NOW)
    assert (told["outcome"], told["reason"], len(told["readings"])) == ("pending", "unknown-channel", 1)
    told = explain(kiln, KILN, b"[%b, %b, %b]" % (good, unknown, bad), NOW)
    assert (told["outcome"], told["reason"], len(told["readings"])) == ("quarantined", "time-zero", 1)
    assert [r["outcome"] for r in told["rejects"]] == ["quarantined", "pending"]
