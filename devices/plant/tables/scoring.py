"""`[scoring]`: which windows are shown."""

from __future__ import annotations

from devices.plant.tables.values import Durations, Table


class ScoringTable(Table):
    """Defaults are those of contracts.md."""

    windows: Durations = ("1min", "15min", "1h", "8h", "24h", "30d")
