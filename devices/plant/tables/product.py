"""`[product.NAME]`: what a line makes."""

from __future__ import annotations

from devices.plant.tables.values import Measured, Table, Text, UnitOf
from devices.units import unit


class ProductTable(Table):
    """`process` is CO2, `theoretical` natural resources, per unit of product; `best_peer` is output per person-time."""

    unit: UnitOf = unit("t")
    process: Measured | None = None
    theoretical: Measured | None = None
    best_peer: Measured | None = None
    source: Text = ""
