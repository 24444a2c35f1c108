"""Molar masses for ppm → mg/m³, and what nitrogen oxides count as: data, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Molar:
    """The mass (g/mol) as which one mole of a gas is counted."""

    mass: Fraction
    source: str


_IUPAC = "IUPAC standard atomic weights, abridged"
_HJ75 = "HJ 75-2017 App. A"

MOLAR: Mapping[str, Molar] = {
    "nox": Molar(Fraction("46.005"), f"{_HJ75}: all nitrogen oxides count as NO2"),
    "no2": Molar(Fraction("46.005"), _HJ75),
    "no": Molar(Fraction("46.005"), f"{_HJ75}: all nitrogen oxides count as NO2"),
    "n2o": Molar(Fraction("44.013"), _IUPAC),
    "so2": Molar(Fraction("64.06"), _HJ75),
    "so3": Molar(Fraction("80.06"), _IUPAC),
    "co": Molar(Fraction("28.010"), _IUPAC),
    "nh3": Molar(Fraction("17.031"), _IUPAC),
    "hcl": Molar(Fraction("36.461"), _IUPAC),
    "hf": Molar(Fraction("20.006"), _IUPAC),
    "f": Molar(Fraction("18.998"), f"{_IUPAC}: fluorides count as F"),
    "hg": Molar(Fraction("200.59"), _IUPAC),
    "h2s": Molar(Fraction("34.08"), _IUPAC),
    "thc": Molar(Fraction("44.097"), f"{_IUPAC}: hydrocarbons count as propane, C3H8 (40 CFR 63.1349)"),
    "toc": Molar(Fraction("12.011"), f"{_IUPAC}: organic carbon counts as C"),
}
"""Pollutant (channel name) → the mass it counts as. One not listed must be measured in mg/m³."""

NO_AS_NO2 = MOLAR["no2"].mass / Fraction("30.006")
"""mg of NO → mg of NO2, for analysers that report NO by its own mass."""
