"""`[material.NAME]`: what is consumed, or leaves the kiln as dust."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Identifier, Share, Text
from devices.plant.tables.worth import Worth


class DustTable(Table):
    """Kiln dust takes CO2 along by its degree of calcination; bypass dust in full."""

    of: Identifier = Field(examples=['"clinker"'])
    calcination: Share = Fraction(1)
    bypass: bool = False
    ef: Worth | None = None


class MaterialTable(Table):
    """`waste`: it is a waste of another industry. What leaves the kiln as dust is not consumed."""

    counts_gd: bool | None = None
    counts_cd: bool | None = None
    waste: bool = False
    deduction: Worth | None = None
    carbon: Worth | None = None
    dust: DustTable | None = None
    source: Text = ""

    @property
    def consumed(self) -> bool:
        """Whether it counts as consumed where nothing else is said."""
        return self.dust is None
