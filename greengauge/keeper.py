"""`Keeper`: once a second, tells the page what state everything is in; once a minute, prunes the log."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from greengauge.service import Service

log = structlog.get_logger()

EVERY_S = 1.0
PRUNE_EVERY = 60  # turns


class Keeper:
    """Looks after the service's own state."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def run(self) -> None:
        """Work until cancelled."""
        turn = 0
        while True:
            self._tell()
            if turn % PRUNE_EVERY == 0:
                gone = await asyncio.to_thread(self._service.log.prune)
                if gone:
                    log.info("log.pruned", segments=gone)
            turn += 1
            await asyncio.sleep(EVERY_S)

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether readings can be taken in: intake connected and log writable; and the parts' states."""
        intake = self._service.intake.state()
        return intake.connected and intake.writable, {"intake": intake.text, "log": intake.log_text}

    def _tell(self) -> None:
        service, live = self._service, self._service.live
        now = time.time_ns() // 1_000_000
        intake = service.intake.state()
        live.put_system("intake", intake.to_json())
        writer = service.writer
        live.put_system(
            "store",
            {
                "name": service.store.name,
                "state": writer.state.condition,
                "late_s": writer.state.late_s(now),
                "text": writer.state.text(now),
                "stored": writer.counts.stored,
            },
        )
        live.put_system("log", _log_json(service))
        fill = service.quarantine.fill()
        live.put_system("quarantine", {"rows": fill.rows, "share": fill.share, "text": f"{fill.rows} messages"})


def _log_json(service: Service) -> dict[str, Any]:
    state = service.log.state()
    cursors = service.log.cursors
    return {
        "bytes": state.bytes,
        "segments": state.segments,
        "pressure": state.pressure,
        "damages": state.damages,
        "behind": {name: max(0, state.durable - cursors.get(name)) for name in ("store", "scores", "quarantine")},
        "text": "ok" if not state.damages else f"{state.damages} damaged places",
    }
