"""A stack compiled: which channels make each pollutant, in which form, with whose oxygen and moisture.

A pollutant is any level channel on the stack's meters with a concentration unit (mg/m3, ug/m3 …, ppm, ppb),
under the channel's own name; the rest are auxiliaries (o2, moisture, temp, pressure) or nothing of ours (flow).
Where a stack measures `no` and `no2` but no `nox`, the two together are `nox`, counted as NO2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import hypot, lcm

from devices.plant.model import Channel, Kind, Plant, Stack
from devices.units import Unit, convert, factor
from scoring.stacks.band import Doubt
from scoring.stacks.molar import NO_AS_NO2
from scoring.stacks.normalise import Form, Gas
from scoring.windows.sums import SpanSums

_OXIDES = ("no", "no2")
_AUXILIARIES = {"o2": "%", "moisture": "%", "temp": "degC", "pressure": "Pa"}


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of one channel over a span, in a unit of ours: one correctly rounded double from exact integers."""

    channel: int
    times: int
    plus: int
    over: int  # mean = (total·times + covered·plus) / (covered·over)

    def of(self, span: SpanSums) -> float | None:
        """None where no valid time of the channel lies in the span."""
        covered = int(span.covered[self.channel])
        if covered <= 0:
            return None
        return (span.total(self.channel) * self.times + covered * self.plus) / (covered * self.over)


