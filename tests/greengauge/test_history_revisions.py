"""The history's revisions: what of a restating is news, its number, and what was known when."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from greengauge.history import History
from scoring.results import Changes, Score
from tests.greengauge.page.driver import emission, score

T = 1_763_800_020_000
MIN = 60_000
K1 = ("line:acme/wuhu/pyro/k1", "lcd", "1h")
DETAIL = {"process": 108.15, "fuel": 0.1 + 0.2, "gross": 1e-9}


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path / "history.db")
    yield made
    made.close()


def restate(history: History, *things: Score) -> list[Score]:
    """Settle, keep, and tell what was kept."""
    told = history.settle(Changes(scores=tuple(replace(thing, lifecycle="restated") for thing in things)))
    history.add(told)
    return list(told.scores)


def test_only_what_differs_gets_the_next_revision(history: History) -> None:
    """Same numbers with another lifecycle, clock or staleness: no news. Another number, completeness or reason: is."""
    for k in range(5):
        history.add(Changes(scores=(score(ts=T + k * MIN, lifecycle="final", known_at=T + 15 * MIN),)))
    told = restate(
        history,
        score(ts=T, lifecycle="restated", known_at=T + 99 * MIN, stale=True, last=1),
        score(ts=T + MIN, value=0.5),
        score(ts=T + 2 * MIN, completeness=0.99),
        score(ts=T + 3 * MIN, reason="expired benchmark"),
        score(ts=T + 4 * MIN, reason="restated: k1.coal came 3 h late"),
    )
    assert [(s.ts - T, s.revision, s.lifecycle) for s in told] == [
        (MIN, 1, "restated"), (2 * MIN, 1, "restated"), (3 * MIN, 1, "restated")
    ]  # fmt: skip


def test_revisions_count_on(history: History) -> None:
    """1, 2, 3; telling the same again adds none; back to the first value is a revision of its own."""
    history.add(Changes(scores=(score(ts=T, value=0.1, lifecycle="final", known_at=T),)))
    seen = [
        [s.revision for s in restate(history, score(ts=T, value=value, known_at=T + k, reason="restated: because"))]
        for k, value in enumerate([0.2, 0.2, 0.3, 0.1], 1)
    ]
    assert seen == [[1], [], [2], [3]]
    known = [history.scores(*K1, T, T + k)[0] for k in range(5)]
    assert [(s.value, s.revision) for s in known] == [(0.1, 0), (0.2, 1), (0.2, 1), (0.3, 2), (0.1, 3)]


def test_what_is_told_more_than_once_at_a_time_counts_on(history: History) -> None:
    """Final and restated twice within one slice of a backlog: three revisions; the same again is none."""
    first = score(ts=T, value=0.1, lifecycle="final", known_at=T)
    again = [replace(first, value=value, lifecycle="restated", reason="restated: because") for value in (0.2, 0.2, 0.3)]
    told = history.settle(Changes(scores=(first, *again)))
    history.add(told)
    assert [(s.value, s.revision) for s in told.scores] == [(0.1, 0), (0.2, 1), (0.3, 2)]
    assert [s.revision for s in restate(history, *again[:2], replace(again[0], value=0.4))] == [3, 4]
    assert history.scores(*K1, T, T)[0].value == 0.4


def test_a_step_never_told_begins_with_revision_1(history: History) -> None:
    """No reading had touched it, yet its value existed; so has a series that nobody knew."""
    assert [s.revision for s in restate(history, score(ts=T), score("line:new", ts=T))] == [1, 1]


def test_a_live_row_is_settled_against_too(history: History) -> None:
    """Live, then final: the final one is the one to differ from."""
    history.add(Changes(scores=(score(ts=T, value=0.1, lifecycle="live"),)))
    history.add(Changes(scores=(score(ts=T, value=0.2, lifecycle="final"),)))
    assert restate(history, score(ts=T, value=0.2)) == []
    assert [s.revision for s in restate(history, score(ts=T, value=0.1))] == [1]


def test_a_log_told_again_makes_no_revision(history: History) -> None:
    """After a kill the first of two restatings is told again, later, earlier or merged with the second: all known."""
    history.add(Changes(scores=(score(ts=T, value=0.1, lifecycle="final", known_at=T),)))
    assert [s.revision for s in restate(history, score(ts=T, value=0.2, known_at=T + 100))] == [1]
    assert [s.revision for s in restate(history, score(ts=T, value=0.3, known_at=T + 200))] == [2]
    for value, known in ((0.2, 100), (0.2, 99), (0.2, 150), (0.3, 200), (0.3, 199), (0.3, 300)):
        assert restate(history, score(ts=T, value=value, known_at=T + known)) == []
    assert [s.revision for s in restate(history, score(ts=T, value=0.2, known_at=T + 300))] == [3]


def test_live_and_final_pass(history: History) -> None:
    """Only what is restated is compared."""
    both = tuple(score(ts=T, lifecycle=lifecycle) for lifecycle in ("live", "final"))
    history.add(Changes(scores=both))
    assert history.settle(Changes(scores=both)).scores == both


def test_emissions_too(history: History) -> None:
    """The block's minutes changed: a revision of the block."""
    history.add(Changes(emissions=(emission(ts=T, lifecycle="final"),)))
    same, other = (emission(ts=T, valid_minutes=n, lifecycle="restated") for n in (32, 33))
    told = history.settle(Changes(emissions=(same, other)))
    assert [(e.valid_minutes, e.revision, e.lifecycle) for e in told.emissions] == [(33, 1, "restated")]


