"""What the alarm rules look at, once per second of the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from devices.plant.model import Plant
from scoring.alarms import AlarmBook, Observation, observation
from scoring.degrees import Degrees
from scoring.results import AlarmEvent, Emission, Score
from scoring.stacks import Stacks
from scoring.stamp import Stamp
from scoring.steps import step_of

ROLLING = "1min"
"""The emission average that is no block."""


_Rows = dict[tuple[str, str | None, str | None], list[int]]
"""(scope, pollutant, average) → rows of Plant.alarms"""


class Watch:
    """Feeds the alarm book with the emissions and scores that the plant's rules name."""

    def __init__(self, plant: Plant, degrees: Degrees, stacks: Stacks) -> None:
        self.book = AlarmBook(plant)
        self._plant, self._degrees, self._stacks = plant, degrees, stacks
        scopes = {s.id: s.index for s in plant.scopes}
        self._scores = [
            (row, scopes[rule.scope], plant.windows.index(rule.window), rule.degree)
            for row, rule in enumerate(plant.alarms)
            if rule.window is not None
        ]
        self._minutes: _Rows = {}
        self._blocks: _Rows = {}
        for row, r in enumerate(plant.alarms):
            if r.pollutant is not None:
                rows = self._minutes if r.average == ROLLING else self._blocks
                rows.setdefault((r.scope, r.pollutant, r.average), []).append(row)

    @property
    def idle(self) -> bool:
        """Whether there is no rule to look at."""
        return not self._plant.alarms

    def look(self, ts: int, stale: Callable[[int, str], bool]) -> list[AlarmEvent]:
        """What the rules see at the whole second `ts`."""
        seen: dict[int, Observation] = {}
        stamp = Stamp("live", 0, ts)
        if self._minutes:
            self._pick(self._stacks.minute(ts, stamp), self._minutes, seen, ts)
        if self._blocks:
            self._pick(self._stacks.blocks(ts, stamp), self._blocks, seen, ts)
        for row, scope, window, degree in self._scores:
            if ts % step_of(self._plant.window_ms[window]) == 0:
                scores: Sequence[Score] = self._degrees.scores(ts, [scope], [window], stamp, stale)
                seen[row] = observation(next(s for s in scores if s.degree == degree), self._plant.alarms[row], ts)
        return self.book.observe(ts, seen)

    def _pick(self, emissions: Sequence[Emission], rows: _Rows, seen: dict[int, Observation], ts: int) -> None:
        for emission in emissions:
            for row in rows.get((emission.scope, emission.pollutant, emission.average), ()):
                seen[row] = observation(emission, self._plant.alarms[row], ts)
