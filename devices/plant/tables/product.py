"""`[product.NAME]`: what a line makes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Text, UnitOf
from devices.plant.tables.worth import ProcessWorth, Worth
from devices.units import unit


class ChemistryTable(Table):
    """`process = { chemistry = {…} }`: mass shares in the product, and what of them is not from carbonates."""

    cao: Worth = Field(examples=['"k1-lab.cao"'])
    mgo: Worth | None = None
    cao_nc: Worth | None = None
    mgo_nc: Worth | None = None


class InputTable(Table):
    """`process = { input = {…} }`: feed × (1 − dust return) × loss on ignition."""

    of: Text = Field(examples=['"raw-meal"'])
    dust_return: Worth | None = None
    loi: Worth = Field(examples=['"k1-lab.loi"'])


class ProcessTable(Table):
    """One of the two."""

    chemistry: ChemistryTable | None = None
    input: InputTable | None = None


class ProductTable(Table):
    """`process` is CO2, `theoretical` natural resources, per unit of product; `best_peer` is output per person-time."""

    unit: UnitOf = unit("t")
    process: ProcessWorth | None = None
    theoretical: Worth | None = None
    best_peer: Worth | None = None
    qualified: Worth | None = None
    carbon: Worth | None = None
    role: Literal["clinker", "cementitious"] | None = None
    source: Text = ""
