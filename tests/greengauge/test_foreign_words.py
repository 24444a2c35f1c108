"""What others wrote, on an operator's terminal: a topic of any length, a number of any size."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.foreign import brief
from greengauge.cli import app
from greengauge.commands.quarantine import _line
from greengauge.commands.verify import text
from greengauge.rewinding import Rewound
from ingest.ledger import ANOMALIES, COVERED

LONG = "plant/" + "x" * 60_000
NOTHING = dict.fromkeys(("received", *COVERED, *ANOMALIES), 0) | {
    "examples": [], "minutes": [], "damages": [], "losses": [], "sequence_gaps": {}, "good": True
}  # fmt: skip


def test_a_topic_is_told_in_brief() -> None:
    """Its beginning and its length; what would move a cursor is escaped."""
    assert brief("plant/acme/k1") == "plant/acme/k1"
    assert brief("plant/\x1b[2J\n") == "plant/\\x1b[2J\\n"
    assert brief(LONG).endswith("x… (60,006 characters)")
    assert len(brief(LONG)) < 200


def test_no_command_prints_a_long_topic_whole() -> None:
    """`quarantine list` and `verify` keep their lines."""
    reject = {"position": 1, "received": 0, "topic": LONG, "outcome": "pending", "reason": "r", "cause": "c"}
    assert len(_line(reject)) < 300
    assert max(map(len, text(NOTHING | {"undecodable": {LONG: 2}}).splitlines())) < 300


@pytest.mark.parametrize("words", [["show", "99999999999999999999"], ["list", "--limit", "99999999999999999999"]])
def test_a_number_beyond_64_bits(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused as what was typed (2), before anything is opened."""
    (tmp_path / "quarantine.db").touch()
    with pytest.raises(SystemExit) as end:
        app(["quarantine", *words, "--data", str(tmp_path)])
    assert end.value.code == 2
    assert "9223372036854775807" in capsys.readouterr().err


def test_a_rewind_to_the_future_says_so() -> None:
    """Nothing came since then, so nothing is promised to be written."""
    told = Rewound(position=500, to=4_070_908_800_000, reach=0, complete=True, bytes=0).text
    assert told == "nothing was received since 2099-01-01T00:00:00Z: nothing is written again"
