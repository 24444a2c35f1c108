"""Which channels count in which degree or energy of a line, and which its completeness asks for (semantics §3)."""

from __future__ import annotations

from typing import Literal

from devices.plant.model import Channel, Kind, Line, Plant
from devices.plant.norm import EnergyKind
from devices.plant.terms import DEGREES as DEGREES_OF
from devices.plant.terms import counted, measures_co2, terms
from devices.plant.weighed import Rows, labs_of, weighed_rows
from scoring.degrees.likeness import likeness
from scoring.windows.sums import CoverageGroup

Degree = Literal["gd", "lcd", "cd", "sd"]
DEGREES: tuple[Degree, ...] = ("gd", "lcd", "cd", "sd")
"""In the order in which every list of scores gives them."""
ENERGIES: tuple[EnergyKind, ...] = ("electricity", "heat", "comprehensive")
"""The kinds of specific energy, in the order of every list of them."""
ROWS: tuple[str, ...] = (*DEGREES, *ENERGIES)
"""All that has a completeness and a quality of its own."""
HEAT_UP = "heat-up"
"""A group that is no degree's: how long the line's heating-up condition held."""


def counts_in(channel: Channel, degree: str, *, power: bool, measured: bool) -> bool:
    """Whether the channel is by its kind in the sums of that row of `ROWS`. `power` and `measured` are the line's."""
    what = channel.counts.what if channel.counts else ""
    if what == "product":
        return degree != "cd"
    if degree == "gd":
        return channel.counts_gd
    if degree == "cd":
        return channel.counts_cd
    if degree in ENERGIES:
        electric = what == "electricity" and not channel.waste_heat
        return (electric and degree != "heat") or (what == "fuel" and degree != "electricity")
    bought = power and not channel.waste_heat
    return degree == "lcd" and {"electricity": bought, "fuel": not measured, "co2": True}.get(what, False)


def counting(plant: Plant, line: Line, weighed: Rows) -> dict[str, set[int]]:
    """By row of `ROWS`, the rows of Plant.channels in its sums: amounts, and those weighed by laboratory values.

    The laboratories' own channels are not among them: between samples their value holds, and what is missing of
    them is marked or withheld where it is used.
    """
    channels = counted(plant, line)
    measured = measures_co2(channels)
    found = {d: {c.index for c in channels if counts_in(c, d, power=line.lcd.power, measured=measured)} for d in ROWS}
    for term in terms(plant, line):
        labs, _ = labs_of(term.factors)
        for degree in ROWS if labs else ():
            if degree in DEGREES_OF.get(term.to, ()):
                found[degree] |= {*weighed[term.channel.index, labs]}
        if term.to in ("process", "deducted"):
            found["lcd"].add(term.channel.index)
    return found


def coverage_groups(plant: Plant) -> tuple[CoverageGroup, ...]:
    """One group for every line and row of `ROWS`, lines in the order of the plant; then one for every line that can
    heat up.

    A group holds what the row requires: by default all that count in it. Instant amounts cover no time and
    are never asked for; an empty group is complete whenever the line runs.
    """
    weighed, alike = weighed_rows(plant), likeness(plant)
    first = {row: _required_by(plant, plant.lines[row], weighed) for row in dict.fromkeys(alike.first)}
    degrees = tuple(
        CoverageGroup(line.index, row, tuple([own[c] for c in channels]), _running(line))
        for line in plant.lines
        for own in (alike.to(line),)
        for row, channels in zip(ROWS, first[alike.first[line.index]], strict=True)
    )
    warm = (
        CoverageGroup(line.index, HEAT_UP, (), (line.heat_up.channel, line.heat_up.above))
        for line in plant.lines
        if line.heat_up is not None
    )
    return (*degrees, *warm)


def _running(line: Line) -> tuple[int, int] | None:
    return (line.running.channel, line.running.above) if line.running else None


def _required_by(plant: Plant, line: Line, weighed: Rows) -> list[tuple[int, ...]]:
    """By row of `ROWS`."""
    default = counting(plant, line, weighed)
    return [_required(plant, line, default[d]) for d in ROWS]


def _required(plant: Plant, line: Line, default: set[int]) -> tuple[int, ...]:
    channels = (plant.channels[c] for m in line.meters for c in plant.meters[m].channels)
    return tuple(
        c.index
        for c in channels
        if c.required is not False
        and (c.index in default or (c.required and not c.counts))
        and not (c.kind is Kind.AMOUNT and not c.period_ms)
    )
