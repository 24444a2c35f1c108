"""Every channel's sum over one window as an exact decimal text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from devices.plant.model import Kind, Plant
from devices.units import Unit
from scoring.results import ChannelSum
from scoring.windows.rolling import Rolling

_NINE = 9


def channel_sums(
    plant: Plant, rolling: Rolling, window: int, ts: int, channels: Sequence[int] | None = None
) -> list[ChannelSum]:
    """Channels (rows; default: all) over the window (row of Plant.windows) that ends at `ts`.

    Amounts and counters are exact; rates (in the unit of their amount: t for t/h) and levels (the average over
    covered time) have nine decimals, half-even. There is none, with the reason, where nothing covers a level and where
    the window begins before what is kept of its channel: a part of a sum is no sum.
    """
    length = plant.window_ms[window]
    asked = None if channels is None else np.asarray(channels, np.int64)
    sums = rolling.span(ts - length, ts, asked)
    flags = rolling.flags(ts - length, ts, asked)
    reached = rolling.reaches(ts - length, ts)
    found = []
    for row in range(len(plant.channels)) if channels is None else channels:
        channel = plant.channels[row]
        if channel.labs:  # inside the program only
            continue
        whole = bool(reached[row])
        covered = int(sums.covered[row]) if whole else None
        form = _form(channel.kind, channel.unit, channel.step, channel.times)
        text, reason = None, None
        if not whole:
            reason = "the window begins before what is still kept of this channel"
        elif (text := form.text(sums.total(row), covered or 0)) is None:
            reason = "nothing covers the window: there is no average"
        found.append(
            ChannelSum(
                ts=ts,
                meter=plant.meters[channel.meter].name,
                channel=channel.name,
                window=plant.windows[window],
                sum=text,
                covered=None if covered is None else covered / length,
                unit=form.unit,
                flags=flags.get(row, {}) if whole else {},
                reason=reason,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Form:
    """How a channel's totals are written: total × times / over, half-even, with so many decimals."""

    unit: str
    times: int
    over: int
    decimals: int
    exact: bool  # there are no more decimals; those at the end that say nothing are left out
    average: bool  # over covered time

    def text(self, total: int, covered: int) -> str | None:
        """The decimal; None for an average over nothing."""
        if self.average and not covered:
            return None
        over = self.over * (covered if self.average else 1)
        whole, rest = divmod(total * self.times * 10**self.decimals, over)
        whole += 2 * rest > over or (2 * rest == over and whole % 2 == 1)
        text = str(abs(whole)).zfill(self.decimals + 1)
        text = f"{'-' if whole < 0 else ''}{text[: len(text) - self.decimals]}.{text[len(text) - self.decimals :]}"
        return text.rstrip("0").rstrip(".") if self.exact else text


@lru_cache(maxsize=1024)  # a plant has few kinds of channels
def _form(kind: Kind, unit: Unit, step: Fraction, times: Fraction) -> _Form:
    factor = step * times
    if kind is Kind.RATE and unit.is_rate:
        unit, per_ms = unit.integral
        factor *= per_ms
    digits = _digits(factor.denominator) if kind in (Kind.AMOUNT, Kind.COUNTER) else None
    decimals = _NINE if digits is None else digits
    exact, average = digits is not None, kind is Kind.LEVEL
    return _Form(unit.symbol, factor.numerator, factor.denominator, decimals, exact, average)


def _digits(over: int) -> int | None:
    """How many decimals 1 / over has; None: it does not end (a derived amount whose factor is no decimal)."""
    count, rest = {2: 0, 5: 0}, over
    for prime in count:
        while rest % prime == 0:
            rest //= prime
            count[prime] += 1
    return max(count.values()) if rest == 1 else None
