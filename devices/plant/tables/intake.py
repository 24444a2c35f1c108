"""`[intake]`: which readings are let in, and where they arrive."""

from __future__ import annotations

from devices.plant.tables.reading import Table
from devices.plant.tables.values import DelayMs, Template

TOPIC = "plant/{enterprise}/{site}/{area}/{line}/{meter}"


class IntakeTable(Table):
    """Defaults are those of contracts.md."""

    topic: Template = TOPIC
    past: DelayMs = 72 * 3_600_000
    future: DelayMs = 60_000
    grace: DelayMs = 15 * 60_000
    history: bool = False
    simulated: bool = False
