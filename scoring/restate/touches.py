"""From changed sums to touched spans: of which lines and stacks, and whose late readings changed them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from devices.plant.model import Kind, Plant
from devices.readings import I64, Readings
from scoring.restate.causes import Cause
from scoring.restate.past import Touched
from scoring.windows.rolling import Changed, Rolling
from scoring.windows.rules import root
from scoring.windows.sums import CoverageGroup


class _Late(NamedTuple):
    """What came late of one channel."""

    readings: int = 0
    corrections: int = 0
    by: int = 0  # ms, the latest of them
    was: int | None = None  # steps: what the one correction replaced, and by what
    now: int | None = None


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
        same: dict[frozenset[int], frozenset[int]] = {}  # a line's channels share theirs: a large plant has few
        self._lines = [same.setdefault(one := frozenset(x), one) for x in lines]
        self._stacks = [same.setdefault(one := frozenset(x), one) for x in stacks]
        self._late: dict[int, _Late] = {}  # by channel

    @property
    def any_late(self) -> bool:
        """Whether rows came late since `take`."""
        return bool(self._late)

    def note(self, readings: Readings, clocks: I64, marks: I64) -> None:
        """Rows came in, with the clock at each and the watermark of each one's place before them."""
        (rows,) = np.nonzero(readings.ts <= marks)
        if not len(rows):
            return
        rows = rows[np.argsort(readings.channel[rows], kind="stable")]
        channels, first, counts = np.unique(readings.channel[rows], return_index=True, return_counts=True)
        corrections = np.add.reduceat((readings.rev[rows] != 0).astype(np.int64), first)
        by = np.maximum.reduceat((clocks - readings.ts)[rows], first)
        each = zip(*(column.tolist() for column in (channels, rows[first], counts, corrections, by)), strict=True)
        for c, row, count, corrected, behind in each:
            before = self._late.get(c, _Late())
            found = _Late(before.readings + count, before.corrections + corrected, max(before.by, behind))
            if found.readings == found.corrections == 1:
                found = self._corrected(found, c, int(readings.ts[row]), int(readings.value[row]))
            self._late[c] = found

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
            low, high = int(changed.joint_low[g]), int(changed.joint_high[g])
            why = tuple(self._cause(c, low, high, told_to - low) for c in late)
            lost.append(Touched(low, high, frozenset((group.line,)), frozenset(), why))
        self._late.clear()
        return [s for s in found if s.lines or s.stacks], lost

    def snapshot(self) -> list[Any]:
        """Plain JSON."""
        return [[c, *late] for c, late in sorted(self._late.items())]

    def restore(self, state: list[Any]) -> None:
        """Go on from `snapshot`."""
        self._late = {c: _Late(*late) for c, *late in state}

    def _span(self, c: int, low: int, high: int, told_to: int) -> Touched:
        return Touched(low, high, self._lines[c], self._stacks[c], (self._cause(c, low, high, told_to - low),))

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
        return Touched(start, end, self._lines[c], self._stacks[c], (self._cause(c, start, end, 0),), counters)

    def _corrected(self, late: _Late, c: int, ts: int, value: int) -> _Late:
        """With what the correction replaces, where that is still kept."""
        known = self._rolling.readings(c, ts, ts + 1)
        return late._replace(was=known[0].value, now=value) if known else late

    def _cause(self, c: int, low: int, high: int, back: int) -> Cause:
        """Why the channel's sums changed in [low, high]: its own readings, its source's or its laboratories'."""
        behind = [self._roots[c], *(one.channel for one in self._plant.channels[c].labs)]
        source = next((row for row in behind if row in self._late), behind[0])
        late = self._late.get(source, _Late(by=back))
        return Cause(c, source, low - 1, max(low, high), *late)
