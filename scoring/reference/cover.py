"""Semantics §3: joint coverage of the channels that a degree needs, while the line runs."""

from __future__ import annotations

from itertools import pairwise

from devices.plant.model import Kind, Plant
from devices.readings import Readings
from scoring.reference.counters import pairs
from scoring.reference.sums import invalid
from scoring.reference.winners import source, winners
from scoring.windows.sums import CoverageGroup

Interval = tuple[int, int]


def covered(plant: Plant, readings: Readings, index: int, above: int | None = None) -> list[Interval]:
    """Where a channel is covered and not estimated (and, if asked, its value above so many steps)."""
    channel, _ = source(plant, index)
    series = winners(plant, readings, index)
    if channel.kind is Kind.COUNTER:
        return [(p.start, p.end) for p in pairs(channel, series)[0] if not p.estimated]
    if channel.kind is Kind.AMOUNT:
        return [(w.ts - channel.period_ms, w.ts) for w in series if not w.outside]
    found = []
    for i, w in enumerate(series):
        until = w.ts + channel.max_gap_ms
        if i + 1 < len(series):
            until = min(until, series[i + 1].ts)
        if not invalid(w) and (above is None or w.value > above):
            found.append((w.ts, until))
    return found


def coverage(plant: Plant, readings: Readings, group: CoverageGroup, start: int, end: int) -> tuple[int, int]:
    """(ms covered by every channel of the group while the line runs, ms in which it runs) within (start, end]."""
    channels = [covered(plant, readings, c) for c in group.channels]
    running = [(start, end)] if group.running is None else covered(plant, readings, *group.running)
    times = {start, end} | {t for intervals in [*channels, running] for interval in intervals for t in interval}
    total = runs = 0
    for a, b in pairwise(sorted(t for t in times if start <= t <= end)):
        if _inside(running, a, b):
            runs += b - a
            if all(_inside(intervals, a, b) for intervals in channels):
                total += b - a
    return total, runs


def _inside(intervals: list[Interval], a: int, b: int) -> bool:
    return any(t0 <= a and b <= t1 for t0, t1 in intervals)
