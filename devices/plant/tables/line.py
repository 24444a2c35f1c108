"""`[line.NAME]`: one production line."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Identifier, Measure, Name, NormIds, NotNegative, Number, Text


class LcdTable(Table):
    """How the line's low-carbon degree is counted; what is not said, the benchmark says."""

    basis: Literal["gross", "net"] | None = None
    power: bool | None = None
    benchmark: Identifier | None = None


class RunningTable(Table):
    """The line runs while this channel is above that value."""

    channel: Text = Field(examples=['"k1-kiln.feed"'])
    above: Number = Field(examples=["50"])


class LineTable(Table):
    """Everything is measured on lines and adds up from them."""

    site: Name = Field(examples=['"wuhu"'])
    area: Name = Field(examples=['"pyro"'])
    industry: Name | None = None
    people: NotNegative | None = None
    hours: Literal["calendar", "worked"] = "calendar"
    lcd: LcdTable = LcdTable()
    running: RunningTable | None = None
    heat_up: RunningTable | None = None
    min_output: Measure | None = None
    norms: NormIds = ()
