"""What the kernels need to know of each channel, from the plant."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from devices.plant.flags import LETTERS
from devices.plant.model import Channel, Kind, Plant
from scoring.windows.kernel import HOUR, MINUTE
from scoring.windows.records import CHANNEL, NONE

DAY = 24 * HOUR
SLACK = HOUR
"""Closing steps lag this far behind the newest reading and grace: rows move the clock by an hour at most before."""
LONGEST_SLACK = 26 * HOUR
"""... and this far where they are held up: a day fed at once, a line whose clock is slow. Minutes grow by it."""
LATE = 65 * MINUTE
"""Readings are kept at least this long: open windows up to an hour are cut between minutes. Closed ones are cut at
minutes, of which cells are kept. What comes later is restated by reading the past (scoring.restate)."""
MARGIN = 5 * MINUTE
"""... and so much longer than what comes within grace: the reading before it counts too."""
KEPT = 128
"""... and at least this many readings of a line's fastest meter, up to the horizon of the minute cells."""

I64 = NDArray[np.int64]


def channel_table(plant: Plant, lag_ms: int = 0, *, moments: bool = False) -> tuple[NDArray[np.void], I64]:
    """One `CHANNEL` record per channel, nothing read yet; and the targets that they point into.

    Where `moments` between minutes are told once they are final, readings are kept as much longer as closing may lag.
    """
    table = np.zeros(len(plant.channels), CHANNEL)
    for field in ("newest", "high", "changed_high", "lost_high", "again", "settled", "sealed", "gone", "floor", "run"):
        table[field] = NONE
    for field in ("low", "changed_low", "lost_low", "steady"):
        table[field] = -NONE
    keep = _keep(plant, lag_ms, moments)
    labs = {one.channel for channel in plant.channels for one in channel.labs}
    roots = [root(plant, c.index) for c in plant.channels]
    letters: dict[int | None, int] = {}  # by stack: a regime says what its analysers' letters mean
    rooted: dict[int, list[int]] = {}
    for d, (measured, _) in enumerate(roots):
        rooted.setdefault(measured, []).append(d)
    target: list[int] = []
    for c, (measured, delay) in enumerate(roots):
        own = plant.channels[measured]
        ch = table[c]
        ch["kind"], ch["gap"] = own.kind, own.max_gap_ms
        ch["period"] = own.period_ms if own.kind is Kind.AMOUNT else 0
        ch["modulus"] = own.modulus or 0
        ch["rise_num"], ch["rise_den"] = _rise(own.rise_max)
        stack = plant.meters[own.meter].stack
        if stack not in letters:
            letters[stack] = sum(1 << k for k, letter in enumerate(LETTERS) if plant.is_valid(letter, own.meter))
        ch["letters"] = letters[stack]
        ch["keep"] = keep[own.meter]
        if c in labs:  # few, and late by design
            ch["keep"] = max(ch["keep"], min(hour_horizon(plant, lag_ms), KEPT * own.every_ms))
        ch["delay"] = delay
        ch["targets"] = len(target)
        target += rooted.get(c, [])
        ch["targets_stop"] = len(target)
    return table, np.asarray(target, np.int64)


def minute_horizon(plant: Plant, lag_ms: int = 0) -> int:
    """How far back whole minutes are kept: the longest window that steps by them, grace, slack and `lag_ms`; ms."""
    longest = max([w for w in plant.window_ms if w <= DAY], default=0)
    if plant.stacks:
        longest = max(longest, DAY + HOUR)  # a local day has up to 25 h
    return longest + plant.intake.grace_ms + SLACK + lag_ms


def hour_horizon(plant: Plant, lag_ms: int = 0) -> int:
    """How far back whole hours are kept: the longest window, grace, slack and `lag_ms`; ms."""
    longest = max(plant.window_ms, default=0) + plant.intake.grace_ms + LONGEST_SLACK + lag_ms
    return max(minute_horizon(plant, lag_ms), longest)


def kept_for(plant: Plant) -> int:
    """How long single readings are kept at least, before the newest of their channel; ms.

    For the open window of an hour, whose channels may be ahead of the clock (by what intake lets in; where that is
    longer than grace, by grace), and for what comes within grace.
    """
    ahead = min(plant.intake.future_ms, plant.intake.grace_ms)
    return max(LATE + ahead, MARGIN + plant.intake.grace_ms)


def _keep(plant: Plant, lag_ms: int, moments: bool) -> list[int]:
    """How long each meter's readings are kept: one span for all meters of a line, so that they can be compared."""
    horizon = minute_horizon(plant)
    fastest: dict[tuple[int | None, int | None], int] = {}
    for meter in plant.meters:
        place = (meter.line, meter.stack)
        every = min([plant.channels[c].every_ms for c in meter.channels], default=meter.every_ms)
        fastest[place] = min(fastest.get(place, every), every)
    found = []
    for m in plant.meters:
        least = kept_for(plant)
        lag = 0
        if moments:
            least = plant.intake.grace_ms + LATE + SLACK
        if m.stack is not None:  # quadrants are counted from readings, when their block is closed
            least, lag = plant.intake.grace_ms + 2 * LATE + (SLACK if moments else 0), lag_ms
        found.append(lag + max(least, min(horizon, KEPT * fastest[m.line, m.stack])))
    return found


def root(plant: Plant, index: int) -> tuple[int, int]:
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
