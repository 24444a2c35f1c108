"""`Outputs`: what the store will never take is counted, told and alarmed, not passed over as "ok"."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import structlog
from prometheus_client import generate_latest

from devices.plant import load
from greengauge.history import History
from greengauge.live import Live
from greengauge.metrics import registry
from greengauge.operations import Operations
from greengauge.outputs.store import KINDS, Outputs
from ingest.store.base import BadPoint
from scoring.results import Changes
from tests.greengauge.page.driver import ONE, score
from tests.greengauge.test_operations import service
from tests.waiting import until

MIN = 60_000
T = 1_763_800_020_000


class Picky:
    """A store that refuses, with a reason each, the points that it is told to."""

    name = "picky"

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        self.taken = 0

    async def write(self, lines: Sequence[bytes]) -> list[BadPoint]:
        bad = [BadPoint(k, "value", reason) for k, reason in enumerate(self.reasons[: len(lines)])]
        self.taken += len(lines)
        return bad


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path / "history.db")
    yield made
    made.close()


async def deliver(history: History, store: Picky, points: int) -> Live:
    live = Live(load(ONE), simulated=False)
    history.add(Changes(tuple(score(ts=T + k * MIN) for k in range(points))))
    outputs = Outputs(live.plant, history, store, live)  # type: ignore[arg-type] # of the store only `write` is asked
    task = asyncio.create_task(outputs.run(), name="outputs under test")
    await until(lambda: store.taken and live.system().get("store outputs", {}).get("pending") == 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return live


async def test_refusals_are_counted_by_reason(history: History) -> None:
    """State and metrics say how many and why, particulars left out; the text is not "ok"."""
    told = ("field type conflict: `value` is int", "field type conflict: `low` is str", "beyond retention")
    live = await deliver(history, Picky(*told), 5)
    state = live.system()["store outputs"]
    assert state["refused"] == {"field type conflict": 2, "beyond retention": 1}
    assert state["text"] == "3 points refused by the store"
    text = generate_latest(registry(live, "0", lambda: T)).decode()
    assert 'greengauge_outputs_refused_total{reason="field type conflict"} 2.0' in text
    assert 'greengauge_outputs_refused_total{reason="beyond retention"} 1.0' in text


async def test_one_log_line_a_batch(history: History) -> None:
    """However many points of a batch are refused."""
    with structlog.testing.capture_logs() as lines:
        await deliver(history, Picky(*["beyond retention"] * 50), 60)
    [line] = [line for line in lines if line["event"].startswith("outputs.")]
    assert (line["points"], line["reasons"]) == (50, {"beyond retention": 50})


async def test_reasons_are_bounded(history: History) -> None:
    """A store whose every refusal reads differently does not make a metric of each."""
    live = await deliver(history, Picky(*(f"no {k}" for k in range(100))), 100)
    refused = live.system()["store outputs"]["refused"]
    assert len(refused) <= KINDS + 1
    assert sum(refused.values()) == 100


async def test_refusals_raise_an_alarm(history: History, tmp_path: Path) -> None:
    """`scores-refused`, with the reason and the count; nothing refused, no alarm."""
    fine = await deliver(history, Picky(), 2)
    operations = Operations(tmp_path / "operations.json")
    assert operations.look(service(live=fine), T) == []
    live = await deliver(history, Picky("beyond retention"), 3)  # the third is new
    [event] = operations.look(service(live=live), T + 1)
    assert (event.event, event.alarm.id, event.alarm.priority) == ("trip", "scores-refused", "high")
    assert "beyond retention (1)" in event.alarm.text
