"""Weighed channels: each part of an amount times the laboratory values in force then.

A valid sample holds from its time to the next one's; an instant amount takes the sample of its own millisecond.
Older than its channel's max_gap, and before the first, the declared default holds and the part is marked; without
one the last sample goes on, and before the first there is no value: such an amount is marked as unvalued and adds 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Plant
from devices.plant.weighed import LIMB_BITS
from devices.readings import I64
from scoring.windows.buffer import search, valid
from scoring.windows.exact import MASK, carry
from scoring.windows.kept import ts_of, value_of
from scoring.windows.kernel import (
    AMOUNT,
    COLUMNS,
    COVERED,
    ESTIMATED,
    HIGH,
    LOW,
    SPIKES,
    allocating,
    inner,
)
from scoring.windows.walk import part

UNVALUED = ESTIMATED
"""In a weighed channel's column: parts of an amount for which there is no value."""
DOUBTFUL = SPIKES
"""... for which a default or an old sample was used."""
_DIGIT = (1 << LIMB_BITS) - 1
_FAR = 1 << 62


def lab_table(plant: Plant, channels: NDArray[np.void]) -> tuple[I64, I64]:
    """The laboratory values of all weighed channels (row of channel, plus, times, default) and which channels they
    weigh; the channels point into both.
    """
    labs: list[tuple[int, int, int, int]] = []
    weighs: list[int] = []
    weighed: dict[int, list[int]] = {}
    for channel in plant.channels:
        for laboratory in {one.channel for one in channel.labs}:
            weighed.setdefault(laboratory, []).append(channel.index)
    if not weighed:
        return np.zeros((0, 4), np.int64), np.zeros(0, np.int64)
    for row, channel in zip(channels, plant.channels, strict=True):
        row["labs"] = len(labs)
        labs += channel.labs
        row["labs_stop"] = len(labs)
        row["limb"] = channel.limb
        row["weighs"] = len(weighs)
        weighs += weighed.get(channel.index, [])
        row["weighs_stop"] = len(weighs)
    return np.asarray(labs, np.int64).reshape(-1, 4), np.asarray(weighs, np.int64)


@inner
def piece(entries: Any, channels: Any, labs: I64, ch: Any, start: int, end: int, acc: Any) -> None:
    """Add a channel's sum over (start, end] to the columns of `acc` (not carried), weighed if it is."""
    if start >= end or ch.count == 0:
        return
    if ch.labs == ch.labs_stop:
        part(entries, ch, start, end, acc)
    else:
        _weighed(entries, channels, labs, ch, start, end, acc)


@inner
def kept_from(channels: Any, labs: I64, ch: Any) -> int:
    """The time after which every reading that a channel's sums need is still kept."""
    floor = ch.floor
    for k in range(ch.labs, ch.labs_stop):
        floor = max(floor, channels[labs[k, 0]].floor)
    return int(floor)


@inner
def next_sample(entries: Any, ch: Any, t: int) -> int:
    """The time of a laboratory's first valid sample after the time t; far away for none."""
    i = search(entries, ch, t)
    while i < ch.count:
        if valid(entries, ch, i):
            return int(ts_of(entries, ch, i))
        i += 1
    return _FAR


@inner
def _in_force(entries: Any, ch: Any, labs: I64, k: int, t: int) -> tuple[int, bool, int]:
    """(factor at the time t, -1 for none; whether it is a fresh sample's; until when that is so)."""
    following = next_sample(entries, ch, t)
    i = search(entries, ch, t) - 1
    while i >= 0 and not valid(entries, ch, i):
        i -= 1
    if i < 0:
        return labs[k, 3], False, following
    factor = labs[k, 1] + labs[k, 2] * value_of(entries, ch, i)
    until = ts_of(entries, ch, i) + ch.gap
    if t < until:
        return factor, True, min(following, until)
    return (factor if labs[k, 3] < 0 else labs[k, 3]), False, following


@allocating
def _weighed(entries: Any, channels: Any, labs: I64, ch: Any, start: int, end: int, acc: Any) -> None:
    own = np.zeros(COLUMNS, np.int64)
    digits = np.zeros(ch.limb + 1, np.int64)
    early = 1 if ch.kind == AMOUNT and ch.period == 0 else 0
    t = start
    while t < end:
        until = end
        known = True
        fresh = True
        digits[:] = 0
        digits[0] = 1
        for k in range(ch.labs, ch.labs_stop):
            factor, sampled, changes = _in_force(entries, channels[labs[k, 0]], labs, k, t + early)
            until = min(until, changes - early)
            fresh = fresh and sampled
            known = known and factor >= 0
            over = 0
            for d in range(len(digits)):
                over += digits[d] * factor
                digits[d] = over & _DIGIT
                over >>= LIMB_BITS
        own[:] = 0
        part(entries, ch, t, until, own)
        carry(own)
        if own[HIGH] != 0 or own[LOW] != 0:
            if known:
                low = own[LOW] * digits[ch.limb]
                acc[HIGH] += own[HIGH] * digits[ch.limb] + (low >> 32)
                acc[LOW] += low & MASK
                acc[DOUBTFUL] += not fresh
            else:
                acc[UNVALUED] += 1
        acc[COVERED] += own[COVERED]
        t = until
