"""A retry: what is tried again of a message, and what a command of it decodes to."""

from __future__ import annotations

import pytest

from ingest.decode import retry
from ingest.decode.definition import Decoder
from ingest.decode.retry import Again
from ingest.log.record import Entry, Record, RecordKind
from tests.ingest.small_plant import small_plant

T = 1_763_800_000_000
TOPIC = "plant/acme/wuhu/pyro/k1/k1-kiln"


@pytest.mark.parametrize(
    ("payload", "item", "whole", "waiting", "told"),
    [
        (b'{"ts":1,"a":1.50,"b":2,"seq":7,"close":true}', 0, True, {"a"}, b'{"ts":1,"a":1.50,"rev":-1}'),
        (b'{"ts":1,"rev":3,"a":1e2}', 0, True, {"a"}, b'{"ts":1,"rev":3,"a":1e2}'),
        (b'[{"ts":1,"a":1},{"ts":2,"a":2}]', 1, False, {"a"}, b'{"ts":2,"a":2,"rev":-1}'),
        (b'[{"ts":1,"a":1},{"ts":2}]', 0, True, set(), b'[{"ts":1,"a":1,"rev":-1},{"ts":2,"rev":-1}]'),
        (b'[{"ts":1}, {"ts" : 2,"a":null}]', 1, False, None, b'{"ts" : 2,"a":null}'),
        (b"12.30", 0, True, set(), b"12.30"),
        (b'{"ts":1,"a":', 0, True, {"a"}, None),
        (b"\xff", 0, True, None, None),
        (b"[1]", 3, False, None, None),
    ],
)
def test_what_is_tried(payload: bytes, item: int, whole: bool, waiting: set[str] | None, told: bytes | None) -> None:
    """Only what waits, digit for digit; without `rev` of its own it yields to whatever came later."""
    assert retry.again(payload, item=item, whole=whole, waiting=waiting) == told


def test_a_command_keeps_position_and_receive_time() -> None:
    """The readings stand where their message stood; what is still at fault gives none, and no second reject."""
    decoder = Decoder(small_plant())
    messages = [
        Again(700, 0, "unknown-channel", T + 5, TOPIC, b'{"ts":%d,"feed":1.50,"new":2}' % T),
        Again(900, 0, "text", T + 9, TOPIC, b'{"ts":%d,"feed":"1"}' % T),
    ]
    (body,) = retry.bodies(messages)
    record = Record(Entry(RecordKind.COMMAND, body, T + 99_000, 1, 0), 5000, 5040, 5040 + len(body))
    assert retry.is_retry(record)
    assert retry.messages_of(record) == messages
    told = retry.decode(record, decoder)
    found = told.readings
    assert [(int(found.position[i]), int(found.received[i]), found.number(i)) for i in range(len(found))] == [
        (700, T + 5, b"1.50")
    ]
    assert told.rejects == ()
    assert retry.let_in(messages[0], decoder)[1:] == (("k1-kiln.new",), "unknown-channel")
    assert retry.let_in(messages[1], decoder)[2] == "text"


def test_many_are_several_commands() -> None:
    """No command grows beyond its bound by more than a message."""
    messages = [Again(n, 0, "text", T, TOPIC, b"x" * 4096) for n in range(200)]
    bodies = list(retry.bodies(messages))
    assert max(map(len, bodies)) < retry.BODY_BYTES + 8192
    records = [Record(Entry(RecordKind.COMMAND, body, T, 1, 0), 0, 0, 0) for body in bodies]
    assert [m.position for record in records for m in retry.messages_of(record)] == list(range(200))
