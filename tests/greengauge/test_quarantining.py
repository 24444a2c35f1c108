"""`Quarantining` over a real log: what it keeps, and what a mistake of ours costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greengauge.quarantining import ALONE_S, READ_BYTES, Quarantining
from greengauge.retrying import choose
from greengauge.versions import Decoders
from ingest.decode import internal, retry
from ingest.decode.result import Decoded
from ingest.log import Log
from ingest.log.record import Entry, Record, RecordKind
from ingest.quarantine import Quarantine
from ingest.session.frames import encode
from tests.ingest.decode.messages import message
from tests.ingest.small_plant import small_plant

PLANT = small_plant()
TOPIC = PLANT.meters[0].topic.encode()
T0 = 1_763_800_020_000


class House:
    """A log, its decoders and its quarantine."""

    def __init__(self, folder: Path, decode: Callable[[Sequence[Record]], Decoded] | None = None) -> None:
        folder.mkdir(exist_ok=True)
        source = folder / "plant.toml"
        source.write_text("# a registry")
        self.log = Log(folder / "log")
        self.decoders = Decoders(PLANT, folder / "registry", source)
        self.quarantine = Quarantine(folder / "quarantine.db")
        self.task = Quarantining(
            PLANT, self.log, read=self.log.read, more=self.nothing_more, decode=decode or self.decoders.decode,
            quarantine=self.quarantine, let_in=self.decoders.let_in,
        )  # fmt: skip

    async def nothing_more(self, _: int) -> None:
        """As the intake's: the log's end is reached."""
        raise asyncio.CancelledError

    def take(self, *bodies: bytes, kind: RecordKind = RecordKind.FRAMES) -> None:
        """Records of the log, MQTT 3.1.1."""
        self.log.append([Entry(kind, body, T0, PLANT.version, 4) for body in bodies])

    def run(self) -> None:
        """Until the log's end."""
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(self.task.run())

    def close(self) -> None:
        self.log.close()
        self.quarantine.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def frame(payload: bytes) -> bytes:
    return encode(TOPIC, payload, level=4, qos=1, mid=1)


def test_what_is_wrong_is_kept_and_the_cursor_moves(house: House) -> None:
    """The rejects of all records, and the missing numbers of a meter."""
    house.take(frame(b"{"), frame(b'{"ts":%d,"feed":1,"seq":5}' % T0), frame(b'{"ts":%d,"feed":1,"seq":8}' % T0))
    house.run()
    assert house.quarantine.reasons() == {"truncated": 1}
    assert house.quarantine.missing() == {"k1-kiln": 2}
    assert house.log.cursors.get("quarantine") == house.log.durable


def test_a_mistake_costs_its_record(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry over which the program stumbles is quarantined as `internal`; what stands around it is kept as ever."""
    monkeypatch.setattr(internal, "_told", set())
    house.take(frame(b"{"))
    house.take(b'{"do": "retry"', kind=RecordKind.COMMAND)  # a command cut short: nobody writes that
    house.take(frame(b""), frame(b'{"ts":%d,"feed":1,"seq":5}' % T0), frame(b'{"ts":%d,"feed":1,"seq":7}' % T0))
    house.run()
    assert house.quarantine.reasons() == {"empty": 1, "internal": 1, "truncated": 1}
    assert house.quarantine.missing() == {"k1-kiln": 1}
    assert house.log.cursors.get("quarantine") == house.log.durable
    (kept,) = [r for r in house.quarantine.list() if r["reason"] == "internal"]
    assert "JSONDecodeError in " in kept["cause"]
    assert retry.is_retry(house.log.read(kept["position"], 1)[0])


def test_a_decoder_that_fails_outright_costs_its_record(tmp_path: Path) -> None:
    """Whatever it raises, wherever it comes from."""

    def decode(records: Sequence[Record]) -> Decoded:
        if any(b"boom" in record.entry.body for record in records):
            raise ZeroDivisionError
        return house.decoders.decode(records)

    house = House(tmp_path, decode)
    house.take(frame(b"{"), frame(b"boom"), frame(b""))
    house.run()
    assert house.quarantine.reasons() == {"empty": 1, "internal": 1, "truncated": 1}
    house.close()


def test_it_goes_behind_the_readers_that_work_at_a_backlog(tmp_path: Path) -> None:
    """Nothing is decoded before another reader that moves was there; once that one stands still it goes on alone."""
    house = House(tmp_path)
    house.take(*(frame(b"{" + bytes(READ_BYTES)) for _ in range(6)))
    ends = [record.end for record in house.log.read(0, 100 * READ_BYTES)]
    first: list[tuple[int, int]] = []  # up to where was decoded, where the other was
    moves = iter([1, *ends[:3]])
    other = [0]

    def lead() -> int:
        other[0] = next(moves, other[0])
        return other[0]

    def decode(records: Sequence[Record]) -> Decoded:
        first.append((records[-1].end, other[0]))
        return house.decoders.decode(records)

    house.task = Quarantining(
        PLANT, house.log, read=house.log.read, more=house.nothing_more, decode=decode,
        quarantine=house.quarantine, let_in=house.decoders.let_in, lead=lead,
    )  # fmt: skip
    began = time.monotonic()
    house.run()
    assert [end for end, _ in first] == ends
    assert all(other >= ends[at - 1] for at, (_, other) in enumerate(first[:4]) if at)
    assert time.monotonic() - began >= ALONE_S  # for the last ones nobody went before
    assert house.log.cursors.get("quarantine") == house.log.durable
    house.close()


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.lists(st.binary(max_size=60), max_size=5))
def test_any_messages_end_in_one_of_three_places(
    tmp_path_factory: pytest.TempPathFactory, draw: object, payloads: list[bytes]
) -> None:
    """Through log, decoders and quarantine: readings, quarantine or a close message, and never `internal`."""
    house = House(tmp_path_factory.mktemp("house"))
    made = [message(draw, 4) for _ in range(20)]  # type: ignore[arg-type] # hypothesis' own Random
    house.take(b"".join(made), *(frame(payload) for payload in payloads))
    house.run()
    decoded = house.decoders.decode(house.log.read(0, 1 << 20))
    places = set(decoded.readings.position.tolist()) | {r.position for r in decoded.rejects}
    assert len(places) + len(decoded.closes) >= decoded.frames
    kept = {(r["position"], r["item"]) for r in house.quarantine.list(None)}
    assert kept >= {(r.position, r.item) for r in decoded.rejects if not r.redelivered}
    assert "internal" not in house.quarantine.reasons()
    house.close()


def test_a_mended_mistake_lets_its_message_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is quarantined as `internal` is tried again like the rest, once the program no longer stumbles."""
    with monkeypatch.context() as stumbling:
        stumbling.setattr("ingest.decode.values.event_time", lambda _: [][0])
        house.take(frame(b'{"ts":%d,"feed":1.5,"q":"\\u004e"}' % T0), frame(b"{"))
        house.run()
    assert house.quarantine.reasons() == {"internal": 1, "truncated": 1}
    chosen = choose(PLANT, house.quarantine, house.log, None, list)
    assert [(one.reason, one.topic) for one in chosen.messages] == [("internal", TOPIC.decode())]
    assert (chosen.values, dict(chosen.still)) == (1, {"gone": 1})
