"""`[meter.NAME.channels] NAME = {…}`: one number that a meter reports, or one derived from it."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import (
    DelayMs,
    FieldName,
    Measured,
    Number,
    Positive,
    Range,
    SpanMs,
    Text,
    Uncertain,
    UnitOf,
)
from devices.plant.tables.worth import Worth

DEFAULT_STEP = Fraction(1, 1_000_000)


class ChannelTable(Table):
    """Which keys go with which kind, `devices.plant.assembly.channels` checks."""

    kind: Literal["amount", "counter", "rate", "level", "derived"] = Field(examples=['"rate"'])
    unit: UnitOf | None = None
    field: FieldName | None = None
    step: Positive = DEFAULT_STEP
    every: SpanMs | None = None
    max_gap: SpanMs | None = None
    period: SpanMs | None = None
    modulus: Positive | None = None
    rise_max: Measured | None = None
    range: Range | None = None
    counts: Text | None = None
    waste: bool | None = None
    counts_gd: bool | None = None
    counts_cd: bool | None = None
    required: bool | None = None
    of: Text | None = None
    times: Number | None = None
    delay: DelayMs = 0
    water: Literal["wet", "dry"] | None = None
    state: Literal["hot", "standard"] | None = None
    gauge: bool = False
    uncertainty: Uncertain | None = None
    moisture: Worth | None = None
    exported: bool = False
    waste_heat: bool = False
