"""What was not let in stays known, within bounds."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from devices.errors import ConfigurationError, DamagedData
from ingest.decode.result import Reject
from ingest.quarantine import Quarantine
from ingest.quarantine.resolving import Retried


def reject(position: int, item: int = 0, **changes: object) -> Reject:
    """A reject of 10 bytes at a position."""
    fields: dict[str, object] = {
        "received": 1000 + position,
        "topic": "plant/a/b/c/d/m",
        "outcome": "quarantined",
        "reason": "not-json",
        "cause": "the payload is not JSON",
        "where": "payload byte 1",
        "mend": "publish JSON",
        "size": 10,
        "payload": b"x" * 10,
        "values": 2,
    }
    return Reject(position=position, item=item, **{**fields, **changes})  # type: ignore[arg-type]


class Count(NamedTuple):
    """A row of the tally."""

    reason: str
    topic: str
    outcome: str
    messages: int
    values: int
    first_position: int
    last_position: int
    last_received: int


def counts(path: Path) -> list[Count]:
    """The tally, the most frequent first."""
    with closing(sqlite3.connect(path)) as db:
        return [Count(*row) for row in db.execute("SELECT * FROM tally ORDER BY messages DESC, reason, topic")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file stands."""
    return tmp_path / "quarantine.sqlite"


def test_round_trip(path: Path) -> None:
    """What was added is listed in the words of contracts.md, and shown with its payload, also after opening again."""
    odd = reject(7, 3, topic='"<script>"\\', payload=b"\x00\xff\xc3\xa9", names=("m.x", "m.y"), outcome="pending")
    book = Quarantine(path)
    assert book.add([reject(1), odd]) == 2
    book.close()
    with Quarantine.open_read_only(path) as book:
        listed = {
            "position": 7,
            "received": 1007,
            "topic": '"<script>"\\',
            "reason": "not-json",
            "size": 10,
            "outcome": "pending",
            "item": 3,
            "cause": "the payload is not JSON",
            "where": "payload byte 1",
            "mend": "publish JSON",
        }
        assert [r["position"] for r in book.list()] == [1, 7]
        assert book.list()[1] == listed
        assert book.show(7) == [listed | {"values": 2, "names": ["m.x", "m.y"], "payload": "\\x00\\xffé"}]
        assert book.show(8) == []


def test_idempotent(path: Path) -> None:
    """Added twice counts once: a restart may repeat what came after the cursor."""
    book = Quarantine(path)
    book.add([reject(1), reject(2)])
    assert book.add([reject(2), reject(3), reject(3, 1), reject(3, reason="store")]) == 3
    assert sum(book.reasons().values()) == sum(c.messages for c in counts(path))
    (json_count, store_count) = counts(path)
    assert (json_count.messages, json_count.values) == (4, 8)
    assert (json_count.first_position, json_count.last_position) == (1, 3)
    assert (store_count.reason, store_count.messages) == ("store", 1)
    assert book.fill().rows == 5


def test_filters_and_limit(path: Path) -> None:
    """The newest that fit, in log order."""
    book = Quarantine(path)
    book.add([reject(n, outcome="pending" if n % 2 else "quarantined", topic=f"t{n % 3}") for n in range(10)])
    assert [r["position"] for r in book.list(3)] == [7, 8, 9]
    assert [r["position"] for r in book.list(2, outcome="pending")] == [7, 9]
    assert [r["position"] for r in book.list(None, topic="t0", outcome="pending")] == [3, 9]
    assert book.list(reason="empty") == []


def test_payloads_go_first(path: Path) -> None:
    """At the byte quota the oldest payloads go; words, references and counts stay."""
    book = Quarantine(path, payload_quota=25)
    for n in range(5):
        book.add([reject(n)])
    assert [book.show(n)[0]["payload"] for n in range(5)] == [None, None, None, "x" * 10, "x" * 10]
    assert [r["size"] for r in book.list()] == [10] * 5
    assert counts(path)[0].messages == 5
    fill = book.fill()
    assert (fill.rows, fill.bytes, fill.payloads_gone, fill.rows_gone) == (5, 20, 3, 0)
    assert fill.share >= 1


