"""`[[benchmark]]`: the leading CO2 per unit of product."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Day, Identifier, Positive, Text, UnitOf


class BenchmarkTable(Table):
    """Basis, power and boundary are never guessed: like is compared with like only."""

    id: Identifier = Field(examples=['"eu-ets-grey-clinker"'])
    product: Identifier = Field(examples=['"clinker"'])
    value: Positive = Field(examples=["0.693"])
    unit: UnitOf = Field(examples=['"t CO2/t"'])
    basis: Literal["gross", "net"] = Field(examples=['"gross"'])
    power: bool = Field(examples=["false"])
    boundary: Literal["stage", "chain"] = Field(examples=['"stage"'])
    start: Day | None = Field(None, alias="from")
    end: Day | None = Field(None, alias="to")
    source: Text = ""
