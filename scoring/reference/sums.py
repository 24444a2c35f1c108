"""Semantics §2: a reading is an interval. The sum of every channel over one span."""

from __future__ import annotations

from dataclasses import dataclass

from devices.plant.model import Kind, Plant
from devices.readings import Readings
from scoring.reference.counters import pairs
from scoring.reference.winners import Winner, source, winners


@dataclass
class Sum:
    """One channel over (start, end]: steps (of rates and levels steps × ms), ms, and numbers of readings."""

    total: int = 0
    covered: int = 0
    estimated: int = 0
    spikes: int = 0
    resets: int = 0
    bad_rises: int = 0
    out_of_range: int = 0
    letters: int = 0
    conflicts: int = 0


def span(plant: Plant, readings: Readings, start: int, end: int) -> list[Sum]:
    """The sums of every channel over (start, end], one per `plant.channels`."""
    return [_channel(plant, readings, c, start, end) for c in range(len(plant.channels))]


def invalid(winner: Winner) -> bool:
    """Whether a level or rate says nothing valid from here to its next reading."""
    return winner.outside or winner.flagged


def part(amount: int, t0: int, t1: int, start: int, end: int) -> int:
    """What of an amount spread over (t0, t1] lies in (start, end]: the difference of two floored cumulatives."""

    def until(t: int) -> int:
        return amount * (min(max(t, t0), t1) - t0) // (t1 - t0)

    return until(end) - until(start)


def overlap(t0: int, t1: int, start: int, end: int) -> int:
    """Milliseconds that (t0, t1] and (start, end] share."""
    return max(0, min(t1, end) - max(t0, start))


def _channel(plant: Plant, readings: Readings, index: int, start: int, end: int) -> Sum:
    channel, _ = source(plant, index)
    series = winners(plant, readings, index)
    found = Sum()
    for w in series:
        if start < w.ts <= end:
            found.out_of_range += w.outside
            found.letters += w.flagged
            found.conflicts += w.losers

    if channel.kind is Kind.COUNTER:
        counted, left_out = pairs(channel, series)
        found.spikes = sum(start < ts <= end for ts in left_out)
        for pair in counted:
            found.total += part(pair.amount, pair.start, pair.end, start, end)
            shared = overlap(pair.start, pair.end, start, end)
            found.covered += shared
            found.estimated += shared * pair.estimated
            if start < pair.end <= end:
                found.resets += pair.verdict == "reset"
                found.bad_rises += pair.verdict == "bad rise"

    elif channel.kind is Kind.AMOUNT:
        before = None
        for w in series:
            if w.outside:
                continue
            begins = w.ts - channel.period_ms
            if channel.period_ms:
                found.total += part(w.value, begins, w.ts, start, end)
                found.covered += overlap(begins if before is None else max(begins, before), w.ts, start, end)
            elif start < w.ts <= end:
                found.total += w.value
            before = w.ts

    else:
        for i, w in enumerate(series):
            until = w.ts + channel.max_gap_ms
            if i + 1 < len(series):
                until = min(until, series[i + 1].ts)
            if not invalid(w):
                shared = overlap(w.ts, until, start, end)
                found.total += w.value * shared
                found.covered += shared
    return found