def test_rows_go_then(path: Path) -> None:
    """At the row quota the oldest rows go; the counts keep their number and the log positions."""
    book = Quarantine(path, row_quota=3, payload_quota=25)
    book.add([reject(n) for n in range(10)])
    book.add([reject(n) for n in range(10, 12)])
    assert [r["position"] for r in book.list()] == [9, 10, 11]
    (count,) = counts(path)
    assert (count.messages, count.first_position, count.last_position) == (12, 0, 11)
    fill = book.fill()
    assert (fill.rows, fill.bytes, fill.rows_gone) == (3, 20, 9)


def test_topics_are_bounded(path: Path) -> None:
    """A flood of topics ends in one count of others."""
    book = Quarantine(path, most_topics=3)
    book.add([reject(n, topic=f"t{n}") for n in range(10)])
    topics = {c.topic: c.messages for c in counts(path)}
    assert topics == {"(other topics)": 7, "t0": 1, "t1": 1, "t2": 1}


def test_pending_names(path: Path) -> None:
    """Names that await approval are counted, up to a limit."""
    book = Quarantine(path, most_names=2)
    book.add([reject(n, outcome="pending", names=(f"m.{name}",)) for n, name in enumerate("aabcb")])
    assert [(p.name, p.messages, p.first_received, p.last_received) for p in book.pending()] == [
        ("m.a", 2, 1000, 1001),
        ("m.b", 2, 1002, 1004),
    ]
    assert book.fill().names_refused == 1


def test_read_beside_the_writer(path: Path) -> None:
    """Another process reads what is committed while the service goes on writing, and can't write."""
    book = Quarantine(path)
    book.add([reject(1)])
    script = (
        "import sys; from pathlib import Path; from ingest.quarantine import Quarantine;"
        "q = Quarantine(Path(sys.argv[1]), read_only=True); print([r['position'] for r in q.list()])"
    )
    ask = [sys.executable, "-c", script, str(path)]
    assert subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip() == "[1]"
    reader = Quarantine(path, read_only=True)
    book.add([reject(2)])
    assert [r["position"] for r in reader.list()] == [1, 2]
    with pytest.raises(Exception, match="readonly"):
        reader.add([reject(3)])
    reader.close()
    book.close()
    assert subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip() == "[1, 2]"


def test_damage_and_absence(path: Path) -> None:
    """A file that is no database, a foreign format and a missing file are told in words."""
    with pytest.raises(ConfigurationError, match="no quarantine"):
        Quarantine(path, read_only=True)
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(DamagedData):  # who only looks changes nothing
        Quarantine(path, read_only=True)
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(ConfigurationError, match="format 9"):
        Quarantine(path)


def test_what_a_retry_let_in_waits_no_longer(path: Path) -> None:
    """Its row and its counts go; what of it goes on waiting stays; told again (after a kill) it changes nothing."""
    book = Quarantine(path)
    two = reject(1, outcome="pending", reason="unknown-channel", names=("m.x", "m.y"))
    book.add([two, reject(2), reject(3, outcome="pending", reason="unknown-channel", names=("m.x",), values=1)])
    let_in = [Retried(1, 0, "unknown-channel", ("m.y",)), Retried(3, 0, "unknown-channel")]
    for _ in range(2):
        book.resolve(let_in, at=900)
        assert [(r["position"], r["names"]) for r in book.waiting()] == [(1, ["m.y"]), (2, [])]
        assert {(c.reason, c.messages, c.values) for c in counts(path)} == {
            ("unknown-channel", 1, 1),
            ("not-json", 1, 2),
        }
        assert [(p.name, p.messages) for p in book.pending()] == [("m.y", 1)]
        assert (book.fill().rows, book.fill().bytes) == (2, 20)
    assert book.retried(3) == [(0, "unknown-channel", 900)]
    assert book.has([two, reject(3)]) == {(1, 0, "unknown-channel"): 1}
    book.close()
