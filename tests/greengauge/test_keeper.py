"""`Keeper`: what it says, and that it holds nobody up."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from greengauge.keeper import Keeper
from greengauge.live import Live
from greengauge.standing import Standing
from ingest.clock import Jump
from ingest.intake import IntakeState
from ingest.log.state import LogState
from ingest.quarantine.book import Fill
from ingest.session.state import SessionState
from ingest.writer_state import WriterCounts, WriterState
from tests.ingest.small_plant import small_plant


def service(**changes: Any) -> Any:
    """A service's outside, as far as the keeper looks at it."""
    session = SessionState("mqtt://host:1883", connected=True)
    parts: dict[str, Any] = {
        "live": Live(small_plant(), simulated=False),
        "intake": SimpleNamespace(session=SimpleNamespace(state=session), state=IntakeState()),
        "standing": Standing(),
        "clock": SimpleNamespace(jump=None, now=lambda: 0),
        "operations": SimpleNamespace(look=lambda _service, _now: [], alarms=list, unsaved=False),
        "writer": SimpleNamespace(state=WriterState(), counts=WriterCounts()),
        "store": SimpleNamespace(name="a store"),
        "log": SimpleNamespace(state=lambda: LogState(0, 0, 0, 1, 1, 0, "store", 0.0, 0, 0, 0, ""), cursors={}),
        "quarantine": SimpleNamespace(fill=lambda: Fill(0, 0, 0, 0, 0, 0.0), reasons=dict, missing=dict),
    }
    return SimpleNamespace(**parts | changes)


async def told(of: Any, seconds: float) -> dict[str, dict[str, Any]]:
    task = asyncio.create_task(Keeper(of).run(), name="keeper under test")
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return of.live.system()  # type: ignore[no-any-return] # a stand-in


async def test_a_quarantine_that_is_being_written_holds_nobody_up() -> None:
    """Its lock and the disk are waited for in a thread: the loop goes on meanwhile."""

    def slow() -> Fill:
        time.sleep(0.4)
        return Fill(7, 0, 0, 0, 0, 0.5)

    of = service(quarantine=SimpleNamespace(fill=slow, reasons=lambda: {"not-json": 7}, missing=dict))
    of.log.cursors = SimpleNamespace(get=lambda _name: 0)
    late: list[float] = []

    async def beat() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            late.append(time.monotonic() - before)

    beating = asyncio.create_task(beat(), name="beat")
    system = await told(of, 0.8)
    beating.cancel()
    assert max(late) < 0.3
    assert system["quarantine"]["text"] == "7 messages"


async def test_a_clock_that_jumped_is_said() -> None:
    """Receive times no longer follow the wall: the intake is not simply ok."""
    of = service(clock=SimpleNamespace(jump=Jump(0, 3_600_000), now=lambda: 0))
    of.log.cursors = SimpleNamespace(get=lambda _name: 0)
    system = await told(of, 0.1)
    assert "+3600 s" in system["intake"]["text"]
