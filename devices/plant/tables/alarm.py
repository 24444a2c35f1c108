"""`[[alarm]]`: when somebody must look."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from devices.plant.tables.reading import Table
from devices.plant.tables.values import DelayMs, Identifier, Measure, Name, Number, Text


class OnTable(Table):
    """What is watched: a stack's pollutant, or a line's or scope's degree.

    `watch`: the average itself, what its rest may still average, or the minutes until a breach is unavoidable.
    """

    stack: Name | None = None
    pollutant: Name | None = None
    average: Text | None = None
    watch: Literal["value", "allowed_mean", "minutes_left"] | None = None
    line: Name | None = None
    scope: Text | None = None
    degree: Literal["gd", "lcd", "cd", "sd"] | None = None
    window: Text | None = None


class LimitTable(Table):
    """Trips at or above `at` (`low`: at or below) for `on_delay`; clears beyond the deadband for `off_delay`."""

    at: Number | None = None
    deadband: Measure | None = None
    on_delay: DelayMs = 0
    off_delay: DelayMs = 0
    low: bool = False


class AlarmTable(Table):
    """One alarm."""

    id: Identifier = Field(examples=['"nox-high"'])
    on: OnTable = Field(examples=['{ stack = "tail", pollutant = "nox", average = "1min" }'])
    limit: LimitTable = LimitTable()
    priority: Literal["low", "medium", "high", "critical"] = "high"
