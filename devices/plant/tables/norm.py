"""`[[norm]]`: levels of specific energy that a product is held against (docs/norms.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Day, Identifier, Levels, Measured, NormId, Percent, Text, UnitOf


class CorrectionTable(Table):
    """How the levels move with the share of another product in the norm's product."""

    share: Identifier = Field(examples=['"clinker"'])
    at: Percent = Field(examples=["75"])
    per_point: Levels = Field(examples=["[1.10, 1.15, 1.20]"])


class NormTable(Table):
    """Level 1 first; reached at or below. The unit tells which energy is meant, unless `energy` does."""

    id: NormId = Field(examples=['"GB 16780-2021 clinker"'])
    product: Identifier = Field(examples=['"clinker"'])
    energy: Literal["electricity", "heat", "comprehensive"] | None = None
    unit: UnitOf = Field(examples=['"kgce/t"'])
    levels: Levels = Field(examples=["[100, 107, 117]"])
    boundary: Literal["stage", "chain"] = "stage"
    electricity: Measured | None = None
    correction: CorrectionTable | None = None
    start: Day | None = Field(None, alias="from")
    end: Day | None = Field(None, alias="to")
    source: Text = ""
