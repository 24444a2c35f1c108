"""From what the analyser sees to what the limit is written for: mg/m³, dry, standard state, reference oxygen.

    ppm   C·M/V                                   no temperature or pressure step at all
    hot   C·101325/p·(Z + t)/K0                   p = Ba + Ps, t in °C; K0 = 273, 273.15 or 293.15 is the standard
                                                  temperature, Z = 273 or 273.15 is 0 °C, whatever the standard
    wet   C/(1 − Xw)
    O2    C·(base − ref)/(base − O2dry)           O2dry = O2wet/(1 − Xw)

The order is the law's (semantics.md §5, domain.md §4) and so is every double operation in it: from left
to right as written above, so that two builds agree bit for bit. A minute's value is then quantised
half-even to 1e-6 mg/m³, and everything after that is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STANDARD_PA = 101325.0

MICRO = 1_000_000
"""Normalised values are integers of 1e-6 mg/m³."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a regime says about normalising, as doubles."""

    o2_ref: float | None  # %; None: no oxygen correction
    base: float  # %, oxygen of air
    o2_max: float | None  # % dry; above it the minute is invalid
    standard_k: float
    zero_k: float  # 0 °C
    molar_litres: float
    never_down: bool  # a correction may not lower the value
    molar: Mapping[str, float]  # gas → g/mol as which it is counted


@dataclass(frozen=True, slots=True)
class Gas:
    """The flue gas during one minute; None where it was not measured."""

    o2: float | None = None  # % as the analyser sees it
    o2_wet: bool = False
    moisture: float | None = None  # % by volume
    celsius: float | None = None
    pressure: float | None = None  # Pa, absolute


@dataclass(frozen=True, slots=True)
class Form:
    """In which form one channel gives a concentration."""

    gas: str | None  # whose molar mass counts, where it is in ppm; None: mg/m³
    hot: bool
    wet: bool


def from_ppm(ppm: float, molar_mass: float, molar_litres: float) -> float:
    """mg/m³ at standard state. HJ 75-2017 App. A."""
    return ppm * molar_mass / molar_litres


def to_standard(value: float, pressure: float, celsius: float, standard_k: float, zero_k: float) -> float:
    """mg/m³ at the stack's state → at 101,325 Pa and `standard_k`. HJ 75-2017 App. A."""
    return value * STANDARD_PA / pressure * (zero_k + celsius) / standard_k


def to_dry(value: float, moisture: float) -> float:
    """A wet concentration (or wet oxygen, %) → dry; moisture in % by volume, below 100."""
    return value / (1.0 - moisture / 100.0)


def to_reference(value: float, o2_dry: float, frame: Frame) -> float:
    """mg/m³ at the measured dry oxygen → at the regime's reference oxygen, where it has one."""
    if frame.o2_ref is None or (frame.never_down and o2_dry < frame.o2_ref):
        return value
    return value * (frame.base - frame.o2_ref) / (frame.base - o2_dry)


def dry_oxygen(gas: Gas, frame: Frame) -> float | str:
    """Dry oxygen in %, or why it cannot be used."""
    if gas.o2 is None:
        return "no oxygen reading"
    o2 = gas.o2
    if gas.o2_wet:
        dry = _dried(o2, gas, "wet oxygen")
        if isinstance(dry, str):
            return dry
        o2 = dry
    if frame.o2_max is not None and o2 > frame.o2_max:
        return f"oxygen is above {frame.o2_max:g} %: air instead of flue gas"
    if o2 >= frame.base:
        return f"oxygen is at or above {frame.base:g} %: air instead of flue gas"
    return o2


def normalise(value: float, form: Form, gas: Gas, frame: Frame) -> tuple[float, float] | str:
    """One mean (ppm or mg/m³) in mg/m³ dry, standard state: at reference oxygen, and at the oxygen as it is (of which
    mass is made); or why it cannot be said.
    """
    dry = dry_standard(value, form, gas, frame)
    if isinstance(dry, str):
        return dry
    if frame.o2_ref is None:
        return dry, dry
    o2 = dry_oxygen(gas, frame)
    return o2 if isinstance(o2, str) else (to_reference(dry, o2, frame), dry)


def dry_standard(value: float, form: Form, gas: Gas, frame: Frame) -> float | str:
    """One mean (ppm or mg/m³) in mg/m³ dry, standard state, at the oxygen as it is; or why it cannot be said."""
    if form.gas is not None:
        molar_mass = frame.molar.get(form.gas)
        if molar_mass is None:
            return f"no molar mass is known for {form.gas}: measure it in mg/m3"
        value = from_ppm(value, molar_mass, frame.molar_litres)
    elif form.hot:
        if gas.celsius is None:
            return "no temperature reading: a hot value has no standard state"
        if gas.pressure is None:
            return "no pressure reading: a hot value has no standard state"
        if gas.pressure <= 0.0 or frame.zero_k + gas.celsius <= 0.0:
            return "pressure or temperature reads below absolute zero"
        value = to_standard(value, gas.pressure, gas.celsius, frame.standard_k, frame.zero_k)
    return _dried(value, gas, "a wet value") if form.wet else value


def _dried(value: float, gas: Gas, what: str) -> float | str:
    if gas.moisture is None:
        return f"no moisture reading: {what} cannot be made dry"
    if gas.moisture >= 100.0:
        return "moisture reads 100 % or more"
    return to_dry(value, gas.moisture)


def quantise(value: float) -> int:
    """The nearest integer of 1e-6, ties to even. `round(x, 6)` decides on the double's exact decimal value."""
    return round(round(value, 6) * MICRO)
