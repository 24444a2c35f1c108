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
