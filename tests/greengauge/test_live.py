"""`Live`: what changed after what one saw."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from devices.plant import load
from greengauge.live import Live
from tests.greengauge.page.driver import ONE, alarm, emission, score

NOW = 1_763_800_001_000


@pytest.fixture
def live() -> Live:
    return Live(load(Path(ONE)), simulated=True)


def test_zero_means_everything(live: Live) -> None:
    """A new reader gets all of it, ages told against its now."""
    live.put_scores([score()], [emission()], [alarm()])
    told = live.since(0, NOW)
    assert [len(told[k]) for k in ("scores", "emissions", "alarms")] == [1, 1, 1]
    assert told["scores"][0]["age"] == 1.0
    assert told["scores"][0]["simulated"] is True


def test_only_what_shows_differently_is_sent_again(live: Live) -> None:
    """A step on with the same numbers is no change; a new number, quality or staleness is."""
    live.put_scores([score(), score(degree="gd")], [], [])
    seen = live.seq
    live.put_scores([score(ts=1, known_at=2), score(degree="gd", stale=True)], [], [])
    assert [s["degree"] for s in live.since(seen, NOW)["scores"]] == ["gd"]


def test_a_fresh_reading_of_the_same_number_is_told(live: Live) -> None:
    """Its new `last` travels alone, so that a steady gauge does not seem to grow old."""
    live.put_scores([score()], [emission()], [])
    seen = live.seq
    live.put_scores([score(last=NOW)], [emission(last=NOW)], [])
    told = live.since(seen, NOW)
    assert told["scores"] == told["emissions"] == []
    assert told["lasts"] == [
        ("line:acme/wuhu/pyro/k1", "lcd", "1h", NOW),
        ("stack:acme/wuhu/tail", "nox", "1h", NOW),
    ]
    assert live.since(live.seq, NOW)["lasts"] == []
    assert live.since(0, NOW)["lasts"] == []  # the objects themselves say it
    assert live.since(0, NOW)["scores"][0]["age"] == 0.0


def test_a_window_that_was_not_looked_at_is_as_young_as_the_others(live: Live) -> None:
    """A new reading shown over one window is behind the longer ones too; a missing one too, and that shows."""
    live.put_scores([score(window="1h"), score(window="24h"), score(window="24h", degree="gd")], [], [])
    seen = live.seq
    live.put_scores([score(window="1h", last=NOW)], [], [])
    told = live.since(seen, NOW)
    assert told["scores"] == []
    assert sorted(told["lasts"]) == [("line:acme/wuhu/pyro/k1", "lcd", w, NOW) for w in ("1h", "24h")]
    seen = live.seq
    live.put_scores([score(window="1h", last=NOW, stale=True)], [], [])
    stale = {(s["degree"], s["window"]): s["stale"] for s in live.since(seen, NOW)["scores"]}
    assert stale == {("lcd", "1h"): True, ("lcd", "24h"): True}
    seen = live.seq
    live.put_scores([score(window="1h", last=NOW)], [], [])  # it is there again
    stale = {(s["degree"], s["window"]): s["stale"] for s in live.since(seen, NOW)["scores"]}
    assert stale == {("lcd", "1h"): False, ("lcd", "24h"): False}


def test_nothing_changed_is_an_empty_message(live: Live) -> None:
    """Seen all: empty lists, still a clock."""
    live.clock = 5
    live.put_scores([score()], [], [alarm()])
    told = live.since(live.seq, NOW)
    assert (told["scores"], told["alarms"], told["clock"]) == ([], [], 5)


async def test_wait_wakes_every_reader(live: Live) -> None:
    """Each of them, once something was put after what it saw."""
    waiting = [asyncio.create_task(live.wait(live.seq)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    live.put_system("store", {"text": "ok"})
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    assert live.system() == {"store": {"text": "ok"}}
    assert abs(live.told["store"] - time.time() * 1000) < 60_000


async def test_wait_returns_at_once_for_an_old_number(live: Live) -> None:
    """What came in between is never missed."""
    seen = live.seq
    live.put_meters({"cems1": {"last": 1, "silent": False}})
    await asyncio.wait_for(live.wait(seen), 0.1)
    assert list(live.since(seen, NOW)["meters"]) == ["cems1"]


def test_what_only_slid_is_told_apart(live: Live) -> None:
    """A new number without a new reading only slid; a reading, or one that is missing, came."""
    live.put_scores([score(), score(degree="gd")], [emission()], [])
    assert set(live.changed(0)[0].values()) == {True}
    for came, scores, emissions in (
        (False, [score(value=0.5)], []),
        (True, [score(value=0.6, last=NOW)], []),
        (True, [score(degree="gd", stale=True)], []),
        (False, [], [emission(value=1.0)]),
        (True, [], [emission(value=2.0, last=NOW)]),
    ):
        seen = live.seq
        live.put_scores(scores, emissions, [])
        assert list(live.changed(seen)[0].values()) == [came]
