"""`[material.NAME]`: what is consumed."""

from __future__ import annotations

from devices.plant.tables.values import Table, Text


class MaterialTable(Table):
    """`waste`: it is a waste of another industry."""

    counts_gd: bool = True
    counts_cd: bool = True
    waste: bool = False
    source: Text = ""
