"""`Recomputing`: jobs in slices, told once, resumed where they were, waiting while the past cannot be read."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from devices.readings import Readings
from greengauge.history import History
from greengauge.history.jobs import Job
from greengauge.restating.recomputing import Recomputing
from greengauge.restating.rescore import Rescore
from greengauge.restating.restating import Restating
from scoring.engine import Engine
from scoring.results import Changes, Emission, Score
from tests.scoring.reference.works import batch, rows, works
from tests.scoring.test_engine import BASE, HOUR, KILN, MINUTE, kiln, registry

NEWER = """
[[factor]]
id = "grid:CN"
value = 0.6
unit = "kg CO2/kWh"
from = 2025-01-01
source = "a corrected value for the test"
"""
HOURS = 16
DAY = 24 * HOUR
JOB = Job("a", BASE + 10 * HOUR, BASE + 11 * HOUR, "recomputed: the factor of grid:CN was corrected", 1)


class MemoryPast:
    """Readings in hourly pieces, sorted by time; `down` as long as it is told to."""

    def __init__(self, readings: Readings) -> None:
        self.readings, self.down, self.asked = readings, False, list[tuple[int, int]]()

    def read(self, start: int, end: int) -> Iterator[Readings]:
        self.asked.append((start, end))
        r = self.readings
        for low in range(start, end, HOUR):
            if self.down:
                raise EnvironmentFailure("the store is down")
            yield Readings.empty()
            yield r.take((r.ts > low) & (r.ts <= min(end, low + HOUR)))


def told_by(plant: Plant, readings: Readings) -> Changes:
    """All finals of a clean run in order."""
    engine = Engine(plant, event_clock=True)
    found = Changes()
    for at in range(0, len(readings), 500):
        engine.push(readings.take(slice(at, at + 500)))
        found += engine.advance()
    return found


def values(scores: Any) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {(s.ts, s.scope, s.degree, s.window): (s.value, s.numerator, s.denominator, s.completeness) for s in scores}


def newest(history: History) -> dict[tuple[Any, ...], Score]:
    """The latest revision of every score."""
    found: dict[tuple[Any, ...], Score] = {}
    things, _ = history.undelivered(10**6)
    for s in things:
        if isinstance(s, Score):
            found[s.ts, s.scope, s.degree, s.window] = s
    return found


class Bench:
    """A history told under the old registry, a past, and a service that runs under the new one."""

    def __init__(self, folder: Path) -> None:
        old, self.plant = (registry(KILN, more, windows='["1h", "3h"]') for more in ("", NEWER))
        self.readings = kiln(old, range(HOURS * 60))
        self.history = History(folder / "history.db")
        self.before = told_by(old, self.readings)
        self.history.add(self.before)
        self.after = told_by(self.plant, self.readings)
        self.past = MemoryPast(self.readings)
        self.engine = Engine(self.plant, event_clock=True)
        self.engine.push(self.readings)
        self.engine.advance()
        self.now = 0.0

    def recomputing(self) -> Recomputing:
        return Recomputing(self.plant, self.history, self.past, clock=lambda: self.now)

    def finish(self, work: Recomputing) -> None:
        for _ in range(100_000):
            if not work.step(self.engine.clock, 0.01):
                return
        raise AssertionError("no end")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.history.close()


def check(bench: Bench) -> None:
    """What the stretch touches is as a clean run under the new registry tells it; all else is untouched."""
    kept, old, new = newest(bench.history), values(bench.before.scores), values(bench.after.scores)
    changed = {key for key in new if new[key] != old[key] and key[0] > BASE + 10 * HOUR}
    touched = {k for k in changed if k[0] <= BASE + 11 * HOUR + (HOUR if k[3] == "1h" else 3 * HOUR) - MINUTE}
    assert len(touched) > 1000
    for key, score in kept.items():
        if key in touched:
            assert (score.revision, score.lifecycle) == (1, "restated"), key
            assert (score.reason or "").endswith(f"restated: {JOB.reason}")
            assert values([score])[key] == new[key]
        else:
            assert score.revision == 0
            assert values([score])[key] == old[key]


def test_a_stretch_is_told_anew_in_slices(bench: Bench) -> None:
    """Exactly what a clean run under the new registry has, revision 1, with reason; asked again: nothing."""
    work = bench.recomputing()
    work.ask(JOB)
    bench.finish(work)
    check(bench)
    assert work.jobs == []
    [done] = bench.history.all_jobs()
    rows = bench.history.pending()
    assert done.done
    assert done.revised == rows - len(bench.before.scores) - len(bench.before.energies)
    work.ask(JOB)
    bench.finish(work)
    assert bench.history.pending() == rows
    again = Job("b", JOB.start, JOB.end, JOB.reason, 1)
    work.ask(again)
    bench.finish(work)
    assert bench.history.pending() == rows


def test_it_goes_on_where_a_kill_left_it(bench: Bench) -> None:
    """Same end; what was read before is not read again."""
    bench.history.open_job(JOB)
    shares, reached = [0.0], BASE + 10 * HOUR
    while True:
        work = bench.recomputing()  # a new process
        while work.step(bench.engine.clock, 0.001):
            [job] = bench.history.all_jobs()
            assert job.share >= shares[-1]
            if (job.reached or 0) > reached:
                break  # killed
        shares.append(job.share)
        if job.done:
            break
        reached = job.reached or 0
    assert len(shares) > 3
    begins = [start for start, _ in bench.past.asked]
    assert begins == sorted(begins)
    assert begins[-1] > begins[0]
    check(bench)


def test_it_waits_for_the_past(bench: Bench) -> None:
    """Down: said, asked again after a while, and the end is the same."""
    work = bench.recomputing()
    work.ask(JOB)
    bench.past.down = True
    assert not work.step(bench.engine.clock, 0.01)
    assert work.trouble == "the store is down"
    asked = len(bench.past.asked)
    assert not work.step(bench.engine.clock, 0.01)
    assert len(bench.past.asked) == asked
    bench.past.down, bench.now = False, 10.0
    bench.finish(work)
    check(bench)


def test_its_progress_is_told(bench: Bench) -> None:
    """Days, share and what it waits for, for the page's line."""
    whole = Restating(bench.plant, bench.history, bench.past)
    assert whole.state() == {"jobs": 0, "share": 1.0, "text": "ok"}
    whole.ask(JOB)
    assert not whole.durable
    whole.step(bench.engine, 0.001)
    assert whole.durable
    state = whole.state()
    assert state["jobs"] == 1
    assert state["text"].startswith("2025-10-09 .. 2025-10-09, ")
    assert state["text"].endswith(" %")
    bench.past.down = True
    waiting = Restating(bench.plant, bench.history, bench.past)
    waiting.step(bench.engine, 0.001)
    assert waiting.state()["text"].endswith("waiting: the store is down")


