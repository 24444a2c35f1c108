"""`[site.NAME]`: a place with its own local time and electricity."""

from __future__ import annotations

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import Identifier, Name, Zone


class SiteTable(Table):
    """Country and region are tags: a site without them has no score on those levels."""

    enterprise: Name = Field(examples=['"acme"'])
    country: Name | None = None
    region: Name | None = None
    timezone: Zone = Field(examples=['"Asia/Shanghai"'])
    electricity: Identifier | None = None
