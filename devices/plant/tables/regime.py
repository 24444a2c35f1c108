"""`[regime.NAME]`: a legal frame for stacks. Every key is told in docs/regimes.md."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import (
    Averages,
    Count,
    Day,
    Flags,
    Identifier,
    Limits,
    Masses,
    Measure,
    Percent,
    Positive,
    Share,
    Shares,
    SpanMs,
    Text,
)

AIR_MARGIN = Fraction(1)
"""Default of `o2_max`: so many % below the oxygen of air, as the shipped regimes have it. Nearer to air a correction to
reference oxygen multiplies noise."""


class RegimeTable(Table):
    """Without `o2_ref` there is no oxygen correction; limits are mg/m3, dry, at the standard state."""

    o2_ref: Percent | None = None
    base: Percent = Fraction(21)
    o2_max: Percent | None = None
    standard: Measure = Fraction(273)
    molar_litres: Positive | None = None
    molar: Masses = Field(default_factory=dict)
    never_down: bool = False
    flags: Flags = Field(default_factory=dict)
    minute_valid: SpanMs = 30_000
    block: Literal["30min", "1h"] = "1h"
    hour_rule: Literal["minutes", "quadrants"] = "minutes"
    hour_valid: SpanMs = 45 * 60_000
    half_hour_valid: SpanMs = 20 * 60_000
    confidence: Shares = Field(default_factory=dict)
    day_valid: SpanMs | None = None
    day_discarded: Count | None = None
    year_discarded: Count | None = None
    month_share: Share | None = None
    per: Identifier | None = None
    limits: Limits = Field(default_factory=dict)
    averages: Averages = ("1h",)
    start: Day | None = Field(None, alias="from")
    end: Day | None = Field(None, alias="to")
    source: Text = ""

    @property
    def ceiling(self) -> Fraction | None:
        """`o2_max`; where a regime corrects and says none, its default."""
        if self.o2_max is not None or self.o2_ref is None or self.o2_ref >= self.base - AIR_MARGIN:
            return self.o2_max
        return self.base - AIR_MARGIN
