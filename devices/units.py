"""Units: declared in the registry, converted once, exactly.

A unit is one or more atoms divided by each other: `t`, `t/h`, `kg CO2/kWh`, `t/person-year`. Each atom has a
dimension and a scale, so that a conversion is one `Fraction`. `CO2` behind a mass is said for people and
changes nothing. A normal cubic metre counts as a cubic metre: what state a gas is in, the channel says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from devices.errors import ConfigurationError
from devices.words import suggestion


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure: `scale` base units of its dimension."""

    symbol: str  # as written: "t/h"
    dimension: str  # "mass", "energy", "mass/time", …
    scale: Fraction
    offset: Fraction = Fraction(0)  # temperatures: base = value × scale + offset

    @property
    def is_rate(self) -> bool:
        """Whether it is something per time, and so can be summed over time."""
        return self.dimension.endswith("/time")

    @property
    def integral(self) -> tuple[Unit, Fraction]:
        """What one of this rate amounts to: (unit of the amount, how many of it per millisecond).

        `t/h` gives (t, 1/3600000), `kW` gives (kWh, 1/3600000). ValueError for what is not a rate.
        """
        if not self.is_rate:
            raise ValueError(f"{self.symbol} is not a rate")
        amount = unit(_AMOUNT_OF_POWER.get(self.symbol) or self.symbol.rpartition("/")[0].strip())
        return amount, self.scale / amount.scale / 1000  # the base of time is the second

    def __str__(self) -> str:
        return self.symbol


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: `25.8 GJ/t`."""

    value: Fraction
    unit: Unit

    def to(self, target: Unit | str) -> Fraction:
        """The number in another unit of the same dimension; ConfigurationError if there is no way."""
        return convert(self.value, self.unit, target)


def _scaled(dimension: str, **scales: str | int) -> dict[str, Unit]:
    return {s.replace("_", "-"): Unit(s.replace("_", "-"), dimension, Fraction(x)) for s, x in scales.items()}


_KELVIN = Fraction("273.15")
_ATOMS: dict[str, Unit] = {
    **_scaled("mass", t=1, kg="1e-3", g="1e-6", mg="1e-9", ug="1e-12", kt=1000, Mt=1_000_000),
    **_scaled("mass", lb="0.45359237e-3", short_ton="0.90718474"),
    **_scaled("energy", GJ=1, MJ="1e-3", kJ="1e-6", J="1e-9", TJ=1000),
    **_scaled("energy", kWh="3.6e-3", Wh="3.6e-6", MWh="3.6", GWh=3600),
    **_scaled("energy", kgce="29.3076e-3", tce="29.3076"),  # GB/T 2589: 1 kgce = 29.3076 MJ
    **_scaled("energy", kcal="4.1868e-6"),  # International Table calorie, as GB/T 2589
    **_scaled("energy/time", W="1e-9", kW="1e-6", MW="1e-3", GW=1),
    **_scaled("volume", m3=1, Nm3=1, l="1e-3", L="1e-3"),
    **_scaled("time", s=1, min=60, h=3600, d=86400),
    **_scaled("pressure", Pa=1, hPa=100, kPa=1000, MPa=1_000_000, mbar=100, bar=100_000),
    **_scaled("labour", person_h=1, person_year=8760),  # heads are counted day and night
    **_scaled("length", m=1, cm="1e-2", mm="1e-3"),
    **_scaled("area", m2=1),
    **_scaled("frequency", Hz=1, rpm="1/60"),
    **_scaled("current", A=1, mA="1e-3"),
    **_scaled("voltage", V=1, kV=1000),
    **_scaled("apparent power", VA=1, kVA=1000, MVA=1_000_000),
    **_scaled("reactive power", var=1, kvar=1000, Mvar=1_000_000),
    **_scaled("reactive energy", varh=1, kvarh=1000, Mvarh=1_000_000),
    **_scaled("share", ppm="1e-6", ppb="1e-9"),
    "%": Unit("%", "share", Fraction(1, 100)),
    "1": Unit("1", "share", Fraction(1)),
    "K": Unit("K", "temperature", Fraction(1)),
    "degC": Unit("degC", "temperature", Fraction(1), _KELVIN),
    "degF": Unit("degF", "temperature", Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
}
_AMOUNT_OF_POWER = {"W": "Wh", "kW": "kWh", "MW": "MWh", "GW": "GWh"}
_SPELLINGS = str.maketrans({"³": "3", "²": "2", "₂": "2", "µ": "u", "μ": "u"})
_ALIASES = {
    "°C": "degC", "°F": "degF", "person-hour": "person-h", "short ton": "short-ton",
    "kVarh": "kvarh", "kVARh": "kvarh", "kVAr": "kvar", "kVar": "kvar", "kVAR": "kvar",
}  # fmt: skip
_HINTS = {
    "ton": "t (1000 kg) or short-ton", "tons": "t (1000 kg) or short-ton", "tonne": "t", "tonnes": "t",
    "hr": "h", "hour": "h", "sec": "s", "minute": "min", "day": "d", "C": "degC", "F": "degF",
    "th": "t/h", "tph": "t/h",
    "kwh": "kWh", "mwh": "MWh", "gj": "GJ", "Nm": "Nm3", "psi": "kPa", "atm": "Pa (1 atm is 101325 Pa)",
    "year": "d, or person-year for output per head", "person-d": "person-h",
}  # fmt: skip
_CO2 = re.compile(r"[ _-]?CO2(?:-?eq?)?$")
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?)\s*(.*?)\s*", flags=re.ASCII)


@lru_cache(maxsize=4096)
def unit(symbol: str) -> Unit:
    """The unit of that symbol; ConfigurationError, with what may have been meant, if it is not known."""
    spelt = symbol.strip().translate(_SPELLINGS)
    atoms = [_atom(part.strip(), symbol) for part in spelt.split("/")]
    if len(atoms) == 1:
        return Unit(symbol.strip(), atoms[0].dimension, atoms[0].scale, atoms[0].offset)
    scale = atoms[0].scale
    for below in atoms[1:]:
        if "/" in below.dimension:
            raise ConfigurationError(f"`{symbol}` divides by a rate", mend="write the amount and the time apart")
        scale /= below.scale
    top = "1" if atoms[0].symbol == "1" else atoms[0].dimension
    return Unit(symbol.strip(), "/".join([top, *(a.dimension for a in atoms[1:])]), scale)


def factor(from_: Unit | str, to: Unit | str) -> Fraction:
    """How many `to` one `from_` is; ConfigurationError if they measure different things.

    Temperature scales with different zeros have no factor: `convert` them.
    """
    a, b = _as_unit(from_), _as_unit(to)
    if a.dimension != b.dimension:
        raise ConfigurationError(
            f"`{a}` is {_kind(a)}, `{b}` is {_kind(b)}", mend=f"give it in `{b}` or a unit of the same kind"
        )
    if a.offset != b.offset:
        raise ConfigurationError(f"`{a}` and `{b}` have different zeros", mend="convert the value, not a factor")
    return a.scale / b.scale


def convert(value: Fraction, from_: Unit | str, to: Unit | str) -> Fraction:
    """A value in another unit of the same dimension, temperatures with their zeros included."""
    a, b = _as_unit(from_), _as_unit(to)
    if a.dimension == b.dimension and a.offset != b.offset:
        return (value * a.scale + a.offset - b.offset) / b.scale
    return value * factor(a, b)


@lru_cache(maxsize=4096)
def quantity(text: str) -> Quantity:
    """`25.8 GJ/t`, `1/min`, `2%`, `12000 t/person-year`: a number and its unit.

    ConfigurationError if the number or the unit cannot be read, or there is no unit.
    """
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise ConfigurationError(f"`{text}` is not a number with a unit", mend="write it like `25.8 GJ/t`")
    number, symbol = found.groups()
    if not symbol:
        raise ConfigurationError(f"`{text}` has no unit", mend=f"write it with its unit, like `{text.strip()} t/h`")
    return Quantity(Fraction(number), unit("1" + symbol if symbol.startswith("/") else symbol))


def _atom(text: str, whole: str) -> Unit:
    name = _ALIASES.get(text, text)
    if name not in _ATOMS and _CO2.search(name):
        bare = _CO2.sub("", name)
        if bare in _ATOMS and _ATOMS[bare].dimension == "mass":
            name = bare
    known = _ATOMS.get(name)
    if known is not None:
        return known
    inside = f" in `{whole.strip()}`" if text != whole.strip() else ""
    raise ConfigurationError(
        f"unknown unit `{text}`{inside}" if text else f"`{whole}` is not a unit", mend=_meant(text)
    )


def _meant(text: str) -> str:
    if text in _HINTS:
        return f"did you mean {_HINTS[text]}?"
    return (
        suggestion(text, _ATOMS)
        or "known are t kg GJ kWh kW m3 Nm3 mg/m3 ppm % degC Pa t/h …; see the documentation of units"
    )


def _as_unit(given: Unit | str) -> Unit:
    return unit(given) if isinstance(given, str) else given


def _kind(u: Unit) -> str:
    top, *below = u.dimension.split("/")
    return " per ".join(["a number" if top == "1" else top, *below])
