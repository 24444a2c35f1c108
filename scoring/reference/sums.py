"""Semantics §2: a reading is an interval. The sum of every channel over one span."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

from devices.plant.model import Channel, Kind, Plant
from devices.plant.values import Lab
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
    if plant.channels[index].labs:
        return weighed(plant, readings, plant.channels[index], start, end)
    return amount(plant, readings, index, start, end)


def weighed(plant: Plant, readings: Readings, channel: Channel, start: int, end: int) -> Sum:
    """Each part of the amount times the laboratory values in force then; this channel's digit of it."""
    labs = [(one, samples(plant, readings, one.channel)) for one in channel.labs]
    instant = channel.kind is Kind.AMOUNT and not channel.period_ms
    times = {t for one, known in labs for ts, _ in known for t in (ts, ts + plant.channels[one.channel].max_gap_ms)}
    cuts = sorted({start, end} | {t - instant for t in times if start < t - instant < end})
    found = Sum()
    for a, b in pairwise(cuts):
        own = amount(plant, readings, channel.index, a, b)
        factors = [in_force(plant, one, known, a + instant) for one, known in labs]
        found.covered += own.covered
        if own.total and min(factor for factor, _ in factors) < 0:
            found.estimated += 1
        elif own.total:
            product = prod(factor for factor, _ in factors)
            found.total += own.total * (product >> 28 * channel.limb & 0xFFFFFFF)
            found.spikes += not all(fresh for _, fresh in factors)
    return found


def samples(plant: Plant, readings: Readings, index: int) -> list[tuple[int, int]]:
    """A laboratory's valid samples: (ts, count)."""
    return [(w.ts, w.value) for w in winners(plant, readings, index) if not invalid(w)]


def in_force(plant: Plant, lab: Lab, known: list[tuple[int, int]], t: int) -> tuple[int, bool]:
    """(factor at the time t, -1 for none; whether it is a fresh sample's)."""
    before = [(ts, value) for ts, value in known if ts <= t]
    if not before:
        return lab.default, False
    ts, value = before[-1]
    fresh = t < ts + plant.channels[lab.channel].max_gap_ms
    return (lab.plus + lab.times * value if fresh or lab.default < 0 else lab.default), fresh


def amount(plant: Plant, readings: Readings, index: int, start: int, end: int) -> Sum:
    """One channel's own sum."""
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
