"""What the broker sends twice, and what sequence numbers miss, across restarts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ingest.decode.result import Reject
from ingest.quarantine import Quarantine

BAD = Reject(
    position=100, item=0, received=1, topic="plant/a", outcome="quarantined", reason="not-json", cause="c", where="w",
    mend="m", size=3, payload=b"{x}",
)  # fmt: skip


def test_a_redelivered_message_counts_once(tmp_path: Path) -> None:
    """DUP set and the same topic and payload as one before: it is in the log twice and in the counts once."""
    with Quarantine(tmp_path / "q.db") as q:
        assert q.add([BAD, replace(BAD, position=200, redelivered=True)]) == 1
        assert q.add([replace(BAD, position=300, redelivered=True, payload=b"{y}")]) == 1  # another message
        assert q.add([replace(BAD, position=400)]) == 1  # sent again by the meter itself
        assert q.reasons() == {"not-json": 3}


def test_missing_numbers_outlive_a_restart(tmp_path: Path) -> None:
    """1, 2, 5 then, in another process, 9: two missing and three; the position to go on from is kept with them."""
    with Quarantine(tmp_path / "q.db") as q:
        assert q.follow({"kiln": [1, 2, 5]}, 500) == {"kiln": 2}
    with Quarantine(tmp_path / "q.db") as q:
        assert q.followed == 500
        assert q.follow({"kiln": [9]}, 900) == {"kiln": 3}
        assert q.missing() == {"kiln": 5}


def test_many_meters_are_one_question(tmp_path: Path) -> None:
    """However many meters count their messages in a batch, the file is asked once and told in one transaction."""
    with Quarantine(tmp_path / "q.sqlite") as q:
        names = [f"m{n}, \"'% é" for n in range(3000)]
        assert q.follow({name: [1, 2] for name in names[:2000]}, 100) == {}
        asked: list[str] = []
        q._db.set_trace_callback(asked.append)
        gaps = q.follow({name: [5] for name in names}, 200)
        q._db.set_trace_callback(None)
    assert gaps == dict.fromkeys(names[:2000], 2)
    assert sum(statement.startswith("SELECT") for statement in asked) == 1
