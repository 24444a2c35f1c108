"""`Operations`: the service's own alarms, from the states of its parts, once a second (docs/alarms.md).

They are not in the log, for they are about what the log cannot know: so they are kept in a small file of their own, and
a restart neither fires them again nor forgets them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from devices.durations import MINUTE
from devices.errors import ConfigurationError
from devices.plant.model import Plant
from greengauge.standing import in_words
from ingest.session.state import Loss, SessionState
from ingest.whole_file import write_whole
from scoring.alarms.book import Priority
from scoring.alarms.operational import OperationalBook
from scoring.results import Alarm, AlarmEvent

if TYPE_CHECKING:
    from greengauge.service import Service

log = structlog.get_logger()

SCOPE = "service"
FILLING = 0.8
"""Share of the log's quota from which on somebody should look."""
SILENT = "meters-silent"
"""The one alarm that stands on a place of the plant, not on the service."""
REFUSED = "scores-refused"
NAMED = 5
"""Silent meters of one place that an alarm names."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now."""

    id: str
    text: str
    priority: Priority
    scope: str = SCOPE
    after_ms: int = 0  # it must stay this long


def silent_places(plant: Plant) -> set[str]:
    """The lines and stacks that can have silent meters."""
    return {f"line:{line.id}" for line in plant.lines} | {f"stack:{stack.id}" for stack in plant.stacks}


class Operations:
    """The book of these alarms, its file, and who is told."""

    def __init__(self, path: Path, places: Collection[str] | None = None, session: SessionState | None = None) -> None:
        """`places`: those of the plant; a kept alarm of one that left the registry is forgotten. None: all are kept.
        `session` is given back the possible losses of earlier processes.
        """
        self._path, self._places, self._session = path, places, session
        self._book = OperationalBook()
        self._losses = 0  # possible losses already told
        self._counted: dict[str, int] = {}  # what else happened, as far as it is told
        self.unsaved = False
        """Whether the file lacks something that happened."""
        self._restore()

    def alarms(self) -> list[Alarm]:
        """Every alarm that was ever raised, as it stands."""
        return self._book.alarms()

    def knows(self, scope: str, id_: str) -> bool:
        """Whether it is one of these."""
        return any((a.scope, a.id) == (scope, id_) for a in self._book.alarms())

    def look(self, service: Service, now: int) -> list[AlarmEvent]:
        """What the parts' states mean at `now` (ms): trips and clears since the last look."""
        present = {(t.scope, t.id): t for t in [*_lasting(service), *self._passing(service)]}
        events: list[AlarmEvent] = []
        for trouble in present.values():
            events += self._book.raise_(
                now, trouble.id, trouble.scope, trouble.text, trouble.priority, on_delay_ms=trouble.after_ms
            )
        held = _unknown_now(service)
        for alarm in self._book.alarms():
            if (alarm.scope, alarm.id) not in present and alarm.id not in held:
                events += self._book.clear(now, alarm.id, alarm.scope)
        return events + self._book.tick(now)

    def command(self, now: int, asked: dict[str, Any]) -> list[AlarmEvent]:
        """An operator's word on one of them. ConfigurationError if it does not fit its state."""
        scope, id_ = asked["scope"], asked["id"]
        try:
            return self._book.command(
                now, scope, id_, asked["do"], asked["user"], asked.get("comment", ""), asked.get("for_ms", 0)
            )
        except ValueError as refusal:
            raise ConfigurationError(
                str(refusal), where=f"alarm {scope}/{id_}", mend="look at the alarm's present state"
            ) from None

    def save(self) -> None:
        """Make the present state durable. OSError where the disk refuses."""
        kept = self._book.snapshot()
        if self._session is not None:
            kept["possible_losses"] = self._session.possible_losses
            kept["losses"] = [asdict(loss) for loss in self._session.losses]
        kept["counted"] = self._counted
        self.unsaved = False
        try:
            write_whole(self._path, json.dumps(kept).encode())
        except OSError:
            self.unsaved = True
            raise

    def _restore(self) -> None:
        try:
            kept = json.loads(self._path.read_bytes())
            if self._places is not None:
                kept["alarms"] = [a for a in kept["alarms"] if a["scope"] in (SCOPE, *self._places)]
            self._book.restore(kept)
            self._counted = {str(what): int(count) for what, count in kept.get("counted", {}).items()}
            if self._session is not None:
                self._session.losses[:] = [Loss(**loss) for loss in kept.get("losses", ())]
                self._session.possible_losses = self._losses = int(kept.get("possible_losses", 0))
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError, OSError) as error:
            log.warning("operations.not_restored", where=str(self._path), cause=str(error), mend="they begin anew")

    def _passing(self, service: Service) -> Iterator[Trouble]:
        """A possible loss happens and is over: it stays to be acknowledged."""
        session = service.intake.session.state
        if session.losses and session.possible_losses > self._losses:
            self._losses, self.unsaved = session.possible_losses, True
            loss = session.losses[-1]
            since = _time(loss.start) if loss.start else "the beginning"
            text = f"readings published from {since} to {_time(loss.end)} may be lost: {loss.cause.replace('-', ' ')}"
            yield Trouble("possible-loss", text, "high")
        outputs = service.live.system().get("store outputs", {})
        if "refused" in outputs and self._more(REFUSED, sum(outputs["refused"].values())):
            yield Trouble(REFUSED, f"scores that the store will never take: {_counted(outputs['refused'])}", "high")
        quarantine = service.live.system().get("quarantine", {})
        if "reasons" not in quarantine:  # it cannot be read now: nothing has become less
            return
        reasons = quarantine["reasons"]
        if self._more("identity", reasons.get("identity", 0)):
            text = f"{reasons['identity']} messages under a false name so far: see `quarantine list` (security event)"
            yield Trouble("identity", text, "high")
        if self._more("internal", reasons.get("internal", 0)):
            text = f"a mistake in greengauge keeps out {reasons['internal']} messages: see `quarantine list`"
            yield Trouble("internal", text, "high")
        if self._more("names-refused", quarantine.get("names_refused", 0)):
            text = "more new names of meters and channels than can be kept: see `quarantine list` and the broker's ACL"
            yield Trouble("names-refused", text, "medium")

    def _more(self, what: str, count: int) -> bool:
        """Whether there are more of them than when it was last looked; one alarm however many come."""
        before, self._counted[what] = self._counted.get(what, 0), count
        self.unsaved = self.unsaved or count != before
        return count > before


