"""`[fuel.NAME]`: what burns."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Share, Text
from devices.plant.tables.worth import Said, Worth


class FuelTable(Table):
    """A fuel is no material unless it says `counts_gd` or `counts_cd`."""

    ncv: Worth = Field(examples=['"25.8 GJ/t"'])
    ef: Worth = Field(examples=['"94.6 kg/GJ"'])
    biogenic: Worth = Said(Fraction(0))
    alternative: bool | None = None
    waste: bool = False
    counts_gd: bool = False
    counts_cd: bool = False
    source: Text = ""
    uncertainty: Share = Fraction(0)
