"""A stack compiled: which channels make each pollutant, in which form, with whose oxygen and moisture.

A pollutant is any level channel on the stack's meters with a concentration unit (mg/m3, ug/m3 …, ppm, ppb),
under the channel's own name; the rest are auxiliaries (o2, moisture, temp, pressure; flow for mass, calibration for
the US rule) or nothing of ours. Where a stack measures `no` and `no2` but no `nox`, the two together are `nox`,
counted as NO2. A meter that says `backup_of` fills the minutes in which the main one is invalid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from scoring.stacks.aside import Aside
from scoring.stacks.band import Doubt
from scoring.stacks.normalise import Form, Gas
from scoring.windows.sums import SpanSums


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
    flow: Mean | None = None  # m3/h
    flow_hot: bool = False
    flow_wet: bool = False
    asides: tuple[Aside, ...] = ()  # what is declared of the first four
    calibration: int | None = None  # channel whose readings say that one passed (above 0) or failed

    @property
    def corrects(self) -> tuple[int, ...]:
        """The channels that a concentration is normalised with."""
        return tuple(mean.channel for mean in (self.o2, self.moisture, self.celsius, self.pressure) if mean)

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
    awaited: tuple[tuple[int, int], ...]  # (channel that it needs, ms without a reading after which it is stale)
    backups: tuple[tuple[Part, ...], ...] = ()
    gap_ms: int = 0  # how long one reading may count
    every_ms: int = 60_000
    unsure: tuple[int, ...] = ()  # meters of auxiliaries of which an uncertainty is declared


@dataclass(frozen=True, slots=True)
class Made:
    """A channel that counts a regime's product."""

    channel: int
    tonnes: Fraction  # of one integer of its sums


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one stack's channels become emissions."""

    pollutants: tuple[Pollutant, ...]
    auxiliaries: tuple[Auxiliaries, ...]
    running: tuple[tuple[str, int, int], ...]  # (line, channel, above): the lines that say when they run
    always: bool  # some line of the stack never says that it stands (or it serves none)
    product: tuple[Made, ...] = ()


def weighed(recipe: Recipe) -> frozenset[str]:
    """The pollutants whose mass is known: those whose analyser has a flow beside it."""
    return frozenset(p.name for p in recipe.pollutants if recipe.auxiliaries[p.parts[0].auxiliaries].flow is not None)


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