def _lasting(service: Service) -> Iterator[Trouble]:
    """What is wrong as long as it is."""
    intake, session = service.intake.state, service.intake.session.state
    if session.takeover:
        yield Trouble("takeover", f"another client seems to use our client id: {session.mend}", "critical")
    elif not session.connected:
        yield Trouble("broker-down", f"no broker: {session.cause}", "high", after_ms=MINUTE)
    if intake.failure is not None:
        yield Trouble("log-not-writable", f"nothing can be made durable: {intake.failure.cause}", "critical")
    elif intake.pressed:
        yield Trouble("log-full", f"reading is stopped: the log's quota is full; {_waiting(service)}", "critical")
    elif service.log.pressure() >= FILLING:
        share = f"{service.log.pressure():.0%}"
        yield Trouble("log-filling", f"the log is filling: {share} of its quota; {_waiting(service)}", "high")
    state = service.log.state()
    if state.damages:
        newest = f"the newest {state.damaged[-1]}"
        yield Trouble("log-damaged", f"{state.damages} damaged places in the log, {newest} (`verify` has all)", "high")
    if state.disk_full:
        text = "the log's disk is full; its reserve is given to the store, free space and readings are taken in again"
        yield Trouble("disk-full", text, "critical")
    if state.undeletable:
        yield Trouble("log-undeletable", f"{state.undeletable}: the log grows", "medium")
    if service.writer.state.condition != "ok":
        words = service.writer.state.words
        if service.writer.state.condition == "paused":  # a person is needed, so at once
            yield Trouble("store-paused", f"the store waits for somebody: {words}", "high")
        else:
            yield Trouble("store-down", f"store down: {words}", "high", after_ms=MINUTE)
    if service.clock.jump is not None:
        yield Trouble("clock-jump", service.clock.jump.text, "high")
    if service.live.system().get("quarantine", {}).get("share", 0) >= 1:
        yield Trouble("quarantine-full", "the quarantine is full: of what comes now only the reason is kept", "medium")
    if service.quarantining.failure is not None:
        yield Trouble("quarantine-not-writable", service.quarantining.failure.cause, "high", after_ms=MINUTE)
    for what, cause in service.scorer.troubles.items():
        yield Trouble(f"{what}-not-writable", cause, "high", after_ms=MINUTE)
    for part, cause in service.standing.stopped.items():
        yield Trouble(f"{part.replace(' ', '-')}-stopped", f"{part} stands: {in_words(cause)}", "critical")
    yield from _silent(service)


def _waiting(service: Service) -> str:
    return f"it waits for `{service.log.cursors.slowest()}`"


def _silent(service: Service) -> Iterator[Trouble]:
    """One alarm a line or stack, however many of its meters are silent."""
    if service.plant.intake.history or _unknown_now(service):
        return
    silent: dict[str, list[tuple[str, int | None]]] = {}
    for name, state in sorted(service.live.meters().items()):
        if state["silent"]:
            silent.setdefault(state["scope"], []).append((name, state["last"]))
    for scope, meters in silent.items():
        yield Trouble(SILENT, _named(meters), "low", scope=scope, after_ms=MINUTE)


def _unknown_now(service: Service) -> frozenset[str]:
    """Alarms neither raised nor cleared now: without a broker, or while the past is filled in, all is silent."""
    known = service.intake.session.state.connected and service.scorer.filled.is_set()
    return frozenset() if known else frozenset({SILENT})


def _counted(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))


def _named(meters: Iterable[tuple[str, int | None]]) -> str:
    told = [f"{name} {'never heard' if last is None else 'silent since ' + _time(last)}" for name, last in meters]
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + more


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
