"""What the kernels need to know of each channel, as arrays."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Channel, Kind, Plant
from scoring.windows.kernel import HOUR

DAY = 24 * HOUR
SLACK = 26 * HOUR
"""Closing steps may lag this far behind the newest reading: a day fed at once, and two hours."""
LATE = 2 * HOUR
"""Beyond grace, readings are kept at least this long, so that a late one is still merged exactly."""
KEPT = 8192
"""... and at least this many readings of a line's fastest meter, up to the horizon of the minute cells."""

I64 = NDArray[np.int64]


class Rules(NamedTuple):
    """One row per channel. A derived channel follows the rules of the channel it comes from."""

    kind: I64  # devices.plant.model.Kind
    gap: I64  # max_gap, ms
    period: I64  # amounts: ms, 0 for an instant
    modulus: I64  # counters: steps, 0 for none
    rise_num: I64  # counters: rise_max as a fraction of steps per ms; -1 for none
    rise_den: I64
    keep: I64  # a reading this much older than the channel's newest comes too late, ms
    heirs: I64  # derived channels of channel c are heir[heirs[c]:heirs[c + 1]],
    heir: I64
    delay: I64  # each of them this much later than its source, ms


def rules(plant: Plant) -> Rules:
    """The rules of a plant's channels."""
    channels = plant.channels
    root = [_root(plant, c.index) for c in channels]
    own = [channels[r] for r, _ in root]
    keep = _keep(plant)
    heirs = [[d for d, (r, _) in enumerate(root) if r == c and d != c] for c in range(len(channels))]
    rise = [_rise(c.rise_max) for c in own]
    return Rules(
        kind=_column([int(c.kind) for c in own]),
        gap=_column([c.max_gap_ms for c in own]),
        period=_column([c.period_ms if c.kind is Kind.AMOUNT else 0 for c in own]),
        modulus=_column([c.modulus or 0 for c in own]),
        rise_num=_column([num for num, _ in rise]),
        rise_den=_column([den for _, den in rise]),
        keep=_column([keep[c.meter] for c in own]),
        heirs=_column([0, *np.cumsum([len(h) for h in heirs])]),
        heir=_column([d for h in heirs for d in h]),
        delay=_column([delay for _, delay in root]),
    )


def minute_horizon(plant: Plant) -> int:
    """How far back whole minutes are kept: the longest window that steps by the minute (or a stack's day), grace, slack; ms."""
    longest = max([w for w in plant.window_ms if w <= DAY], default=0)
    if plant.stacks:
        longest = max(longest, DAY + HOUR)  # a local day has up to 25 h
    return longest + plant.intake.grace_ms + SLACK


def hour_horizon(plant: Plant) -> int:
    """How far back whole hours are kept: the longest window, grace, slack; ms."""
    return max(minute_horizon(plant), max(plant.window_ms, default=0) + plant.intake.grace_ms + SLACK)


def _keep(plant: Plant) -> list[int]:
    """How long each meter's readings are kept: one span for all meters of a line, so that they can be compared."""
    horizon = minute_horizon(plant)
    fastest: dict[tuple[int | None, int | None], int] = {}
    for meter in plant.meters:
        place = (meter.line, meter.stack)
        every = min([plant.channels[c].every_ms for c in meter.channels], default=meter.every_ms)
        fastest[place] = min(fastest.get(place, every), every)
    least = plant.intake.grace_ms + LATE
    return [max(least, min(horizon, KEPT * fastest[m.line, m.stack])) for m in plant.meters]


def _root(plant: Plant, index: int) -> tuple[int, int]:
    """The measured channel behind a channel, and the delay on the way."""
    delay = 0
    channel: Channel = plant.channels[index]
    while channel.source is not None:
        delay += channel.delay_ms
        channel = plant.channels[channel.source]
    return channel.index, delay


def _rise(rise_max: Fraction | None) -> tuple[int, int]:
    if rise_max is None:
        return -1, 1
    if rise_max.denominator >= 1 << 62:  # no decimal of a registry is this fine; the kernels hold 62 bits
        rise_max = rise_max.limit_denominator(1 << 40)
    return min(rise_max.numerator, (1 << 62) - 1), rise_max.denominator


def _column(values: list[int]) -> I64:
    return np.asarray(values, np.int64)
