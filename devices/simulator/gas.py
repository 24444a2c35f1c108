"""Stack gas: normalised concentrations as the process makes them, then what the analyser would see of them.

Nominal values of a 5,000 t/d line at 10 % O2 (tail) and of its cooler; where the stack's regime has a limit,
the level stands in the usual relation to that limit. With the raw mill off, SO2, NH3 and Hg, which the meal
no longer takes up, jump. A NOx excursion is one story: the ammonia water stops, air runs high; NOx rises, O2
with it, NH3 and CO fall; when it ends, too much ammonia is given and NH3 overshoots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Channel, Plant, Regime, Stack
from devices.simulator.waves import F64, Gate, Wave, key, noise, seconds, wave

I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pollutant:
    """One pollutant of the tail gas, normalised, in mg/m3."""

    usual: float  # where the regime has no limit
    of_limit: float  # share of the limit, where it has one
    swing: float  # of the level
    mill_off: float = 1.0  # factor while the raw mill stands
    excursion: float = 0.0  # added at its height, of the level
    o2: float = 0.0  # change per point of O2, of the level
    molar: float | None = None  # g/mol, for ppm


POLLUTANTS = {
    "nox": Pollutant(42.0, 0.84, 0.05, excursion=2.6, o2=0.02, molar=46.005),
    "so2": Pollutant(18.0, 0.51, 0.14, mill_off=1.5, molar=64.06),
    "pm": Pollutant(5.0, 0.5, 0.12),
    "nh3": Pollutant(2.3, 0.29, 0.2, mill_off=2.0, excursion=-0.75, molar=17.031),
    "co": Pollutant(150.0, 0.5, 0.15, excursion=-0.35, o2=-0.25, molar=28.010),
    "hg": Pollutant(0.010, 0.2, 0.2, mill_off=2.5),
    "hcl": Pollutant(4.0, 0.4, 0.15, mill_off=1.2, molar=36.461),
    "hf": Pollutant(0.3, 0.3, 0.15, molar=20.006),
    "f": Pollutant(0.9, 0.3, 0.15),
    "toc": Pollutant(4.0, 0.4, 0.15),
}
_NO = 0.95  # share of NOx that leaves as NO (both counted as NO2)
_MOLAR_NO, _MOLAR_NO2 = 30.006, 46.005

EXCURSION_S = 180.0
"""How long an excursion lasts, its overshoot of ammonia apart."""
_RISE, _FALL, _REBOUND = 8.0, 45.0, 300.0


def excursion(t: F64, begin: float) -> tuple[F64, F64]:
    """(its height, the ammonia overshoot after it), each 0 to 1, of an excursion that begins at `begin` s."""
    s = t - begin
    height = _step(s / _RISE) - _step((s - EXCURSION_S + _FALL) / _FALL)
    over = _step((s - EXCURSION_S + _FALL) / _FALL) - _step((s - EXCURSION_S) / _REBOUND)
    return height, over


def _step(x: F64) -> F64:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


@dataclass(frozen=True)
class Gas:
    """The gas in one stack; every property is a function of time in s."""

    plant: Plant
    stack: Stack
    mill: Gate
    seed: int
    combustion: bool
    excursions: Sequence[float]

    def o2(self, t: F64) -> F64:
        """Vol-% dry."""
        if not self.combustion:
            return np.full_like(t, 20.9)
        return self._drift("o2", 9.8, 0.045, t) + 1.2 * self._height(t)

    def moisture(self, t: F64) -> F64:
        """Vol-%."""
        if not self.combustion:
            return self._drift("moisture", 1.5, 0.15, t)
        return self._drift("moisture", 8.0, 0.05, t) + 1.5 * self.mill.value(t)

    def temperature(self, t: F64) -> F64:
        """°C."""
        if not self.combustion:
            return self._drift("temp", 145.0, 0.04, t)
        return self._drift("temp", 180.0, 0.015, t) + 12.0 * (1 - self.mill.value(t))

    def pressure(self, t: F64) -> F64:
        """Pa, relative to the air outside."""
        return self._drift("pressure", -320.0, 0.12, t)

    def flow(self, t: F64) -> F64:
        """m3/h as it flows."""
        return self._drift("flow", 580_000.0 if self.combustion else 350_000.0, 0.025, t)

    def normalised(self, name: str, t: F64) -> F64:
        """A pollutant in mg/m3 dry, at standard state and the reference oxygen."""
        kind = POLLUTANTS.get(name) or Pollutant(10.0, 0.4, 0.1)
        limit = self.regime.limits.get(name)
        level = kind.of_limit * float(limit) if limit else kind.usual
        value = self._drift(name, 1.0, kind.swing, t)
        if not self.combustion:
            return level * value
        value = value * (1 + (kind.mill_off - 1) * (1 - self.mill.value(t)))
        value = value * (1 + kind.o2 * (self._drift("o2", 9.8, 0.045, t) - 9.8))
        for begin in self.excursions:
            height, over = excursion(t, begin)
            value = value + height * kind.excursion * (value if kind.excursion < 0 else 1.0)
            if name == "nh3":
                value = value * (1 + 0.5 * over)
        return level * value

    @property
    def regime(self) -> Regime:
        """The stack's regime, its latest version."""
        return self.plant.regimes[self.stack.regime][-1]

    def _height(self, t: F64) -> F64:
        return sum((excursion(t, b)[0] for b in self.excursions), np.zeros_like(t))

    def _drift(self, name: str, mean: float, swing: float, t: F64) -> F64:
        made: Wave = wave(key(self.seed, self.stack.id, name), mean, abs(mean) * swing)
        return made.value(t)


