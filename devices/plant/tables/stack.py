"""`[stack.NAME]`: one emission point."""

from __future__ import annotations

from pydantic import Field

from devices.plant.tables.values import Identifier, Measure, Name, Names, Table


class StackTable(Table):
    """A stack stands on the site of its lines; one without lines names its site."""

    lines: Names = ()
    site: Name | None = None
    regime: Identifier = Field(examples=['"cn-cement-ultra-low"'])
    ambient: Measure | None = None
