"""What goes wrong with meters, on request: seeded, so that the same run fails in the same way again.

Each fault picks one meter that can have it. From `FIRST_S` after the start it comes back every five minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.errors import ConfigurationError
from devices.plant.model import Kind
from devices.simulator.plant import Column, SimulatedMeter, Source
from devices.simulator.waves import key, uniform

I64 = NDArray[np.int64]

FIRST_S, EVERY_S = 20, 300

DESCRIPTIONS = {
    "spike": "an analyser's span check: for 10 s its value is eight times too high",
    "frozen": "a value stays as it was for 60 s",
    "skew": "a meter's clock is two minutes ahead for 60 s",
    "late": "a meter holds its readings for 60 s, then sends them as one array",
    "duplicate": "a meter sends every message twice for 60 s",
    "wrap": "a counter passes its modulus within the first minute",
    "reset": "a counter starts again at zero, once",
    "o2": "the oxygen probe draws outside air for 60 s: 20.9 %",
    "silent": "a meter loses power for 45 s: nothing comes but its last will",
    "unit": "a value comes in another unit for 45 s: kg for t, K for °C",
}
_LASTS = {"spike": 10, "silent": 45, "unit": 45}
"""Seconds; the others last 60."""
KELVIN = 273.15


def parse(text: str | Sequence[str]) -> tuple[str, ...]:
    """`spike,late`: the faults asked for; ConfigurationError for one that there is not."""
    names = [n.strip() for n in (text.split(",") if isinstance(text, str) else text) if n.strip()]
    for name in names:
        if name not in DESCRIPTIONS:
            raise ConfigurationError(f"there is no fault `{name}`", mend="choose of " + ", ".join(DESCRIPTIONS))
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class Fault:
    """One fault, at one meter (and one of its channels, if it falsifies a value)."""

    name: str
    meter: SimulatedMeter
    source: Source | None
    start: int  # ms: the plant's start
    seed: int

    @property
    def lasts(self) -> int:
        """Its length, ms."""
        return 1000 * _LASTS.get(self.name, 60)

    def begin(self, ts: I64) -> I64:
        """The beginning (ms) of the occurrence that each time would belong to."""
        index = np.maximum((ts - self.start) // (EVERY_S * 1000), 0)
        shift = 1000 * (FIRST_S + np.floor(20 * uniform(self.seed, index))).astype(np.int64)
        return self.start + index * EVERY_S * 1000 + shift

    def active(self, ts: I64) -> NDArray[np.bool_]:
        """Where it holds. A wrap or a reset holds from its first occurrence on."""
        begin = self.begin(ts)
        if self.name == "wrap":
            return np.ones(len(ts), bool)
        if self.name == "reset":
            return np.asarray(ts >= self.begin(np.array([self.start])))
        return np.asarray((ts >= begin) & (ts < begin + self.lasts))

    def falsify(self, ts: I64, column: Column, span: int) -> Column:
        """The column as the faulty meter gives it."""
        source = self.source
        assert source  # noqa: S101 - only value faults come here
        active = self.active(ts)
        match self.name:
            case "spike":
                other: Column = [round(x * 8, source.places) for x in column]
            case "frozen":
                other = source.column(self.begin(ts), span)
            case "o2":
                other = [round(20.9 * 0.01 / float(source.channel.unit.scale), source.places)] * len(column)
            case "unit":
                hot = source.channel.unit.dimension == "temperature"
                other = [round(x + KELVIN, source.places) if hot else x * 1000 for x in column]
            case _:
                moved = source.counted(ts) - self._offset(source)
                other = source.unscaled(source.wrapped(moved))
        return [o if a else c for o, a, c in zip(other, active, column, strict=True)]

    def _offset(self, source: Source) -> int:
        """What a replaced or rolled-over counter shows less than the true one."""
        first = self.begin(np.array([self.start]))
        return int(source.counted(first)[0])  # zero at the first occurrence: that is the wrap, or the reset


_Fits = Callable[[Source], bool]
_VALUE: dict[str, tuple[_Fits, ...]] = {  # the best fit first
    "spike": (lambda s: s.channel.name == "nox", lambda s: s.channel.kind is Kind.LEVEL, lambda s: s.level is not None),
    "frozen": (lambda s: s.level is not None,),
    "o2": (lambda s: s.channel.name == "o2",),
    "unit": (
        lambda s: s.channel.unit.dimension == "temperature",
        lambda s: s.channel.unit.dimension.startswith("mass") and s.channel.kind is Kind.RATE,
        lambda s: s.level is not None,
    ),
    "wrap": (lambda s: s.channel.kind is Kind.COUNTER and s.channel.modulus is not None,),
    "reset": (lambda s: s.channel.kind is Kind.COUNTER,),
}


def plan(names: Iterable[str], meters: Sequence[SimulatedMeter], seed: int, start: int) -> list[Fault]:
    """The faults asked for, each at a meter that can have it; ConfigurationError if none can."""
    found: list[Fault] = []
    for name in names:
        of = key(seed, "fault", name)
        if name in _VALUE:
            spots = [(m, s) for m in meters for s in m.sources]
            fitting = next((f for fit in _VALUE[name] if (f := [x for x in spots if fit(x[1])])), [])
            if not fitting:
                raise ConfigurationError(f"no channel of this plant can have the fault `{name}`", mend="leave it out")
            meter, source = fitting[of % len(fitting)]
            found.append(Fault(name, meter, source, start, of))
        else:
            taken = {f.meter.meter.index for f in found}
            free = [m for m in meters if m.meter.index not in taken] or list(meters)
            found.append(Fault(name, free[of % len(free)], None, start, of))
    return found
