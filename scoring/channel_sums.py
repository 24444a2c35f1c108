"""Every channel's sum over one window as an exact decimal text."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from devices.plant.model import Channel, Kind, Plant
from scoring.results import ChannelSum
from scoring.windows.rolling import Rolling

_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NINE = Decimal("1e-9")


def channel_sums(plant: Plant, rolling: Rolling, window: int, ts: int) -> list[ChannelSum]:
    """All channels over the window (row of Plant.windows) that ends at `ts`, in the order of the plant.

    Amounts and counters are exact; rates (in the unit of their amount: t for t/h) and levels (the average over
    covered time) have nine decimals, half-even. There is none, with the reason, where nothing covers a level and where
    the window begins before what is kept of its channel: a part of a sum is no sum.
    """
    length = plant.window_ms[window]
    sums = rolling.span(ts - length, ts)
    flags = rolling.flags(ts - length, ts)
    reached = rolling.reaches(ts - length, ts)
    found = []
    for channel in plant.channels:
        if channel.labs:  # inside the program only
            continue
        whole = bool(reached[channel.index])
        covered = int(sums.covered[channel.index]) if whole else None
        text, unit = _text(channel, sums.total(channel.index), covered or 0)
        reason = None
        if not whole:
            text, reason = None, "the window begins before what is still kept of this channel"
        elif text is None:
            reason = "nothing covers the window: there is no average"
        found.append(
            ChannelSum(
                ts=ts,
                meter=plant.meters[channel.meter].name,
                channel=channel.name,
                window=plant.windows[window],
                sum=text,
                covered=None if covered is None else covered / length,
                unit=unit,
                flags=flags[channel.index] if whole else {},
                reason=reason,
            )
        )
    return found


def _text(channel: Channel, total: int, covered: int) -> tuple[str | None, str]:
    amount = total * channel.step * channel.times
    if channel.kind is Kind.LEVEL:
        return _nine(amount / covered) if covered else None, channel.unit.symbol
    if channel.kind is Kind.RATE and channel.unit.is_rate:
        unit, per_ms = channel.unit.integral
        return _nine(amount * per_ms), unit.symbol
    return (_nine(amount) if channel.kind is Kind.RATE else _exact(amount)), channel.unit.symbol


def _nine(value: Fraction) -> str:
    return f"{_decimal(value).quantize(_NINE, context=_WIDE):f}"


def _exact(value: Fraction) -> str:
    """All digits; a derived amount whose factor is no decimal has nine of them."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return f"{_decimal(value):f}" if rest == 1 else _nine(value)


def _decimal(value: Fraction) -> Decimal:
    return _WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))