_NOISE = {"o2": 0.004, "moisture": 0.004, "temp": 0.001, "pressure": 0.02, "flow": 0.006}


def reading(gas: Gas, channel: Channel, ts: I64) -> F64:
    """What this analyser shows at these times, in its own unit: hot, wet, at the oxygen there is."""
    t = seconds(ts)
    match channel.name:
        case "o2":
            value = gas.o2(t)
            if channel.water == "wet":
                value = value * (1 - gas.moisture(t) / 100)
            value = value * (0.01 / float(channel.unit.scale))
        case "moisture":
            value = gas.moisture(t) * (0.01 / float(channel.unit.scale))
        case "temp":
            value = (gas.temperature(t) + 273.15 - float(channel.unit.offset)) / float(channel.unit.scale)
        case "pressure":
            value = gas.pressure(t) + (0.0 if channel.gauge else _ambient(gas.stack))
            value = value / float(channel.unit.scale)
        case "flow":
            value = gas.flow(t) / 3600 / float(channel.unit.scale)
        case _:
            value = _concentration(gas, channel, t)
    sigma = _NOISE.get(channel.name, 0.012)
    return value * (1 + sigma * noise(key(gas.seed, gas.stack.id, channel.name, "noise"), ts))


def _concentration(gas: Gas, channel: Channel, t: F64) -> F64:
    """The inverse of a regime's normalisation (semantics §5), step by step in reverse."""
    match channel.name:
        case "no":
            value, molar = gas.normalised("nox", t) * _NO * _MOLAR_NO / _MOLAR_NO2, _MOLAR_NO
        case "no2":
            value, molar = gas.normalised("nox", t) * (1 - _NO), _MOLAR_NO2
        case name:
            value = gas.normalised(name, t)
            molar = (POLLUTANTS[name].molar if name in POLLUTANTS else None) or 30.0
    regime = gas.regime
    if regime.o2_ref is not None and gas.combustion:
        base = float(regime.base)
        value = value * (base - gas.o2(t)) / (base - float(regime.o2_ref))
    if channel.water == "wet":
        value = value * (1 - gas.moisture(t) / 100)
    if channel.unit.dimension == "share":  # ppm: no temperature or pressure step
        return value * float(regime.molar_litres) / molar * (1e-6 / float(channel.unit.scale))
    if channel.state == "hot":
        standard, zero = float(regime.standard_k), float(regime.zero_k)
        pressure = gas.pressure(t) + _ambient(gas.stack)
        value = value * standard / (zero + gas.temperature(t)) * pressure / 101_325.0
    return value * (1e-9 / float(channel.unit.scale))  # mg/m3, in the base unit t/m3


def _ambient(stack: Stack) -> float:
    return float(stack.ambient_pa) if stack.ambient_pa else 101_325.0
