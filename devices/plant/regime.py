"""Regimes as the engines see them: part of `devices.plant.model`, which names them too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal

from devices.plant.flags import DEFAULT as FLAGS
from devices.plant.flags import Meaning


@dataclass(frozen=True, slots=True)
class Substitution:
    """What stands in for mass that was not measured; concentrations know nothing of it."""

    rule: Literal["last", "max", "half-limit"]
    hours: int = 1  # max: of so many valid hours before


@dataclass(frozen=True, slots=True)
class Specific:
    """A limit of mass per product."""

    value: Fraction  # in `unit`
    unit: str  # as written: "lb/short-ton"
    t_per_t: Fraction  # the same in t/t


@dataclass(frozen=True, slots=True)
class Regime:
    """A legal frame for stacks: limits and how averages are made. Data, never code; keys: docs/regimes.md."""

    id: str
    o2_ref: Fraction | None  # %; None: no oxygen correction
    base: Fraction  # 21 or 20.9
    o2_max: Fraction | None  # % above which a minute is invalid
    standard_k: Fraction  # standard temperature: 273, 273.15 or 293.15
    molar_litres: Fraction  # l/mol for ppm: 22.4 at 0 °C, 24.055 at 20 °C
    minute_valid_ms: int
    hour_valid_ms: int  # of a block: an hour, or half an hour
    day_valid_ms: int  # of valid blocks
    never_down: bool  # never correct downwards
    limits: Mapping[str, Fraction]  # pollutant -> mg/m3, for every average listed
    averages: tuple[str, ...]  # as written: "1h", "24h"
    start: date | None
    end: date | None
    source: str
    molar: Mapping[str, Fraction] = field(default_factory=dict)  # pollutant -> g/mol, where the regime says its own
    flags: Mapping[str, Meaning] = field(default_factory=dict)  # HJ 212 letters that mean something else here
    block_ms: int = 3_600_000  # what days are made of: 30 min or 1 h
    quadrants: bool = False  # an hour is the mean of its points, one in each quarter at least
    confidence: Mapping[str, Fraction] = field(default_factory=dict)  # share of the limit taken off each block
    day_discarded: int | None = None  # so many blocks may be discarded, instead of day_valid_ms
    year_discarded: int | None = None  # so many days may have been discarded
    month_share: Fraction | None = None  # so many of a month's blocks must be within their limit
    per: str | None = None  # product that `specific` is per
    average_limits: Mapping[str, Mapping[str, Fraction]] = field(default_factory=dict)  # average -> pollutant -> mg/m3
    specific: Mapping[str, Specific] = field(default_factory=dict)  # pollutant -> limit of mass per product

    @property
    def zero_k(self) -> Fraction:
        """0 °C in kelvin, as precisely as the regime writes its standard temperature: 273 beside whole kelvins
        (273 K), else 273.15. A stack at t °C has zero_k + t, whatever the standard is: (273.15 + t)/293.15 in the US.
        """
        return Fraction(273) if self.standard_k.denominator == 1 else Fraction("273.15")

    @property
    def written(self) -> tuple[str, ...]:
        """Every average that it names."""
        return (*self.averages, *(a for a in self.average_limits if a not in self.averages))

    def meaning(self, letter: str) -> Meaning:
        """What an HJ 212 letter means under this regime."""
        return self.flags.get(letter) or FLAGS.get(letter, "fault")