@dataclass(frozen=True, slots=True)
class Auxiliaries:
    """What the gas around one meter's analysers is known by; None: the stack does not measure it."""

    o2: Mean | None
    o2_wet: bool
    moisture: Mean | None
    celsius: Mean | None
    pressure: Mean | None
    channels: tuple[int, ...]

    def gas(self, span: SpanSums) -> Gas:
        """The gas in one minute.

        A level reading covers [ts, ts + max_gap) and no longer than to the next one. So "the last held within
        its max_gap" is what the minute's covered time already holds: any covered time at all gives a mean.
        """
        return Gas(
            o2=self.o2.of(span) if self.o2 else None,
            o2_wet=self.o2_wet,
            moisture=self.moisture.of(span) if self.moisture else None,
            celsius=self.celsius.of(span) if self.celsius else None,
            pressure=self.pressure.of(span) if self.pressure else None,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One channel of a pollutant; all but nitrogen oxides have just one."""

    mean: Mean  # ppm or mg/m3
    form: Form
    raw: Fraction  # channel steps → the pollutant's raw_unit
    auxiliaries: int  # row of Recipe.auxiliaries
    doubt: Doubt | None = None  # None: no uncertainty is declared


@dataclass(frozen=True, slots=True)
class Pollutant:
    """One line of a stack's report."""

    name: str
    parts: tuple[Part, ...]
    raw_unit: str
    silent_ms: int  # no reading for this long: stale


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one stack's channels become emissions."""

    pollutants: tuple[Pollutant, ...]
    auxiliaries: tuple[Auxiliaries, ...]
    running: tuple[tuple[str, int, int], ...]  # (line, channel, above): the lines that say when they run
    always: bool  # some line of the stack never says that it stands (or it serves none)


def compile_stack(plant: Plant, stack: Stack) -> Recipe:
    """The recipe of one stack."""
    channels = [plant.channels[c] for m in stack.meters for c in plant.meters[m].channels]
    levels = [c for c in channels if c.kind is Kind.LEVEL and c.name not in _AUXILIARIES]
    measured: dict[str, Channel] = {}
    for c in levels:
        if _in_ppm(c.unit) or _in_mass(c.unit):
            measured.setdefault(c.name, c)  # of two meters for one pollutant the first counts
    groups: dict[str, tuple[Channel, ...]] = {}
    oxides = all(n in measured for n in _OXIDES)
    for name, c in measured.items():
        if name in _OXIDES and oxides:
            if "nox" not in measured:
                groups["nox"] = tuple(measured[n] for n in _OXIDES)
        else:
            groups[name] = (c,)
    tables: list[Auxiliaries] = []
    rows: dict[int, int] = {}
    for m in stack.meters:
        table = _auxiliaries(plant, stack, [c for c in channels if c.meter == m], channels)
        if table not in tables:
            tables.append(table)
        rows[m] = tables.index(table)
    lines = [plant.lines[i] for i in stack.lines]
    says = [(x.name, x.running) for x in lines if x.running and _holds(plant, x.running.channel)]
    return Recipe(
        pollutants=tuple(_pollutant(plant, name, group, rows) for name, group in groups.items()),
        auxiliaries=tuple(tables),
        running=tuple((name, r.channel, r.above) for name, r in says),
        always=len(says) < max(1, len(lines)),
    )


def steps(plant: Plant, channel: Channel) -> Fraction:
    """One integer of the channel's sums, in the channel's unit. A derived channel carries its source's integers."""
    if channel.source is None:
        return channel.step
    return steps(plant, plant.channels[channel.source]) * channel.times


def _pollutant(plant: Plant, name: str, group: tuple[Channel, ...], rows: dict[int, int]) -> Pollutant:
    parts = []
    raw_units = set()
    oxide = len(group) > 1
    for c in group:
        ppm = _in_ppm(c.unit)
        weight = NO_AS_NO2 if oxide and c.name == "no" and not ppm else Fraction(1)
        to = "ppm" if ppm else "mg/m3"
        raw_unit = to if oxide else c.unit.symbol
        raw_units.add(raw_unit)
        parts.append(
            Part(
                mean=_mean(plant, c, to, times=weight),
                form=Form(gas=name if ppm else None, hot=c.state == "hot" and not ppm, wet=c.water == "wet"),
                raw=steps(plant, c) * weight * factor(c.unit, raw_unit),
                auxiliaries=rows[c.meter],
                doubt=_doubt(plant, c, steps(plant, c) * weight * factor(c.unit, raw_unit)),
            )
        )
    return Pollutant(
        name=name,
        parts=tuple(parts),
        raw_unit=raw_units.pop() if len(raw_units) == 1 else "",
        silent_ms=max(10_000, 3 * max(c.every_ms for c in group)),
    )


def _doubt(plant: Plant, c: Channel, raw: Fraction) -> Doubt | None:
    """What is declared of the channel; of a derived one beside what is declared of its source."""
    own = [] if c.uncertainty is None else [c.uncertainty]
    if c.source is not None and (source := plant.channels[c.source].uncertainty) is not None:
        own.append(source)
    if not own:
        return None
    return Doubt(c.meter, hypot(*(u.relative for u in own)), hypot(*(u.per_ms * raw for u in own)))


def _auxiliaries(plant: Plant, stack: Stack, own: list[Channel], others: list[Channel]) -> Auxiliaries:
    """An analyser is corrected with its own meter's auxiliaries, else with the stack's."""
    found: dict[str, Channel] = {}
    for c in [*own, *others]:
        if c.name in _AUXILIARIES and _holds(plant, c.index):
            found.setdefault(c.name, c)
    o2, pressure = found.get("o2"), found.get("pressure")
    absolute: Mean | None = None
    if pressure is not None and not pressure.gauge:
        absolute = _mean(plant, pressure, "Pa")
    elif pressure is not None and stack.ambient_pa is not None:
        absolute = _mean(plant, pressure, "Pa", plus=stack.ambient_pa)
    return Auxiliaries(
        o2=_mean(plant, o2, "%") if o2 else None,
        o2_wet=o2 is not None and o2.water == "wet",
        moisture=_mean(plant, found["moisture"], "%") if "moisture" in found else None,
        celsius=_mean(plant, found["temp"], "degC") if "temp" in found else None,
        pressure=absolute,
        channels=tuple(c.index for c in found.values()),
    )


def _mean(plant: Plant, c: Channel, to: str, *, times: Fraction = Fraction(1), plus: Fraction = Fraction(0)) -> Mean:
    zero = convert(Fraction(0), c.unit, to)
    slope = (convert(Fraction(1), c.unit, to) - zero) * steps(plant, c) * times
    shift = zero + plus
    over = lcm(slope.denominator, shift.denominator)
    return Mean(c.index, int(slope * over), int(shift * over), over)


def _holds(plant: Plant, channel: int) -> bool:
    """Whether the channel has a mean over time at all."""
    return plant.channels[channel].kind in (Kind.LEVEL, Kind.RATE)


def _in_mass(unit: Unit) -> bool:
    return unit.dimension == "mass/volume"


def _in_ppm(unit: Unit) -> bool:
    return unit.symbol in ("ppm", "ppb")


def running_now(recipe: Recipe, span: SpanSums) -> str | None:
    """None while any line of the stack runs, else which lines stand.

    A line runs in a span if the mean of its running channel is above the declared value (exact integers).
    Without any reading of it the line counts as running: missing data must not hide an emission.
    """
    if recipe.always:
        return None
    standing: list[str] = []
    for name, channel, above in recipe.running:
        covered = int(span.covered[channel])
        if covered <= 0 or span.total(channel) > above * covered:
            return None
        standing.append(name)
    return f"line {_and(standing)} not running"


def _and(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last} are" if first else f"{last} is"
