"""`Keeper`: the history grows old, and is let go, by the settings; not while the clock is in doubt."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from greengauge.history import History
from greengauge.keeper import Keeper
from greengauge.settings import Settings
from ingest.clock import Jump
from ingest.quarantine import Quarantine
from ingest.quarantine.resolving import Retried
from scoring.results import AlarmEvent, Changes
from tests.greengauge.page.driver import alarm, score
from tests.greengauge.test_keeper import service

DAY = 86_400_000
NOW = 20_000 * DAY


async def kept(
    tmp_path: Path, *, jump: Jump | None = None, **given: float
) -> tuple[set[int], set[int], int, list[int]]:
    """Ages in days, of 0 to 30, of quarter hours and minutes left; alarm events; the retried frames left of 1, 5, 9."""
    history, quarantine = History(tmp_path / "history.db"), Quarantine(tmp_path / "quarantine.db")
    for age in range(30, -1, -1):
        ts = NOW - age * DAY
        event = AlarmEvent(ts, "trip", alarm())
        history.add(Changes((score(ts=ts), score(ts=ts + 60_000)), (), (event,)))
    for at in (1, 5, 9):
        quarantine.resolve([Retried(at, 0, "unit")], at)
    of = service(
        history=history,
        settings=Settings(data=tmp_path, **given),  # type: ignore[arg-type] # numbers
        delivers=False,
        clock=SimpleNamespace(jump=jump, now=lambda: NOW),
    )
    of.live.clock, of.quarantine, of.log.first = NOW, quarantine, 5
    of.log.cursors = SimpleNamespace(get=lambda _name: 0)
    task = asyncio.create_task(Keeper(of).run(), name="keeper under test")
    await asyncio.sleep(0.6)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    told = [(NOW - thing.ts) / DAY for thing in history.undelivered(999)[0]]
    left, minutes = {int(age) for age in told if age == int(age)}, {round(age) for age in told if age != int(age)}
    events = len(history.alarm_events(999))
    frames = [at for at in (1, 5, 9) if quarantine.retried(at)]
    history.close()
    quarantine.close()
    return left, minutes, events, frames


async def test_everything_ends(tmp_path: Path) -> None:
    """Minutes after `history_days`, all of it after `archive_days`; a retry's mark goes with the log it is of."""
    left, minutes, events, frames = await kept(tmp_path, history_days=5, archive_days=10)
    assert (left, minutes) == (set(range(11)), set(range(6)))
    assert (events, frames) == (11, [5, 9])


async def test_nothing_ends_while_the_clock_is_in_doubt(tmp_path: Path) -> None:
    """A clock that is years ahead would let all go at once."""
    _, _, events, frames = await kept(tmp_path, jump=Jump(NOW, 10 * 365 * DAY), history_days=5, archive_days=10)
    assert (events, frames) == (31, [1, 5, 9])


@pytest.mark.parametrize("days", [{"archive_days": 0.0}, {"archive_days": 400.0}])
async def test_for_ever_is_for_ever(tmp_path: Path, days: dict[str, float]) -> None:
    """0 is no end."""
    left, _, events, _ = await kept(tmp_path, history_days=5, **days)
    assert left >= set(range(31))
    assert events == 31
