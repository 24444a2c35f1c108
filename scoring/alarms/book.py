"""A set of alarms: who they are, their machines, operators' commands, snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from scoring.alarms.machine import Machine, Step
from scoring.results import Alarm, AlarmEvent, Breach

Priority = Literal["low", "medium", "high", "critical"]
Key = tuple[str, str]
"""(scope, id)"""


@dataclass(slots=True)
class Entry:
    """One alarm: what it is called and where it stands."""

    id: str
    scope: str
    priority: Priority
    text: str  # what it means
    limit: float | None
    unit: str
    machine: Machine
    value: float | None = None  # the last one known
    missing: bool = False  # there is no value now
    breach: Breach | None = None  # of the value: over the limit, within or beyond what its meters may be off by
    band: tuple[float, float] | None = None  # None: no uncertainty is declared
    user: str | None = None  # of the last command on this occurrence
    comment: str | None = None
    kept: list[AlarmEvent] = field(default_factory=list)  # timers that fired in a refused command: told with the next

    @property
    def key(self) -> Key:
        """Scope and id."""
        return self.scope, self.id

    def alarm(self) -> Alarm:
        """The alarm object."""
        m = self.machine
        notes = [self.text]
        if m.state == "suppressed":
            notes.append("not judged while its scope stands or its value is invalid by design")
        elif self.missing:
            notes.append("no value now: the state is held")
        elif self.band is not None and self.breach in ("within", "beyond"):
            notes.append(f"{self.breach} uncertainty: {self.band[0]:.4g} to {self.band[1]:.4g}")
        return Alarm(
            id=self.id,
            scope=self.scope,
            priority=self.priority,
            state=m.state,
            value=self.value,
            limit=self.limit,
            unit=self.unit,
            since=m.since,
            user=self.user,
            comment=self.comment,
            shelved_until=m.shelved_until,
            text="; ".join(notes),
            breach=self.breach,
        )

    def told(self, steps: Iterable[Step]) -> list[AlarmEvent]:
        """Steps as events. A new occurrence, and a shelving that ended, carry nobody's name any more."""
        events, self.kept = self.kept, []
        for step in steps:
            if step.event in ("trip", "unshelve"):
                self.user = self.comment = None
            events.append(self.event(step))
        return events

    def event(self, step: Step) -> AlarmEvent:
        """One step, with the alarm as it was right after it."""
        shown = replace(self.alarm(), state=step.state, since=step.since, shelved_until=step.shelved_until)
        return AlarmEvent(step.at, step.event, shown)


class Book:
    """Alarms by scope and id. Time is what the caller says it is, and never goes back."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: dict[Key, Entry] = {e.key: e for e in entries}
        self._now = 0

    def alarms(self) -> list[Alarm]:
        """Every alarm's present state, in the order of the registry."""
        return [e.alarm() for e in self._entries.values()]

    def tick(self, now: int) -> list[AlarmEvent]:
        """Time passed: the timers that are due fire, in order of time."""
        now = self._at(now)
        return ordered(event for e in self._entries.values() for event in e.told(e.machine.elapse(now)))

    def command(
        self, now: int, scope: str, id_: str, do: str, user: str, comment: str = "", for_ms: int = 0
    ) -> list[AlarmEvent]:
        """An operator's word: acknowledge, shelve (`for_ms`, with a reason), unshelve, out-of-service, in-service.

        ValueError with a sentence for people if there is no such alarm, or it does not fit its state.
        """
        entry = self._entries.get((scope, id_))
        if entry is None:
            raise ValueError(f"there is no alarm {id_} on {scope}")
        now = self._at(now)
        entry.kept = entry.told(entry.machine.elapse(now))
        step = _obey(entry.machine, now, do, user, comment, for_ms)
        entry.user, entry.comment = user, comment or None
        events, entry.kept = entry.kept, []
        return [*events, entry.event(step)]

    def snapshot(self) -> dict[str, Any]:
        """Plain JSON."""
        alarms = [
            {
                "id": e.id,
                "scope": e.scope,
                "priority": e.priority,
                "text": e.text,
                "unit": e.unit,
                "limit": e.limit,
                "value": e.value,
                "missing": e.missing,
                "breach": e.breach,
                "band": e.band,
                "user": e.user,
                "comment": e.comment,
                "machine": e.machine.to_json(),
            }
            for e in self._entries.values()
        ]
        return {"now": self._now, "alarms": alarms}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `snapshot`: nothing fires again, nothing is forgotten. Alarms that are no longer known go."""
        self._now = state["now"]
        for told in state["alarms"]:
            entry = self._known(told)
            if entry is None:
                continue
            delays = entry.machine.on_delay_ms, entry.machine.off_delay_ms  # the registry's, which may have changed
            entry.machine = Machine(**told["machine"])
            entry.machine.on_delay_ms, entry.machine.off_delay_ms = delays
            entry.value, entry.missing = told["value"], told["missing"]
            band = told.get("band")  # a program of before uncertainties had neither
            entry.breach, entry.band = told.get("breach"), tuple(band) if band else None
            entry.user, entry.comment = told["user"], told["comment"]

    def _known(self, told: dict[str, Any]) -> Entry | None:
        return self._entries.get((told["scope"], told["id"]))

    def _at(self, now: int) -> int:
        self._now = max(self._now, now)
        return self._now


def _obey(machine: Machine, now: int, do: str, user: str, comment: str, for_ms: int) -> Step:
    if not user:
        raise ValueError("say who you are: a command on an alarm carries a name")
    if do == "shelve" and not comment:
        raise ValueError("say why: shelving an alarm needs a reason")
    match do:
        case "acknowledge":
            return machine.acknowledge(now)
        case "shelve":
            return machine.shelve(now, for_ms)
        case "unshelve":
            return machine.unshelve(now)
        case "out-of-service":
            return machine.take_out(now)
        case "in-service":
            return machine.put_back(now)
    raise ValueError(f"`{do}` is no command: acknowledge, shelve, unshelve, out-of-service or in-service")


def ordered(events: Iterable[AlarmEvent]) -> list[AlarmEvent]:
    """By time; at one instant in the order of the registry."""
    return sorted(events, key=lambda e: e.ts)
