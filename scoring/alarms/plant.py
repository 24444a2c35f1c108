"""`AlarmBook`: the alarms of the registry, fed with emissions and scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from devices.plant.model import AlarmRule, Plant
from scoring.alarms.book import Book, Entry, ordered
from scoring.alarms.machine import Machine, Side
from scoring.results import AlarmEvent, Breach, Emission, Score


class Observation(NamedTuple):
    """What an alarm sees."""

    value: float | None  # None where there is none
    judged: bool  # False where by design nobody judges now
    low: float | None = None  # the value's band; None where no uncertainty is declared
    high: float | None = None


def observation(shown: Score | Emission, rule: AlarmRule | None = None, now: int = 0) -> Observation:
    """What an alarm sees of a score or an emission: a scope that stands is not judged."""
    if rule is not None and rule.watch != "value" and isinstance(shown, Emission):
        value = shown.allowed_mean if rule.watch == "allowed_mean" else _minutes_left(shown, now)
        return Observation(value, shown.operation not in ("idle", "stopped"))
    return Observation(shown.value, shown.operation not in ("idle", "stopped"), shown.low, shown.high)


def _minutes_left(shown: Emission, now: int) -> float | None:
    """Until a breach is unavoidable; where none is coming the whole block, where there is no budget None."""
    if shown.unavoidable_at is not None:
        return (shown.unavoidable_at - now) / 60_000
    return None if shown.allowed_mean is None else float(shown.block_minutes)


class AlarmBook(Book):
    """One machine for each rule of the plant."""

    def __init__(self, plant: Plant) -> None:
        self._rules = plant.alarms
        self._rows = [_entry(rule) for rule in plant.alarms]
        super().__init__(self._rows)

    def observe(self, now: int, values: Mapping[int, Observation]) -> list[AlarmEvent]:
        """What the rules (rows of `Plant.alarms`) see from `now` on; a rule not named keeps what it saw.

        Trips at or above `at` held for the on-delay; clears below `at − deadband` held for the off-delay; a low
        alarm is the mirror. Returns what happened since the last call, in order of time.
        """
        now = self._at(now)
        events: list[AlarmEvent] = []
        for row, (rule, entry) in enumerate(zip(self._rules, self._rows, strict=True)):
            events += entry.told(entry.machine.elapse(now))  # with the value that was held until now
            if row not in values:
                continue
            value, judged, low, high = values[row]
            entry.missing = value is None or math.isnan(value)
            if value is not None and not entry.missing:
                entry.value = value
                entry.band = None if low is None or high is None else (low, high)
                entry.breach = breach_of(rule, value, entry.band)
            side = None if value is None or entry.missing else side_of(rule, value)
            events += entry.told(entry.machine.see(now, side, judged=judged))
        return ordered(events)


def side_of(rule: AlarmRule, value: float) -> Side:
    """Where a value stands against the limit and its deadband.

    Both are compared as doubles, each the nearest to what was meant: a value shown as 0.8 is at a limit of 0.8.
    """
    sign = -1 if rule.low else 1
    if sign * value >= sign * float(rule.at):
        return Side.OVER
    return Side.UNDER if sign * value < sign * float(rule.at - sign * rule.deadband) else Side.BETWEEN


def breach_of(rule: AlarmRule, value: float, band: tuple[float, float] | None) -> Breach:
    """Whether the value is over the limit, and then whether all of its band is."""
    if side_of(rule, value) is not Side.OVER:
        return "none"
    nearest = value if band is None else band[1] if rule.low else band[0]
    return "beyond" if side_of(rule, nearest) is Side.OVER else "within"


def _entry(rule: AlarmRule) -> Entry:
    watched = {"value": "", "allowed_mean": ", allowed mean,", "minutes_left": ", minutes left,"}[rule.watch]
    what = f"{rule.pollutant} {rule.average}{watched}" if rule.pollutant else f"{rule.degree} {rule.window}"
    where = "at or below" if rule.low else "at or above"
    return Entry(
        id=rule.id,
        scope=rule.scope,
        priority=rule.priority,
        text=f"{what} {where} {float(rule.at):g} {rule.unit}".rstrip(),
        limit=float(rule.at),
        unit=rule.unit,
        machine=Machine(rule.on_delay_ms, rule.off_delay_ms),
    )
