"""Damaged derived state: put aside, never in the way of a start."""

from __future__ import annotations

from pathlib import Path

import pytest

from greengauge.history import History
from ingest.quarantine import Quarantine
from ingest.winners import Winners
from ingest.writer import series_of
from scoring.results import Changes
from tests.greengauge.page.driver import score
from tests.ingest.quarantine.test_quarantine_book import reject
from tests.ingest.small_plant import small_plant

PLANT = small_plant()
DAMAGES = [lambda b: b"\xa5" * len(b), lambda b: b[: len(b) // 2], lambda b: b[:4096] + b"\xa5" * (len(b) - 4096)]


def spoil(path: Path, how: object) -> None:
    path.write_bytes(how(path.read_bytes()))  # type: ignore[operator] # one of DAMAGES


@pytest.mark.parametrize("how", DAMAGES)
def test_quarantine(tmp_path: Path, how: object) -> None:
    """A new one that says so, and the damaged one beside it."""
    path = tmp_path / "quarantine.db"
    with Quarantine(path) as book:
        assert book.renewed
        book.add([reject(n) for n in range(200)])
    with Quarantine(path) as book:
        assert not book.renewed
    spoil(path, how)
    with Quarantine(path) as book:
        assert book.renewed
        assert book.add([reject(1)]) == 1
    assert (tmp_path / "quarantine.db.damaged-1").is_file()


@pytest.mark.parametrize("how", DAMAGES)
def test_history(tmp_path: Path, how: object) -> None:
    """A new one that says so, and the damaged one beside it."""
    path = tmp_path / "history.db"
    made = History(path)
    made.add(Changes(scores=tuple(score(ts=1_763_800_020_000 + n * 60_000) for n in range(500))))
    made.close()
    spoil(path, how)
    again = History(path)
    again.add(Changes(scores=(score(),)))
    assert again.renewed
    assert len(again.scores(None, None, None, None, None)) == 1
    again.close()
    assert (tmp_path / "history.db.damaged-1").is_file()


@pytest.mark.parametrize("how", DAMAGES)
def test_the_writers_memory(tmp_path: Path, how: object) -> None:
    """Begins anew: the log is written again."""
    path = tmp_path / "winners.db"
    memory = Winners(path, PLANT, series_of(PLANT))
    memory.checkpoint(77)
    memory.close()
    spoil(path, how)
    memory = Winners(path, PLANT, series_of(PLANT))
    assert memory.reached == 0
    memory.close()
    assert (tmp_path / "winners.db.damaged-1").is_file()
