"""The history ends somewhere: steps, revisions and alarm events; and what is kept survives a power cut."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from greengauge.history import History
from greengauge.history.jobs import Job
from scoring.results import AlarmEvent, Changes
from tests.greengauge.page.driver import alarm, emission, score

DAY = 86_400_000
T = 20_000 * DAY


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path / "history.db")
    yield made
    made.close()


def fill(history: History, days: int = 10) -> None:
    """A score, an emission and an alarm event a day, at midnight: quarter hours that no thinning takes."""
    for day in range(days):
        ts = T + day * DAY
        event = AlarmEvent(ts, "trip", alarm())
        history.add(Changes((score(ts=ts, known_at=ts),), (emission(ts=ts, known_at=ts),), (event,)))


def days(history: History) -> tuple[list[int], list[int]]:
    """The days that have steps, and those that have alarm events."""
    steps = sorted({(thing.ts - T) // DAY for thing in history.undelivered(10_000)[0]})
    return steps, sorted((event["ts"] - T) // DAY for event in history.alarm_events(10_000))


def end(history: History, before: int, *, delivered: bool = False, most: int = 20_000) -> int:
    """All bites; how many there were."""
    bites = 1
    while history.end(before, delivered=delivered, most=most):
        bites += 1
    return bites


def test_quarter_hours_and_alarm_events_go(history: History) -> None:
    """Steps at quarter hours and alarm events before the time are gone, those after it are all there."""
    fill(history)
    assert end(history, T + 4 * DAY) == 1
    assert days(history) == ([4, 5, 6, 7, 8, 9], [4, 5, 6, 7, 8, 9])


def test_it_goes_in_bites(history: History) -> None:
    """No bite takes more than it may: live scores are written in between."""
    fill(history)
    assert end(history, T + 6 * DAY, most=3) > 18 / 3 - 1
    assert days(history) == ([6, 7, 8, 9], [6, 7, 8, 9])


def test_a_step_goes_with_its_revisions(history: History) -> None:
    """A revision told late is as old as the step that it is of; those of younger steps all stay."""
    fill(history, 3)
    for day in (0, 2):
        late = score(ts=T + day * DAY, value=0.5, lifecycle="restated", revision=1, known_at=T + 9 * DAY)
        history.add(Changes((late, emission(ts=T + 3 * DAY))))
    end(history, T + DAY)
    assert [(s.ts - T) // DAY for s in history.undelivered(99)[0] if s.revision] == [2]
    assert days(history)[0] == [1, 2, 3]


def test_what_an_open_job_needs_stays(history: History) -> None:
    """Scores that are to be told anew are compared with what was told: they stay until the job is done."""
    fill(history)
    history.open_job(Job("asked", T + 2 * DAY, T + 3 * DAY, "a factor", 1))
    end(history, T + 6 * DAY)
    assert days(history)[0] == [2, 3, 4, 5, 6, 7, 8, 9]
    history.finish_job("asked")
    end(history, T + 6 * DAY)
    assert days(history)[0] == [6, 7, 8, 9]


def test_what_the_store_has_not_got_stays(history: History) -> None:
    """With a store that is down for long nothing goes that it never had."""
    fill(history)
    history.mark_delivered("step", 6)  # three days of two steps
    end(history, T + 6 * DAY, delivered=True)
    assert days(history) == ([3, 4, 5, 6, 7, 8, 9], list(range(10)))


def test_row_numbers_are_never_given_again(history: History) -> None:
    """Where all is old the newest row stays: the next one's number is above what is marked as delivered."""
    fill(history)
    for what, row in (("step", history.undelivered(99)[1]), ("alarm", history.undelivered_alarms(99)[1])):
        history.mark_delivered(what, row)
    end(history, T + 99 * DAY, delivered=True)
    ts = T + 100 * DAY
    history.add(Changes((score(ts=ts),), (), (AlarmEvent(ts, "clear", alarm()),)))
    assert [s.ts for s in history.undelivered(99)[0]] == [ts]
    assert [e["ts"] for e in history.undelivered_alarms(99)[0]] == [ts]


_CHILD = """
import os, sqlite3, sys
from pathlib import Path
from greengauge.history import History
from scoring.results import Changes
from tests.greengauge.page.driver import score
path = Path(sys.argv[1])
history = History(path)
history.add(Changes((score(),)))
reader = sqlite3.connect(path)
cursor = reader.execute("SELECT * FROM sqlite_master")  # a backup, a trend: it is still reading
cursor.fetchone()
for step in range(3):
    history.add(Changes((score(ts=1_763_800_060_000 + step),)))
    os.write(2, b"before the sync\\n")
    history.sync()
    os.write(2, b"after the sync\\n")
os._exit(0)
"""


@pytest.mark.system
def test_a_sync_syncs_while_somebody_reads(tmp_path: Path) -> None:
    """strace: each `sync` ends with the WAL file on disk, after the last write to it, a reader or not."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not on PATH")
    trace = tmp_path / "trace"
    calls = "trace=write,pwrite64,fsync,fdatasync"
    told: Any = subprocess.run(
        [
            strace,
            "-f",
            "-y",
            "-qq",
            "-o",
            str(trace),
            "-e",
            calls,
            sys.executable,
            "-c",
            _CHILD,
            str(tmp_path / "h.db"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    seen = []
    for line in trace.read_text().splitlines():
        if said := re.search(r'write\(2<.*"(before|after) the sync', line):
            seen.append(said[1])
        elif "h.db-wal>" in line:
            seen.append("synced" if re.search(r"f(data)?sync\(.*= 0$", line) else "written")
    marks = [k for k, what in enumerate(seen) if what == "after"]
    assert len(marks) == 3
    for mark in marks:
        begin = max(k for k in range(mark) if seen[k] == "before")
        assert seen[begin:mark][-1] == "synced", seen[begin:mark]