def test_what_was_never_told_stays_untold(bench: Bench) -> None:
    """A recomputation tells no step that the history thinned out."""
    bench.history._db.execute("DELETE FROM step WHERE ts % 900000 <> 0")
    bench.history._db.commit()
    rows = bench.history._all("SELECT count(*) FROM step WHERE ts % 900000 <> 0", ())
    work = bench.recomputing()
    work.ask(JOB)
    bench.finish(work)
    assert rows == bench.history._all("SELECT count(*) FROM step WHERE ts % 900000 <> 0", ()) == [(0,)]
    assert bench.history._all("SELECT max(revision) FROM step", ()) == [(1,)]


def test_the_year_before_what_is_read_counts() -> None:
    """45 days on, the permit's share counts from New Year, though readings are read back 33 days only."""
    plant = works(every=20, parts=frozenset({"tail"}))
    found = {(c, ts): (c, ts, value, rev, letter) for c, ts, value, rev, letter in rows(plant, random.Random(5), 1080)}
    readings = batch(plant, sorted(found.values(), key=lambda row: row[1]))
    engine, told = Engine(plant, event_clock=True, patience_ms=0), dict[int, Emission]()

    def days(emissions: Iterable[Emission]) -> dict[int, Emission]:
        return {e.ts: e for e in emissions if (e.pollutant, e.average) == ("nox", "1d")}

    for at in range(0, len(readings), 200):
        engine.push(readings.take(slice(at, at + 200)))
        told |= days(engine.advance().emissions)
    end = engine.clock - DAY
    work = Rescore(
        plant, MemoryPast(readings), end - DAY, end, newest=engine.clock, reason="asked for", known=engine.stacks
    )
    again: dict[int, Emission] = {}
    while not work.done:
        again |= days(work.step(1.0, engine.clock).emissions)
    assert again
    for ts, emission in again.items():
        assert emission.extra == told[ts].extra
        assert emission.extra["permit_share"] > told[ts - 30 * DAY].extra["permit_share"] > 0
