"""`[regime.NAME]`: a legal frame for stacks."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from devices.plant.tables.values import (
    Day,
    Durations,
    Limits,
    Masses,
    Measure,
    Percent,
    Positive,
    SpanMs,
    Table,
    Text,
)

MOLAR_G = {
    "so2": Fraction("64.06"),
    "nox": Fraction("46.005"),
    "no": Fraction("46.005"),
    "no2": Fraction("46.005"),
    "nh3": Fraction("17.031"),
    "co": Fraction("28.010"),
    "hcl": Fraction("36.461"),
    "hf": Fraction("20.006"),
    "hg": Fraction("200.59"),
}
"""g/mol, where a regime says nothing else: HJ 75 for SO2 and all NOx as NO2, else IUPAC's conventional weights."""


class RegimeTable(Table):
    """Without `o2_ref` there is no oxygen correction; limits are mg/m3, dry, at the standard state."""

    o2_ref: Percent | None = None
    base: Percent = Fraction(21)
    o2_max: Percent | None = None
    standard: Measure = Fraction(273)
    molar_litres: Positive | None = None
    molar: Masses = Field(default_factory=dict)
    minute_valid: SpanMs = 30_000
    hour_valid: SpanMs = 45 * 60_000
    day_valid: SpanMs = 20 * 3_600_000
    never_down: bool = False
    limits: Limits = Field(default_factory=dict)
    averages: Durations = ("1h",)
    start: Day | None = Field(None, alias="from")
    end: Day | None = Field(None, alias="to")
    source: Text = ""
