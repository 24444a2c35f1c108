"""Which channels count in which degree or energy of a line, and which its completeness asks for (semantics §3)."""

from __future__ import annotations

from typing import Literal

from devices.plant.model import Channel, Kind, Line, Plant
from devices.plant.norm import EnergyKind
from scoring.windows.sums import CoverageGroup

Degree = Literal["gd", "lcd", "cd", "sd"]
DEGREES: tuple[Degree, ...] = ("gd", "lcd", "cd", "sd")
"""In the order in which every list of scores gives them."""
ENERGIES: tuple[EnergyKind, ...] = ("electricity", "heat", "comprehensive")
"""The kinds of specific energy, in the order of every list of them."""
ROWS: tuple[str, ...] = (*DEGREES, *ENERGIES)
"""All that has a completeness and a quality of its own."""


def counted(plant: Plant, line: Line) -> list[Channel]:
    """The line's channels that count in anything: main meters, not the sub-meters whose amounts are in them."""
    channels = (plant.channels[c] for m in line.meters for c in plant.meters[m].channels)
    return [c for c in channels if c.counts and not c.shadowed and c.kind is not Kind.LEVEL]  # a level has no amount


def measures_co2(channels: list[Channel]) -> bool:
    """Whether a line's process and fuel CO2 is measured: then it is not calculated as well."""
    return any(c.counts is not None and c.counts.what == "co2" for c in channels)


def counts_in(channel: Channel, degree: str, *, power: bool, measured: bool) -> bool:
    """Whether the channel is part of the sums of that row of `ROWS`. `power` and `measured` are the line's."""
    what = channel.counts.what if channel.counts else ""
    if what == "product":
        return degree != "cd"
    if degree == "gd":
        return channel.counts_gd
    if degree == "cd":
        return channel.counts_cd
    if degree in ENERGIES:
        return (what == "electricity" and degree != "heat") or (what == "fuel" and degree != "electricity")
    return degree == "lcd" and {"electricity": power, "fuel": not measured, "co2": True}.get(what, False)


def coverage_groups(plant: Plant) -> tuple[CoverageGroup, ...]:
    """One group for every line and row of `ROWS`, lines in the order of the plant.

    A group holds what the row requires: by default all that count in it. Instant amounts cover no time and
    are never asked for; an empty group is complete whenever the line runs.
    """
    return tuple(_group(plant, line, degree) for line in plant.lines for degree in ROWS)


def _group(plant: Plant, line: Line, degree: str) -> CoverageGroup:
    counting = counted(plant, line)
    measured = measures_co2(counting)
    default = {c.index for c in counting if counts_in(c, degree, power=line.lcd.power, measured=measured)}
    channels = (plant.channels[c] for m in line.meters for c in plant.meters[m].channels)
    required = tuple(
        c.index
        for c in channels
        if c.required is not False
        and (c.index in default or (c.required and not c.counts))
        and not (c.kind is Kind.AMOUNT and not c.period_ms)
    )
    running = (line.running.channel, line.running.above) if line.running else None
    return CoverageGroup(line.index, degree, required, running)
