"""A mistake of ours on one message keeps out that message, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from devices.errors import EnvironmentFailure
from devices.ruler import Ruler
from ingest.decode import internal, passes, values
from ingest.decode.definition import Decoder
from ingest.decode.twin import Twin
from ingest.session.frames import encode
from tests.ingest.decode.conftest import KILN, NOW
from tests.ingest.decode.twins import record, same

GOOD = b'{"ts":%d,"a":1.5,"seq":4}' % NOW
ODD = b'{"ts":%d,"a":6.66,"b":7,"q":"\\u004d"}' % NOW
"""With an escape, so that the definition decodes it."""


@pytest.fixture
def stumbling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the number 6.66 is a mistake of ours."""
    read = Ruler.read

    def broken(self: Ruler, text: str) -> tuple[int, int]:
        return (1 // 0, 0) if text == "6.66" else read(self, text)

    monkeypatch.setattr(Ruler, "read", broken)
    monkeypatch.setattr(internal, "_told", set())


def frames(*payloads: bytes, topic: bytes = KILN) -> bytes:
    return b"".join(encode(topic, payload, level=5, qos=1, mid=1) for payload in payloads)


@pytest.mark.usefixtures("stumbling")
def test_its_neighbours_stay(twin: Twin) -> None:
    """The messages before and behind it are read; it is rejected whole, with the count of its numbers."""
    got = twin.decode([record(frames(GOOD, ODD, GOOD))])
    assert got.readings.value.tolist() == [1_500_000, 1_500_000]
    (reject,) = got.rejects
    assert (reject.reason, reject.outcome, reject.values, reject.payload) == ("internal", "quarantined", 2, ODD)
    assert reject.cause.startswith("a mistake in greengauge: ZeroDivisionError in test_internal.py line ")
    same(got, twin.definition.decode([record(frames(GOOD, ODD, GOOD))]))


@pytest.mark.usefixtures("stumbling")
def test_an_array_loses_one_object(twin: Twin) -> None:
    """The others of its array go in, and the reject says which it was."""
    got = twin.decode([record(frames(b"[" + GOOD + b"," + ODD + b"," + GOOD + b"]"))])
    assert len(got.readings) == 2
    assert [(r.reason, r.item, r.where) for r in got.rejects] == [("internal", 1, "object 2 of 3, payload")]


@pytest.mark.parametrize("name", ["parse", "spans"])
def test_wherever_it_is(twin: Twin, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Before the objects, and behind them: what is in stays in."""
    monkeypatch.setattr(f"ingest.decode.definition.{name}", lambda *_: [][0])
    got = twin.decode([record(frames(GOOD, b"[" + GOOD + b",{}]", GOOD))])
    assert len(got.readings) == (2 if name == "parse" else 3)
    assert [r.reason for r in got.rejects] == ["internal"]


@pytest.mark.usefixtures("stumbling")
def test_a_bare_number(works: Any) -> None:
    """A channel's own topic."""
    told = Decoder(works).message(KILN + b"/a", b"6.66", NOW)
    assert (len(told.readings), [r.reason for r in told.rejects]) == (0, ["internal"])


@pytest.mark.usefixtures("stumbling")
def test_the_traceback_is_logged_once(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    """A bug that every message brings out does not fill the disk; nothing of the message is in the log's line."""
    twin.decode([record(frames(ODD, ODD, ODD))])
    (line,) = caplog.records
    assert line.exc_info is not None
    assert line.exc_info[0] is ZeroDivisionError
    assert "6.66" not in line.getMessage()


@pytest.mark.parametrize("trouble", [MemoryError(), OSError("disk"), EnvironmentFailure("disk", where="x", mend="y")])
def test_troubles_of_the_machine_are_no_mistakes(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """They pass, and a message is never quarantined for them."""

    def out(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(values, "event_time", out)
    with pytest.raises(type(trouble)):
        twin.decode([record(frames(ODD))])


def test_a_pass_that_fails_leaves_the_record_to_the_definition(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost and nothing rejected for it."""
    body = record(frames(GOOD, b"x", GOOD))
    expected = twin.definition.decode([body])
    monkeypatch.setattr(passes, "run", lambda *_: [][0])
    monkeypatch.setattr(internal, "_told", set())
    same(twin.decode([body]), expected)
    assert [line.getMessage().split(" failed")[0] for line in caplog.records] == ["the compiled pass over a record"]
