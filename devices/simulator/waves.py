"""Signals that are pure functions of (seed, time), with closed integrals.

A counter's reading is the integral of its rate since `EPOCH`. Summing it up minute by minute would tie the
reading to where a run began; here every signal has an antiderivative, so a counter's value at any instant
is known at once and two runs with one seed agree whatever their pace. Times are seconds since `EPOCH`
(float64), rates are per hour, integrals are amounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
U64 = NDArray[np.uint64]

EPOCH = 1_577_836_800_000
"""2020-01-01T00:00Z in ms: where counters stood at (nearly) zero."""

SLOW = (2220.0, 4980.0, 10260.0, 23820.0)
"""Periods in s of what drifts: kiln feed, quality, weather."""
FAST = (258.0, 546.0, 1020.0)
"""Periods in s of what hunts: burners, weighfeeders, gas analysis."""


def seconds(ts: NDArray[np.int64]) -> F64:
    """Milliseconds since 1970 as the signals' time."""
    return (ts - EPOCH) / 1000.0


def key(*parts: object) -> int:
    """A 64-bit key of seed and names: the same on every machine."""
    return int.from_bytes(blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest(), "little")


def uniform(of: int, index: NDArray[np.int64]) -> F64:
    """One number in [0, 1) for each index, keyed: splitmix64, so that no state has to be carried."""
    z: U64 = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(of)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) / float(1 << 53)


def noise(of: int, index: NDArray[np.int64]) -> F64:
    """White normal noise, σ = 1, keyed by the index (Box–Muller)."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(of, index)))
    return radius * np.cos(2 * np.pi * uniform(of ^ 0x5851F42D4C957F2D, index))


class Signal(Protocol):
    """A rate in time and its integral."""

    def value(self, t: F64) -> F64:
        """The rate, per hour."""
        ...

    def integral(self, t: F64) -> F64:
        """The amount since `EPOCH`, but for a constant."""
        ...

    def __mul__(self, factor: float) -> Signal: ...


@dataclass(frozen=True)
class Wave:
    """`mean` plus cosines: a drift that looks random and integrates exactly. Closed under sums and delays."""

    mean: float
    amplitude: F64
    omega: F64  # rad/s
    phase: F64

    def value(self, t: F64) -> F64:
        """The rate, per hour."""
        return self.mean + np.cos(np.multiply.outer(t, self.omega) + self.phase) @ self.amplitude

    def integral(self, t: F64) -> F64:
        """The amount since `EPOCH`, but for a constant."""
        swing = np.sin(np.multiply.outer(t, self.omega) + self.phase) @ (self.amplitude / self.omega)
        return (self.mean * t + swing) / 3600.0

    def __add__(self, other: Wave | float) -> Wave:
        if not isinstance(other, Wave):
            return Wave(self.mean + other, self.amplitude, self.omega, self.phase)
        join = np.concatenate
        return Wave(
            self.mean + other.mean,
            join([self.amplitude, other.amplitude]),
            join([self.omega, other.omega]),
            join([self.phase, other.phase]),
        )

    def __mul__(self, factor: float) -> Wave:
        return Wave(self.mean * factor, self.amplitude * factor, self.omega, self.phase)

    def delayed(self, by: float) -> Wave:
        """The same, `by` seconds later."""
        return Wave(self.mean, self.amplitude, self.omega, self.phase - self.omega * by)


def wave(of: int, mean: float, swing: float, periods: Sequence[float] = SLOW + FAST) -> Wave:
    """A seeded drift that stays within mean ± swing; longer periods swing wider."""
    index = np.arange(len(periods), dtype=np.int64)
    period = np.array(periods) * (0.85 + 0.3 * uniform(of, index))
    weight = np.sqrt(period)
    return Wave(
        mean,
        swing * weight / weight.sum(),
        2 * np.pi / period,
        2 * np.pi * uniform(of, index + len(periods)),
    )


@dataclass(frozen=True)
class Gate:
    """1 while a machine runs, 0 while it stands: one stop of `off` seconds (ramps included) each `cycle`.

    Stops come at a seeded moment of their cycle but last equally long, so that the running time up to any
    instant is known without adding up the past.
    """

    of: int
    cycle: float  # s
    off: float  # s, at least 2 × ramp
    ramp: float  # s

    def _stop(self, t: F64) -> tuple[F64, F64]:
        """(number of the cycle, seconds since its stop began)."""
        count = np.floor(t / self.cycle)
        begin = uniform(self.of, count.astype(np.int64)) * (self.cycle - self.off)
        return count, t - count * self.cycle - begin

    def value(self, t: F64) -> F64:
        """Share of full speed, 0 to 1."""
        _, s = self._stop(t)
        return 1.0 - _smooth(s / self.ramp) + _smooth((s - self.off + self.ramp) / self.ramp)

    def slope(self, t: F64) -> F64:
        """How fast the share changes, 1/s."""
        _, s = self._stop(t)
        down, up = _slope(s / self.ramp), _slope((s - self.off + self.ramp) / self.ramp)
        return (up - down) / self.ramp

    def integral(self, t: F64) -> F64:
        """Hours at full speed since `EPOCH`."""
        count, s = self._stop(t)
        stood = self.ramp * (_area(s / self.ramp) - _area((s - self.off + self.ramp) / self.ramp))
        return (t - count * (self.off - self.ramp) - stood) / 3600.0


def _smooth(x: F64) -> F64:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def _slope(x: F64) -> F64:
    x = np.clip(x, 0.0, 1.0)
    return 6.0 * x * (1.0 - x)


def _area(x: F64) -> F64:
    """∫ of `_smooth` from 0 to x."""
    inside = np.clip(x, 0.0, 1.0)
    return inside**3 - inside**4 / 2.0 + np.maximum(x - 1.0, 0.0)


@dataclass(frozen=True)
class Gated:
    """A flow through a machine that stops: mean × gate, with a ripple that vanishes while it stands.

    The ripple is the derivative of gate² × (the wave's integral): integrable, and (with the square) never so
    strong on a ramp that the flow would turn and a counter run backwards.
    """

    gate: Gate
    mean: float
    ripple: Wave  # of mean 0 and short periods

    def value(self, t: F64) -> F64:
        """The rate, per hour."""
        share = self.gate.value(t)
        on_ramp = 2.0 * self.gate.slope(t) * self.ripple.integral(t) * 3600.0
        return share * (self.mean + share * self.ripple.value(t) + on_ramp)

    def integral(self, t: F64) -> F64:
        """The amount since `EPOCH`, but for a constant."""
        return self.mean * self.gate.integral(t) + self.gate.value(t) ** 2 * self.ripple.integral(t)

    def __add__(self, other: Wave | float) -> Sum:
        return Sum((self, other if isinstance(other, Wave) else constant(other)))

    def __mul__(self, factor: float) -> Gated:
        return Gated(self.gate, self.mean * factor, self.ripple * factor)


@dataclass(frozen=True)
class Sum:
    """Several signals at once."""

    parts: tuple[Signal, ...]

    def value(self, t: F64) -> F64:
        """The rate, per hour."""
        return sum((p.value(t) for p in self.parts), np.zeros_like(t))

    def integral(self, t: F64) -> F64:
        """The amount since `EPOCH`, but for a constant."""
        return sum((p.integral(t) for p in self.parts), np.zeros_like(t))

    def __mul__(self, factor: float) -> Sum:
        return Sum(tuple(p * factor for p in self.parts))


def constant(mean: float) -> Wave:
    """A rate that never changes."""
    none = np.zeros(0)
    return Wave(mean, none, none, none)
