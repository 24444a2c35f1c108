"""From changed sums to touched spans: of which lines and stacks, and why, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from devices.durations import DAY, HOUR, MINUTE, SECOND
from devices.plant.model import Kind, Plant
from devices.readings import I64, Readings
from scoring.restate.past import Touched, shortened
from scoring.windows.rolling import Changed, Rolling
from scoring.windows.rules import root
from scoring.windows.sums import CoverageGroup


class Touches:
    """Remembers which channels' readings came late, until it is asked what they changed."""

    def __init__(self, plant: Plant, rolling: Rolling, groups: tuple[CoverageGroup, ...]) -> None:
        self._plant, self._rolling, self._groups = plant, rolling, groups
        self._roots = [root(plant, c.index)[0] for c in plant.channels]
        lines: list[set[int]] = [set() for _ in plant.channels]
        stacks: list[set[int]] = [set() for _ in plant.channels]
        for c in plant.channels:
            meter = plant.meters[c.meter]
            if meter.line is not None:
                for channel in (c.index, *(one.channel for one in c.labs)):
                    lines[channel].add(meter.line)
        for line in plant.lines:
            if line.running:
                lines[line.running.channel].add(line.index)
        for stack in plant.stacks:
            running = [plant.lines[i].running for i in stack.lines]
            own = [c for m in stack.meters for c in plant.meters[m].channels]
            for channel in [*own, *(r.channel for r in running if r)]:
                stacks[channel].add(stack.index)
        self._labs = {one.channel for c in plant.channels for one in c.labs}
        self._lines = [frozenset(x) for x in lines]
        self._stacks = [frozenset(x) for x in stacks]
        self._late: dict[int, tuple[int, int, int]] = {}  # channel → (readings, corrections of them, latest by ms)

    def note(self, readings: Readings, clocks: I64, marks: I64) -> None:
        """Rows came in, with the clock at each and the watermark of each one's place before them."""
        late = readings.ts <= marks
        if not late.any():
            return
        by = clocks - readings.ts
        for c in np.unique(readings.channel[late]).tolist():
            rows = late & (readings.channel == c)
            n, corrections, most = self._late.get(c, (0, 0, 0))
            corrected = int(np.count_nonzero(readings.rev[rows]))
            self._late[c] = n + int(np.count_nonzero(rows)), corrections + corrected, max(most, int(by[rows].max()))

    def take(self, changed: Changed, known: int, told_to: int) -> tuple[list[Touched], list[Touched]]:
        """What changed up to `known`, the watermark when they were asked before; it is at `told_to` now.

        Where the sums are right, and where only the past can make them right.
        """
        sure = np.flatnonzero((changed.low <= known) & (changed.low <= changed.high))
        found = [self._span(c, int(changed.low[c]), int(changed.high[c]), told_to) for c in sure.tolist()]
        gone = np.flatnonzero(changed.lost_low <= changed.lost_high)
        lost = [self._lost(c, int(changed.lost_low[c]), int(changed.lost_high[c])) for c in gone.tolist()]
        for g in np.flatnonzero((changed.joint_low <= changed.joint_high) & (changed.joint_low <= known)).tolist():
            group = self._groups[g]
            late = [c for c in group.channels if self._roots[c] in self._late] or list(group.channels[:1])
            why = shortened([self._why(c, told_to - int(changed.joint_low[g])) for c in late])
            lines = frozenset((group.line,))
            lost.append(Touched(int(changed.joint_low[g]), int(changed.joint_high[g]), lines, frozenset(), why))
        self._late.clear()
        return [s for s in found if s.lines or s.stacks], lost

    def snapshot(self) -> list[Any]:
        """Plain JSON."""
        return [[c, *late] for c, late in sorted(self._late.items())]

    def restore(self, state: list[Any]) -> None:
        """Go on from `snapshot`."""
        self._late = {c: (n, corrections, most) for c, n, corrections, most in state}

    def _span(self, c: int, low: int, high: int, told_to: int) -> Touched:
        return Touched(low, high, self._lines[c], self._stacks[c], self._why(c, told_to - low))

    def _lost(self, c: int, low: int, high: int) -> Touched:
        """A reading between others that are not kept any more: its reach is estimated to the safe side."""
        own = self._plant.channels[self._roots[c]]
        counters: frozenset[int] = frozenset()
        end = high
        if own.kind is Kind.COUNTER:
            end = max(high, self._rolling.kept_after(c, high) or high)
            counters = frozenset((c,))
        elif own.index in self._labs:
            end = max(high, self._rolling.kept_after(c, high) or high + own.max_gap_ms)
        elif own.kind is not Kind.AMOUNT:
            end = min(high + own.max_gap_ms, max(high, self._rolling.kept_after(c, high) or high + own.max_gap_ms))
        start = low - (own.period_ms if own.kind is Kind.AMOUNT else 0)
        return Touched(start, end, self._lines[c], self._stacks[c], self._why(c, 0), counters)

    def _why(self, c: int, back: int) -> str:
        behind = [self._roots[c], *(one.channel for one in self._plant.channels[c].labs)]
        source = self._plant.channels[next((row for row in behind if row in self._late), behind[0])]
        name = f"{self._plant.meters[source.meter].name}.{source.name}"
        if source.index not in self._late:
            return f"{name} was read again only now and counts {about(back)} back"
        n, corrections, most = self._late[source.index]
        what = f"{n} readings" if n > 1 else "a correction" if corrections else "a reading"
        if corrections and n > 1:
            what = f"{n} readings ({corrections} of them corrections)"
        return f"{what} of {name} came {'up to ' if n > 1 else ''}{about(most)} late"


def about(ms: int) -> str:
    """A length of time for people."""
    for unit, size, least in (("d", DAY, 2 * DAY), ("h", HOUR, 2 * HOUR), ("min", MINUTE, 2 * MINUTE)):
        if ms >= least:
            return f"{round(ms / size, 1):g} {unit}"
    return f"{round(max(ms, 0) / SECOND):g} s"
