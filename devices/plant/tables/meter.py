"""`[meter.NAME]`: one edge device; its channels are tables of their own."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Name, SpanMs, Text, Uncertain


class MeterTable(Table):
    """A meter stands on a line or on a stack."""

    line: Name | None = None
    stack: Name | None = None
    every: SpanMs = Field(examples=['"1s"'])
    topic: Text | None = None
    parent: Name | None = None
    uncertainty: Uncertain | None = None
    backup_of: Name | None = None
    channels: dict[str, Any] = Field(examples=['{ feed = { unit = "t/h", kind = "rate" } }'])
