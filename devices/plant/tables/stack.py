"""`[stack.NAME]`: one emission point."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Count, Identifier, Measure, Name, Names, Permits


class SubstitutionTable(Table):
    """What stands in for mass that was not measured. It never enters a concentration."""

    rule: Literal["last", "max", "half-limit"] = Field(examples=['"last"'])
    hours: Count | None = None


class StackTable(Table):
    """A stack stands on the site of its lines; one without lines names its site."""

    lines: Names = ()
    site: Name | None = None
    regime: Identifier = Field(examples=['"cn-cement-ultra-low"'])
    ambient: Measure | None = None
    permit: Permits = Field(default_factory=dict)
    substitution: SubstitutionTable | None = None
