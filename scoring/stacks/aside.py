"""What oxygen, moisture, temperature and pressure may be off by, in the concentration that they normalise.

A reading off by e moves a minute's value V by V·s·e, to the first order; per unit of the reading

    o2        s = 1/(base − O2dry), over 1 − Xw where it is measured wet     % oxygen
    moisture  s = 1/(1 − Xw), of a wet value; and of wet oxygen O2dry/(1 − Xw)/(base − O2dry)
    temp      s = 1/(Z + t), of a hot value
    pressure  s = 1/p, of a hot value

The derivatives of `normalise`, term by term. e is the root of the squares of the declared share of the reading and
the absolute part. An instrument's error is one and the same all through a block, so the minutes' widths add up; and
channels of one meter add up, as if all were off in the worst direction at once (docs/uncertainty.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Literal

from scoring.stacks.normalise import MICRO, Form, Frame, Gas, dry_oxygen

NANO = 1_000_000_000
"""Widths are integers of 1e-9 mg/m³, so that they add up in any order."""


Of = Literal["o2", "moisture", "celsius", "pressure"]


@dataclass(frozen=True, slots=True)
class Aside:
    """The declared uncertainty of one auxiliary channel, k = 2, in the unit of `Gas`: %, °C, Pa."""

    of: Of
    meter: int
    relative: float  # of the reading
    absolute: float
    zero: float  # what a reading of nothing is in that unit: −273.15 of kelvins, the ambient of a gauge

    def error(self, gas: Gas) -> float:
        """Of the minute's mean; 0 where there is none."""
        value = getattr(gas, self.of)
        return 0.0 if value is None else hypot(self.relative * (value - self.zero), self.absolute)


def width(value: float, form: Form, gas: Gas, frame: Frame, asides: Sequence[Aside]) -> dict[int, float]:
    """mg/m³ by which the auxiliaries of each meter may move one normalised minute of one analyser."""
    found: dict[int, float] = {}
    for one in asides:
        found[one.meter] = found.get(one.meter, 0.0) + abs(value) * _slope(one.of, form, gas, frame) * one.error(gas)
    return found


def shares(meters: Sequence[int], wide: Sequence[int], micro: int) -> dict[int, float]:
    """By meter: the share by which a mean may be off; `micro` (1e-6 mg/m³) and `wide` (1e-9) are its minutes'."""
    if micro <= 0 or not wide:
        return {}
    return {meter: w * MICRO / (NANO * micro) for meter, w in zip(meters, wide, strict=True) if w}


def _slope(of: str, form: Form, gas: Gas, frame: Frame) -> float:
    """|∂ ln V / ∂ reading|, of a minute that `normalise` found valid."""
    if of == "celsius":
        return 1.0 / (frame.zero_k + gas.celsius) if form.hot and gas.celsius is not None else 0.0
    if of == "pressure":
        return 1.0 / gas.pressure if form.hot and gas.pressure is not None else 0.0
    dry = None if gas.moisture is None else 1.0 / (1.0 - gas.moisture / 100.0)
    oxygen = _oxygen(gas, frame)
    if of == "o2":
        return 0.0 if oxygen is None else (dry or 1.0 if gas.o2_wet else 1.0) / (frame.base - oxygen)
    if dry is None:
        return 0.0
    wet_oxygen = oxygen / (frame.base - oxygen) if oxygen is not None and gas.o2_wet else 0.0
    return ((1.0 if form.wet else 0.0) + wet_oxygen) * dry / 100.0


def _oxygen(gas: Gas, frame: Frame) -> float | None:
    """Dry oxygen, %, where the value is corrected by it."""
    dry = None if frame.o2_ref is None else dry_oxygen(gas, frame)
    if dry is None or isinstance(dry, str) or frame.o2_ref is None or (frame.never_down and dry < frame.o2_ref):
        return None
    return dry