def test_what_is_constant_follows_the_registry(history: History, tmp_path: Path) -> None:
    """Another unit, level or basis from today on; what was kept before keeps its own, across a restart."""
    old, new = score(ts=T, unit="t CO2", basis="gross"), score(ts=T + MIN, unit="kg CO2", basis="net", level="area")
    history.add(Changes(scores=(old, new), emissions=(emission(ts=T), emission(ts=T + MIN, unit="ppm"))))
    history.close()
    again = History(tmp_path / "history.db")
    assert [again.scores(*K1, ts, None)[0] for ts in (T, T + MIN)] == [old, new]
    assert [again.emissions(None, None, None, ts, None)[0].unit for ts in (T, T + MIN)] == ["mg/m3", "ppm"]
    again.add(Changes(scores=(score(ts=T + 2 * MIN, unit="t CO2", basis="gross"),)))
    assert again._all("SELECT count(*) FROM constant", ()) == [(4,)]
    again.close()


def test_detail_is_kept(history: History) -> None:
    """The CO2 balance's parts come back to the last bit, and go out to the store."""
    told = score(ts=T, detail=DETAIL)
    history.add(Changes(scores=(told, score(ts=T + MIN, degree="gd"))))
    assert history.scores(*K1, T, None) == [told]
    assert [thing.detail for thing in history.undelivered(9)[0] if isinstance(thing, Score)] == [DETAIL, {}]
    assert [s.revision for s in restate(history, score(ts=T, detail=DETAIL | {"fuel": 0.3}))] == [1]


def test_a_restated_step_is_delivered_again(history: History) -> None:
    """Its row comes after all rows delivered so far."""
    history.add(Changes(scores=(score(ts=T),)))
    history.mark_delivered("step", history.undelivered(9)[1])
    restate(history, score(ts=T, value=0.5))
    assert [(t.value, t.revision) for t in history.undelivered(9)[0]] == [(0.5, 1)]


def test_a_history_of_the_first_format_is_read(tmp_path: Path) -> None:
    """Its rows keep their meaning beside new ones (its units stood once a series, its basis in each row)."""
    path = tmp_path / "history.db"
    db = sqlite3.connect(path)
    db.executescript(
        """
        CREATE TABLE series (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL,
            c TEXT NOT NULL, fixed TEXT NOT NULL, UNIQUE (kind, a, b, c));
        CREATE TABLE step (row INTEGER PRIMARY KEY, series INTEGER NOT NULL, ts INTEGER NOT NULL,
            revision INTEGER NOT NULL, lifecycle TEXT NOT NULL, known_at INTEGER NOT NULL, value REAL,
            body TEXT NOT NULL, UNIQUE (series, ts, revision, lifecycle));
        INSERT INTO series VALUES (1, 'degree', 'line:acme/wuhu/pyro/k1', 'lcd', '1h',
            '{"level": "line", "unit": "t CO2", "output_unit": "t"}');
        INSERT INTO step VALUES (1, 1, 1763800020000, 0, 'final', 1763800000000, 0.874767,
            '[145.53,166.36428,210.0,"gross",0.98,"good","running",null,false,1763800000000]');
        INSERT INTO series VALUES (2, 'emission', 'stack:acme/wuhu/tail', 'nox', '1h',
            '{"raw_unit": "mg/m3", "unit": "mg/m3"}');
        INSERT INTO step VALUES (2, 2, 1763800020000, 0, 'final', 1763800000000, 48.1,
            '[61.0,50.0,1.9,52.0,null,true,32,32,60,1.0,"good","running",null,false,1763800000000]');
        """
    )
    db.close()
    history = History(path)
    assert history.scores(None, None, None, None, None) == [score(ts=T, lifecycle="final")]
    assert history.emissions(None, None, None, None, None) == [emission(ts=T, lifecycle="final")]
    new = score(ts=T + MIN, unit="kg CO2", detail=DETAIL)
    history.add(Changes(scores=(new,)))
    assert [t for t in history.undelivered(9)[0] if isinstance(t, Score)] == [score(ts=T, lifecycle="final"), new]
    assert [s.revision for s in restate(history, score(ts=T, value=0.9))] == [1]
    history.close()
