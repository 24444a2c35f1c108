"""Semantics §2: counters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from devices.plant.model import Channel
from scoring.reference.winners import Winner

Verdict = Literal["good", "reset", "bad rise"]


@dataclass(frozen=True)
class Pair:
    """Two readings that follow each other once the spikes are left out; the amount lies in (start, end]."""

    start: int
    end: int
    amount: int
    verdict: Verdict
    estimated: bool


def judge(channel: Channel, a: Winner, b: Winner) -> tuple[Verdict, int]:
    """What the pair is, and the steps it counts."""
    most = None if channel.rise_max is None else channel.rise_max * (b.ts - a.ts)
    rise = b.value - a.value
    if rise >= 0:
        return ("good", rise) if most is None or rise <= most else ("bad rise", 0)
    if channel.modulus is not None:
        wrapped = rise + channel.modulus
        if wrapped >= 0 and (most is None or wrapped <= most):
            return "good", wrapped
    lower_bound = b.value if b.value > 0 and (most is None or b.value <= most) else 0
    return "reset", lower_bound


def spikes(channel: Channel, series: list[Winner]) -> set[int]:
    """The times of the readings that are left out as spikes."""
    points: list[Winner] = []
    for _, run in groupby(series, key=lambda w: w.value):  # a run of equal values is its two ends
        ends = list(run)
        points += ends[:1] if len(ends) == 1 else [ends[0], ends[-1]]

    def good(a: Winner, b: Winner) -> bool:
        return judge(channel, a, b)[0] == "good"

    left_out = set()
    i = 1
    while i < len(points) - 1:  # interior points, left to right
        before, this, after = points[i - 1 : i + 2]
        if not (good(before, this) and good(this, after)) and good(before, after):
            left_out.add(this.ts)
            del points[i]
            i = max(1, i - 1)  # the scan resumes at its predecessor
        else:
            i += 1
    return left_out


def pairs(channel: Channel, series: list[Winner]) -> tuple[list[Pair], set[int]]:
    """The pairs that count, and the times of the spikes. Readings out of range are as if they were not."""
    series = [w for w in series if not w.outside]
    left_out = spikes(channel, series)
    staying: list[Winner] = []
    for _, run in groupby(series, key=lambda w: w.value):
        readings = list(run)
        ends = {readings[0].ts, readings[-1].ts}
        if ends & left_out:  # what lies inside the run goes with either end
            readings = [w for w in readings if w.ts in ends - left_out]
        staying += readings
    found = []
    for a, b in pairwise(staying):
        verdict, amount = judge(channel, a, b)
        found.append(Pair(a.ts, b.ts, amount, verdict, b.ts - a.ts > channel.max_gap_ms))
    return found, left_out
