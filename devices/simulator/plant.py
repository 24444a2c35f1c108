"""`SimulatedPlant`: what every meter of a registry reads, at any time, as a pure function of (seed, time)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Channel, Kind, Meter, Plant
from devices.simulator import gas, lines
from devices.simulator.recipes import RAW_MILL
from devices.simulator.waves import EPOCH, F64, FAST, Gate, Signal, key, noise, seconds, uniform, wave

I64 = NDArray[np.int64]
Column = list[float] | list[int]


class SimulatedPlant:
    """A registry's plant, running.

    `excursions` are the starts (ms) of NOx excursions on every stack that burns; add more with `excursion`.
    Nothing here keeps state between calls: `meters[i].columns(ts, span)` gives the same for the same times.
    """

    def __init__(self, plant: Plant, seed: int, excursions: Sequence[int] = ()) -> None:
        self.plant, self.seed = plant, seed
        self._excursions = [(start - EPOCH) / 1000 for start in excursions]
        signals: dict[int, Signal] = {}
        for line in plant.lines:
            signals |= lines.signals(plant, line, seed)
        self.meters = tuple(
            SimulatedMeter(m, tuple(self._source(plant.channels[c], signals) for c in own))
            for m in plant.meters
            if (own := [c for c in m.channels if plant.channels[c].source is None])
        )

    def excursion(self, start: int) -> None:
        """Plan a NOx excursion that begins at `start` (ms) and lasts about three minutes."""
        self._excursions.append((start - EPOCH) / 1000)

    def _source(self, channel: Channel, signals: dict[int, Signal]) -> Source:
        meter = self.plant.meters[channel.meter]
        if meter.stack is not None:
            of = self._gas(meter.stack)
            nominal = float(np.abs(gas.reading(of, channel, _SAMPLE)).mean())
            if channel.kind in (Kind.LEVEL, Kind.RATE):
                return Source(channel, _places(channel, nominal), level=lambda ts: gas.reading(of, channel, ts))
            return Source(channel, _places(channel, nominal), flow=wave(key(self.seed, meter.name), nominal, 0.0))
        if signal := signals.get(channel.index):
            return self._flow(channel, signal)
        return self._anything(channel)

    def _flow(self, channel: Channel, signal: Signal) -> Source:
        """A flow in base units per hour, as this channel counts it."""
        scale = float(channel.unit.scale)
        if channel.kind in (Kind.COUNTER, Kind.AMOUNT):
            own = signal * (1 / scale)
            every = channel.every_ms / 3_600_000
            zero = 1e6 * float(uniform(key(self.seed, channel.meter, channel.name, "zero"), np.zeros(1, np.int64))[0])
            return Source(channel, _places(channel, _mean(own) * every, digits=3), flow=own, zero=zero)
        own = signal * (1 / scale / (3600 if "/time" in channel.unit.dimension else 1))
        of = key(self.seed, channel.meter, channel.name, "noise")

        def level(ts: I64) -> F64:
            return own.value(seconds(ts)) * (1 + 0.003 * noise(of, ts))

        return Source(channel, _places(channel, _mean(own)), level=level)

    def _anything(self, channel: Channel) -> Source:
        """A channel that counts in nothing: a drift in the middle of its range."""
        low, high = (float(x * channel.step) if x is not None else None for x in (channel.low, channel.high))
        mean = (low + high) / 2 if low is not None and high is not None else 100.0
        drift = wave(key(self.seed, channel.meter, channel.name), mean, 0.05 * abs(mean), FAST)
        if channel.kind in (Kind.COUNTER, Kind.AMOUNT):
            return Source(channel, _places(channel, mean * channel.every_ms / 3_600_000, digits=3), flow=drift)
        return Source(channel, _places(channel, mean), level=lambda ts: drift.value(seconds(ts)))

    def _gas(self, row: int) -> gas.Gas:
        stack = self.plant.stacks[row]
        raw = [
            x
            for x in self.plant.lines
            if x.site == stack.site and lines.flows(self.plant, x, self.seed).recipe is RAW_MILL
        ]
        mill = raw[0].id if raw else f"{stack.id}/mill"  # a works without a metered raw mill has one all the same
        gate = Gate(key(self.seed, mill, "stop"), *(RAW_MILL.stop or (1.0, 0.0, 0.0)))
        names = {self.plant.channels[c].name for m in stack.meters for c in self.plant.meters[m].channels}
        regime = self.plant.regimes[stack.regime][-1]
        burns = "o2" in names or regime.o2_ref is not None
        return gas.Gas(self.plant, stack, gate, self.seed, burns, self._excursions)


@dataclass(frozen=True)
class Source:
    """What one channel reads: a level of time, or a flow that it counts up."""

    channel: Channel
    places: int  # decimals published
    level: Callable[[I64], F64] | None = None
    flow: Signal | None = None
    zero: float = 0.0  # what a counter stood at, at `EPOCH`

    def column(self, ts: I64, span: I64 | int) -> Column:
        """Values at `ts`; an amount is what came in the `span` ms before."""
        if self.level:
            return _rounded(self.level(ts), self.places)
        counted = self.counted(ts)
        if self.channel.kind is Kind.AMOUNT:
            return self.unscaled(counted - self.counted(ts - span))
        return self.unscaled(self.wrapped(counted))

    def counted(self, ts: I64) -> I64:
        """Whole last places that have gone through since `EPOCH`."""
        assert self.flow  # noqa: S101 - counters and amounts have one
        return np.floor((self.flow.integral(seconds(ts)) + self.zero) * 10.0**self.places).astype(np.int64)

    def wrapped(self, counted: I64) -> I64:
        """As the counter's display shows it."""
        if self.channel.kind is not Kind.COUNTER or not self.channel.modulus:
            return counted
        size = self.channel.modulus * self.channel.step * 10**self.places
        return np.mod(counted, max(1, math.floor(size)))

    def unscaled(self, counted: I64) -> Column:
        """Last places as the number that is published, exact to the digit."""
        if self.places == 0:
            return [int(x) for x in counted]
        return [float(x) for x in counted / 10.0**self.places]


@dataclass(frozen=True)
class SimulatedMeter:
    """One edge device."""

    meter: Meter
    sources: tuple[Source, ...]

    def columns(self, ts: I64, span: I64 | int) -> dict[str, Column]:
        """Payload field → values at `ts` (ms); `span` = ms since the reading before."""
        return {s.channel.field: s.column(ts, span) for s in self.sources}


_SAMPLE = EPOCH + 3_600_000 * np.arange(0, 48, 3, dtype=np.int64)


def _mean(signal: Signal) -> float:
    ends = seconds(_SAMPLE[[0, -1]])
    amounts = signal.integral(ends)
    return float(abs(amounts[1] - amounts[0]) / (ends[1] - ends[0]) * 3600)


def _places(channel: Channel, nominal: float, digits: int = 4) -> int:
    """Decimals that make `digits` significant ones, but none below the channel's step."""
    sensible = digits - math.ceil(math.log10(nominal)) if nominal > 0 else 0
    finest = 0
    while channel.step < Fraction(1, 10**finest) and finest < 6:
        finest += 1
    if Fraction(1, 10**finest) < channel.step:
        finest -= 1
    return max(0, min(sensible, finest))


def _rounded(values: F64, places: int) -> Column:
    if places == 0:
        return [int(x) for x in np.rint(values)]
    return [float(x) for x in np.round(values, places)]
