"""`History`: revisions, trends, delivery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.errors import EnvironmentFailure
from greengauge.history import History
from scoring.results import AlarmEvent, Changes
from tests.greengauge.page.driver import alarm, emission, energy, score

T = 1_763_800_020_000
MIN = 60_000
K1 = ("line:acme/wuhu/pyro/k1", "lcd", "1h")


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path / "history.db")
    yield made
    made.close()


def add(history: History, *scores: Any) -> None:
    history.add(Changes(scores=scores))


def test_what_went_in_comes_out(history: History) -> None:
    """Every field of score and emission, to the last bit."""
    s, e = score(value=0.1 + 0.2, reason="why"), emission(raw=1e-7, unavoidable_at=T)
    history.add(Changes((s,), (e,), ()))
    assert history.scores(None, None, None, None, None) == [s]
    assert history.emissions("stack:acme/wuhu/tail", "nox", "1h", None, None) == [e]


def test_energies_go_in_and_come_out(history: History) -> None:
    """Every field of a specific energy; by scope and window, as of then, and on the way to the store."""
    clinker, cement = energy(reason="why"), energy(product="cement", norm_level=None, next=None, levels=())
    later = energy(value=99.0, ts=clinker.ts + MIN)
    history.add(Changes(energies=(clinker, cement, later)))
    assert history.energies(None, "1h", None, None) == [cement, later]
    assert history.energies(clinker.scope, None, clinker.ts, None) == [cement, clinker]
    assert history.energies(None, "8h", None, None) == []
    assert history.undelivered(10)[0] == [clinker, cement, later]


def test_adding_again_changes_nothing(history: History) -> None:
    """A replayed log writes the same rows: none is there twice."""
    for _ in range(2):
        history.add(Changes((score(),), (emission(),), (AlarmEvent(T, "trip", alarm()),)))
    assert len(history.undelivered(10)[0]) == 2
    assert len(history.alarm_events(10)) == 1


def test_as_known_then(history: History) -> None:
    """live, final, restated: each `known_at` sees the newest known by then."""
    add(history, score(ts=T, value=0.1, known_at=T))
    add(history, score(ts=T, value=0.2, lifecycle="final", known_at=T + 15 * MIN))
    add(history, score(ts=T, value=0.3, lifecycle="restated", revision=1, known_at=T + 60 * MIN))
    for known, value in ((T, 0.1), (T + 15 * MIN, 0.2), (T + 59 * MIN, 0.2), (T + 60 * MIN, 0.3), (None, 0.3)):
        assert [s.value for s in history.scores(*K1, T + 5, known)] == [value]
    assert history.scores(*K1, T, T - 1) == []
    assert history.scores(*K1, T - 1, None) == []


def test_trend_takes_the_last_of_each_step(history: History) -> None:
    """A restated earlier step in the same bucket does not stand for the bucket."""
    add(history, *(score(ts=T + k * MIN, value=float(k)) for k in range(1, 7)))
    add(history, score(ts=T + 1 * MIN, value=9.0, revision=1, lifecycle="restated"))
    assert history.trend("degree", K1, T, T + 6 * MIN, 2) == [(T + 3 * MIN, 3.0), (T + 6 * MIN, 6.0)]
    assert history.trend("degree", K1, T, T + 6 * MIN, 6)[0] == (T + MIN, 9.0)


@pytest.mark.parametrize("points", [1, 2, 3, 5, 7, 160])
def test_trend_never_has_a_point_too_many(history: History, points: int) -> None:
    """Whatever the span divides into."""
    add(history, *(score(ts=T + k * 1000, value=float(k)) for k in range(1, 101)))
    told = history.trend("degree", K1, T, T + 100_000, points)
    assert 1 <= len(told) <= points
    assert told[-1] == (T + 100_000, 100.0)


def test_trend_of_an_unknown_series_is_empty(history: History) -> None:
    """No error: it simply has none."""
    assert history.trend("degree", ("line:none", "lcd", "1h"), 0, T, 10) == []


def test_withheld_values_are_gaps(history: History) -> None:
    """None stays None: a gap is no zero."""
    add(history, score(ts=T + MIN, value=None, reason="idle"))
    assert history.trend("degree", K1, T, T + MIN, 1) == [(T + MIN, None)]


def test_delivery_goes_on_where_it_was(history: History, tmp_path: Path) -> None:
    """Oldest first, in parts, and across a restart; new rows come after."""
    add(history, *(score(ts=T + k * MIN) for k in range(3)))
    first, row = history.undelivered(2)
    assert [s.ts for s in first] == [T, T + MIN]
    history.mark_delivered("step", row)
    again = History(tmp_path / "history.db")
    try:
        rest, row = again.undelivered(10)
        assert [s.ts for s in rest] == [T + 2 * MIN]
        again.mark_delivered("step", row)
        assert again.undelivered(10) == ([], row)
        add(again, score(ts=T, revision=1, lifecycle="restated"))
        assert [s.revision for s in again.undelivered(10)[0]] == [1]
    finally:
        again.close()


def test_alarm_delivery_has_its_own_mark(history: History) -> None:
    """Delivering steps does not hide alarms."""
    history.add(Changes((score(),), (), (AlarmEvent(T, "trip", alarm()),)))
    history.mark_delivered("step", history.undelivered(10)[1])
    [event], row = history.undelivered_alarms(10)
    assert (event["event"], event["ts"], event["id"]) == ("trip", T, "nox-high")
    history.mark_delivered("alarm", row)
    assert history.undelivered_alarms(10)[0] == []


def test_a_failed_add_leaves_nothing_behind(history: History) -> None:
    """All or nothing, and the series made by it are forgotten too: the same add works afterwards."""
    broken = AlarmEvent(T, "trip", alarm(comment=object()))  # no JSON
    with pytest.raises(TypeError):
        history.add(Changes((score(),), (), (broken,)))
    assert history.scores(None, None, None, None, None) == []
    add(history, score())
    assert history.scores(None, None, None, None, None) == [score()]


def test_a_full_disk_is_the_worlds_failure(tmp_path: Path) -> None:
    """No room for another page: an error with a place and a mend, all or nothing, and it works again with room."""
    history = History(tmp_path / "history.db")
    pages = history._db.execute("PRAGMA page_count").fetchone()[0]
    history._db.execute(f"PRAGMA max_page_count = {pages}")
    many = [score(ts=T + k * MIN) for k in range(2000)]
    with pytest.raises(EnvironmentFailure, match="full"):
        add(history, *many)
    assert history.pending() == 0
    history._db.execute("PRAGMA max_page_count = 1000000")
    add(history, *many)
    assert history.pending() == 2000
    history.close()


def test_old_minutes_become_quarter_hours(tmp_path: Path) -> None:
    """Behind the limit only quarter hours stay, in bites; what the store has not got yet stays too."""
    history = History(tmp_path / "history.db")
    quarter = T // 900_000 * 900_000
    add(history, *(score(ts=quarter + k * MIN) for k in range(60)))
    assert not history.thin(quarter + 45 * MIN, delivered=True)
    history.mark_delivered("step", 40)
    assert history.thin(quarter + 45 * MIN, delivered=True, most=30)
    while history.thin(quarter + 45 * MIN, delivered=False, most=30):
        pass
    kept = [row[0] for row in history._all("SELECT ts FROM step ORDER BY ts", ())]
    assert kept == [quarter, quarter + 15 * MIN, quarter + 30 * MIN, *(quarter + k * MIN for k in range(45, 60))]
    history.close()


def test_what_was_told_since_is_delivered_again(history: History) -> None:
    """After a store lost it: steps by when they became known, alarm events by their time; nothing before."""
    add(history, *(score(ts=T + i * MIN, known_at=T + i * MIN + 7) for i in range(5)))
    for i in range(3):
        history.add(Changes(alarms=(AlarmEvent(T + i * MIN, "trip", alarm()),)))
    history.mark_delivered("step", 4)
    history.mark_delivered("alarm", 3)
    history.deliver_again(T + 10 * MIN)
    assert [s.ts for s in history.undelivered(10)[0]] == [T + 4 * MIN]
    history.deliver_again(T + 2 * MIN)
    assert [s.ts for s in history.undelivered(10)[0]] == [T + i * MIN for i in (2, 3, 4)]
    assert [event["ts"] for event in history.undelivered_alarms(10)[0]] == [T + 2 * MIN]
