"""`[[factor]]`: a dated value, such as the grid's CO2 per kWh."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Day, Identifier, Number, Share, Text, UnitOf


class FactorTable(Table):
    """Valid from the start of `from` to the end of `to`; a later `from` wins from that day on."""

    id: Identifier = Field(examples=['"grid:CN"'])
    value: Number = Field(examples=["0.5366"])
    unit: UnitOf = Field(examples=['"kg CO2/kWh"'])
    start: Day | None = Field(None, alias="from")
    end: Day | None = Field(None, alias="to")
    source: Text = ""
    uncertainty: Share = Fraction(0)
