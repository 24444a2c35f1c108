"""`Keeper`: once a second, tells the page in what state everything is."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import structlog

from devices.durations import DAY
from devices.errors import EnvironmentFailure
from scoring.results import AlarmEvent, Changes

if TYPE_CHECKING:
    from greengauge.service import Service

log = structlog.get_logger()

EVERY_S = 1.0
THIN_EVERY_S = 3600.0


class Keeper:
    """Gathers the parts' states and lets the service's own alarms look at them; changes nothing else."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._unkept: list[AlarmEvent] = []
        self._keeping = asyncio.Lock()
        self._missing = 0  # messages that sequence numbers say never came

    async def run(self) -> None:
        """Work until cancelled."""
        thinned = 0.0
        service = self._service
        service.live.put_alarms(service.operations.alarms())
        while True:
            self._tell()
            self._put("quarantine", await asyncio.to_thread(self._quarantine))
            for part in service.standing.stopped:  # these tell nothing themselves any more
                self._put(part, service.live.system().get(part, {}))
            await self.keep(service.operations.look(service, service.clock.now()))
            if time.monotonic() - thinned >= THIN_EVERY_S:
                await asyncio.to_thread(self._thin)
                thinned = time.monotonic()
            await asyncio.sleep(EVERY_S)

    async def keep(self, events: list[AlarmEvent]) -> None:
        """Show what became of the service's own alarms, and keep it: in the history and in their file."""
        self._unkept += events
        if self._unkept or self._service.operations.unsaved:
            self._service.live.put_alarms(self._service.operations.alarms())
            async with self._keeping:
                self._unkept = self._unkept[await asyncio.to_thread(self._keep, tuple(self._unkept)) :]

    def _keep(self, events: tuple[AlarmEvent, ...]) -> int:
        """How many of the events are kept: all, or none, and then they are tried again with the next look."""
        try:
            if events:
                self._service.history.add(Changes(alarms=events))
            self._service.operations.save()
        except (EnvironmentFailure, OSError) as failure:
            log.warning("operations.not_kept", cause=str(failure))
            return 0
        return len(events)

    def _thin(self) -> None:
        """Old minutes of the history become quarter hours, and what is older still goes, in short bites: the scorer
        writes in between. Not while the clock is in doubt: what is gone does not come back with the right time.
        """
        service = self._service
        if service.clock.jump is not None:
            return
        now, days = service.live.clock, service.settings
        try:
            while service.history.thin(now - int(days.history_days * DAY), delivered=service.delivers):
                pass
            if days.archive_days:
                before = now - int(max(days.archive_days, days.history_days) * DAY)
                while service.history.end(before, delivered=service.delivers):
                    pass
            service.quarantine.forget_retried(service.log.first)
        except EnvironmentFailure as failure:
            log.warning("history.not_thinned", cause=failure.cause)

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether readings can be taken in (connected, log writable), and the parts' states."""
        return self._service.intake.session.state.connected and self._intake_ok(), self._service.live.system()

    def _intake_ok(self) -> bool:
        return self._service.intake.state.failure is None and not self._service.intake.state.pressed

    def _tell(self) -> None:
        service = self._service
        now = time.time_ns() // 1_000_000
        self._put("intake", self._intake())
        writer = service.writer
        self._put(
            "store",
            {
                "name": service.store.name,
                "state": writer.state.condition,
                "late_s": round(writer.state.late_s(now)),
                "stored": writer.counts.stored,
                "text": writer.state.text(now),
            },
        )
        self._put("log", self._log())

    def _put(self, part: str, told: dict[str, Any]) -> None:
        self._service.live.put_system(part, self._service.standing.state(part, told))

    def _quarantine(self) -> dict[str, Any]:
        """Blocking: it waits for whoever writes there."""
        try:
            fill, reasons = self._service.quarantine.fill(), self._service.quarantine.reasons()
            self._missing = sum(self._service.quarantine.missing().values())
        except EnvironmentFailure as failure:
            return {"text": failure.cause}
        text = f"{sum(reasons.values())} messages"
        return {
            "rows": fill.rows,
            "share": fill.share,
            "reasons": reasons,
            "names_refused": fill.names_refused,
            "text": text,
        }

    def _intake(self) -> dict[str, Any]:
        session, intake = self._service.intake.session.state, self._service.intake.state
        text = session.text if intake.failure is None else f"the log cannot be written: {intake.failure.cause}"
        jump = self._service.clock.jump
        if jump is not None:
            text = jump.text
        if intake.pressed:
            slowest = self._service.log.cursors.slowest()
            text = f"reading is stopped: the log's quota is full of what `{slowest}` has not handled"
        return {
            "connected": session.connected,
            "since": session.since,
            "protocol": session.protocol,
            "messages": session.messages,
            "bytes": session.bytes,
            "unguaranteed": session.unguaranteed,
            "reconnects": session.reconnects,
            "takeover": session.takeover,
            "clock_jump_s": 0 if jump is None else jump.offset / 1000,
            "possible_losses": session.possible_losses,
            "losses": [asdict(loss) for loss in session.losses[-10:]],
            "missing": self._missing,
            "pressed": intake.pressed,
            "frames": intake.frames,
            "acknowledged": intake.acknowledged,
            "state": "ok" if session.connected and self._intake_ok() else "down",
            "text": "ok" if session.connected and self._intake_ok() and not (session.takeover or jump) else text,
        }

    def _log(self) -> dict[str, Any]:
        state, cursors = self._service.log.state(), self._service.log.cursors
        behind = {name: max(0, state.durable - cursors.get(name)) for name in ("store", "scores", "quarantine")}
        damages = [f"{state.damages} damaged places, the newest {state.damaged[-1]}"] if state.damages else []
        full = ["the disk is full, its reserve is in use"] if state.disk_full else []
        return {
            "bytes": state.bytes,
            "segments": state.segments,
            "pressure": round(state.pressure, 3),
            "disk_full": state.disk_full,
            "damages": state.damages,
            "damaged": [damage.to_json() for damage in state.damaged],
            "behind": behind,
            "slowest": state.slowest,
            "text": ", ".join([*full, *damages, *filter(None, [state.undeletable])]) or "ok",
        }
