"""The plant as the engines see it: plain frozen records, indices instead of names, units resolved.

`devices.plant.load(path)` reads a registry (TOML, pydantic), reports every mistake, and compiles it
to a `Plant`. Everything here is immutable and holds no behaviour beyond look-ups. Quantities are
`Fraction`s in the unit that the field's comment names, so that arithmetic on them is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from fractions import Fraction
from typing import Literal

from devices.plant.flags import DEFAULT as FLAGS
from devices.plant.norm import Norm
from devices.plant.regime import Regime as Regime
from devices.plant.regime import Specific as Specific
from devices.plant.regime import Substitution as Substitution
from devices.plant.values import Dust, Lab, Process, Value
from devices.units import Unit

Basis = Literal["gross", "net"]
CountsWhat = Literal["material", "fuel", "product", "electricity", "co2"]


class Kind(IntEnum):
    """What interval a reading covers (semantics §2). A derived channel carries its source's kind."""

    AMOUNT = 0
    COUNTER = 1
    RATE = 2
    LEVEL = 3


@dataclass(frozen=True, slots=True)
class Counts:
    """What a channel counts in: `material:raw-meal` is Counts("material", "raw-meal")."""

    what: CountsWhat
    id: str = ""  # "" for electricity and co2

    def __str__(self) -> str:
        return f"{self.what}:{self.id}" if self.id else self.what


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What a channel's total over a window may be off by, with about 95 % confidence (k = 2): the root of the
    squares of both, each in proportion to the window (a meter's error does not average out).
    """

    relative: Fraction = Fraction(0)  # of the reading
    per_ms: Fraction = Fraction(0)  # counts of the exact total in each ms covered


@dataclass(frozen=True, slots=True)
class Channel:
    """One number that a meter reports, or one derived from it."""

    index: int
    meter: int  # row of Plant.meters
    name: str
    field: str  # key in the payload; InfluxDB's field is the name
    kind: Kind
    unit: Unit
    step: Fraction  # value = integer × step, in `unit`; default 1e-6
    every_ms: int
    max_gap_ms: int  # default 3 × every
    period_ms: int = 0  # amount only; 0: an instant
    modulus: int | None = None  # counter only, in steps
    rise_max: Fraction | None = None  # counter only, steps per millisecond
    low: int | None = None  # range in steps, inclusive
    high: int | None = None
    counts: Counts | None = None
    waste: bool = False  # its material is a waste of another industry (R of the circular degree)
    counts_gd: bool = False  # resolved: counts in M of the green degree
    counts_cd: bool = False  # resolved: counts in M of the circular degree
    required: bool | None = None  # None: the default rule of semantics §3
    shadowed: bool = False  # a main meter above already counts this: never both
    source: int | None = None  # derived only: row of the source channel
    times: Fraction = Fraction(1)  # derived only: this = source × times (in `unit` per source unit)
    delay_ms: int = 0  # derived only: transport delay
    water: Literal["wet", "dry"] | None = None  # stack gas only; None: not said, taken as dry
    state: Literal["hot", "standard"] | None = None  # stack mg/m3 only; None: not said, taken as standard
    gauge: bool = False  # stack pressure is relative to ambient
    uncertainty: Uncertainty | None = None  # derived: of `times`, beside its source's; None: nothing declared
    moisture: Value | None = None  # mass share of water: a material or fuel counts dry
    exported: bool = False  # electricity or fuel given away: counts less
    waste_heat: bool = False  # electricity made of the line's own waste heat: carries no CO2
    labs: tuple[Lab, ...] = ()  # weighed: each part of `source` times the values of laboratories in force then …
    limb: int = 0  # … of the product's digits to the base 2**28 this one


@dataclass(frozen=True, slots=True)
class Meter:
    """One edge device, one topic."""

    index: int
    name: str
    line: int | None  # row of Plant.lines, or
    stack: int | None  # row of Plant.stacks
    site: int
    topic: str
    every_ms: int
    channels: tuple[int, ...]  # rows of Plant.channels, derived ones included
    parent: int | None = None  # main meter above this sub-meter
    backup_of: int | None = None  # stack's analyser whose invalid minutes this one fills


@dataclass(frozen=True, slots=True)
class Site:
    """A place with its own local time and electricity factor."""

    index: int
    name: str
    enterprise: str
    country: str
    region: str
    timezone: str  # IANA name; legal hours, days, months, factor periods
    electricity: str | None  # id of the grid factor


@dataclass(frozen=True, slots=True)
class Running:
    """A line runs while this channel's value is above `above` (steps of the channel)."""

    channel: int
    above: int


@dataclass(frozen=True, slots=True)
class LcdChoice:
    """How a line's low-carbon degree is counted."""

    basis: Basis = "gross"
    power: bool = True  # the paper's "total CO2"
    benchmark: str | None = None  # id, else the one benchmark that fits its product, basis and power


@dataclass(frozen=True, slots=True)
class Line:
    """One production line: where everything is measured, and everything above adds up from."""

    index: int
    name: str  # "k1"
    id: str  # "acme/wuhu/pyro/k1"
    site: int
    area: str
    industry: str
    people: Fraction | None  # heads at work
    hours: Literal["calendar", "worked"]
    lcd: LcdChoice
    running: Running | None
    min_output: Fraction  # product units per hour; idle below (0: idle at zero output)
    meters: tuple[int, ...]
    norms: tuple[str, ...] = ()  # ids of the norms it chose where more than one fits
    heat_up: Running | None = None  # while this holds and nothing is made, the line heats up


@dataclass(frozen=True, slots=True)
class Stack:
    """One emission point."""

    index: int
    name: str
    id: str  # "acme/wuhu/tail"
    site: int
    lines: tuple[int, ...]
    regime: str
    ambient_pa: Fraction | None
    meters: tuple[int, ...]
    permit: Mapping[str, Fraction] = field(default_factory=dict)  # pollutant -> t a calendar year
    substitution: Substitution | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """What a line makes."""

    id: str
    unit: Unit
    process: Process | None = None  # t CO2 per unit of product (default factor), or how it is counted
    theoretical: Value | None = None  # t of natural resources per unit: GD's numerator
    best_peer: Value | None = None  # units per person-hour (a person-year is 8,760 h): SD's numerator
    source: str = ""
    declared: bool = True  # False: only counted, so with the defaults
    qualified: Value | None = None  # share of what is made that is good: only that is output
    carbon: Value | None = None  # t C per unit: leaves the line's carbon balance, enters the next one's
    role: Literal["clinker", "cementitious"] | None = None  # in the clinker factor


@dataclass(frozen=True, slots=True)
class Fuel:
    """What burns."""

    id: str
    ncv: Value  # GJ per unit of `unit`
    ef: Value  # t CO2 per GJ
    unit: Unit  # the amount ncv is per: t, or m3
    biogenic: Value = Fraction(0)  # share of the carbon that is biogenic: a memo item
    alternative: bool = False  # a fossil alternative fuel counts in gross, not in net
    source: str = ""
    uncertainty: Fraction = Fraction(0)  # of ncv × ef, k = 2


@dataclass(frozen=True, slots=True)
class Material:
    """What is consumed."""

    id: str
    counts_gd: bool = True
    counts_cd: bool = True
    waste: bool = False
    source: str = ""
    declared: bool = True  # False: only counted, so with the defaults
    deduction: Value | None = None  # t CO2 per t: what it saves as a substitute
    carbon: Value | None = None  # t C per t: enters the line's carbon balance
    dust: Dust | None = None  # it leaves the kiln and takes CO2 along


@dataclass(frozen=True, slots=True)
class Dated:
    """One dated value of a factor: from the start of `start` to the end of `end` in the site's local dates."""

    value: Fraction  # in `unit`
    unit: str
    start: date | None
    end: date | None
    source: str
    uncertainty: Fraction = Fraction(0)  # of the value, k = 2


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The leading CO2 per unit of product, one period of validity."""

    id: str
    product: str
    value: Fraction  # t CO2 per unit of product
    basis: Basis
    power: bool
    boundary: Literal["stage", "chain"]
    start: date | None
    end: date | None  # after it: used and marked expired
    source: str


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One alarm from the registry. Trips at or above `at` (below it, if `low`)."""

    id: str
    scope: str  # "stack:acme/wuhu/tail", "line:…", any scope id
    pollutant: str | None  # emission alarm: pollutant and average
    average: str | None
    degree: str | None  # score alarm: degree and window
    window: str | None
    at: Fraction
    unit: str
    low: bool
    deadband: Fraction  # absolute, in the unit of `at`
    on_delay_ms: int
    off_delay_ms: int
    priority: Literal["low", "medium", "high", "critical"]
    watch: Literal["value", "allowed_mean", "minutes_left"] = "value"  # emission alarm: what of the average


@dataclass(frozen=True, slots=True)
class Intake:
    """Which readings are let in."""

    topic: str
    past_ms: int
    future_ms: int
    grace_ms: int
    history: bool
    simulated: bool = False  # the meters are no real ones: said on everything


Level = Literal["line", "area", "site", "enterprise", "industry", "region", "country"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Something that has degrees: a line or a set of lines."""

    index: int
    id: str  # "line:acme/wuhu/pyro/k1", "region:CN/anhui", "industry:cement"
    level: Level
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plant:
    """A whole registry, compiled. Rows are in order of name (lines, stacks, scopes: of id), so that
    moving tables about in the file changes nothing; indices are stable for one `version`.
    """

    version: int  # 63-bit hash of everything that changes an output
    intake: Intake
    windows: tuple[str, ...]  # as written, in ascending length
    window_ms: tuple[int, ...]
    sites: tuple[Site, ...]
    lines: tuple[Line, ...]
    stacks: tuple[Stack, ...]
    meters: tuple[Meter, ...]
    channels: tuple[Channel, ...]
    scopes: tuple[Scope, ...]  # lines first, then the levels above in ascending order
    alarms: tuple[AlarmRule, ...]
    products: Mapping[str, Product]
    fuels: Mapping[str, Fuel]
    materials: Mapping[str, Material]
    factors: Mapping[str, tuple[Dated, ...]]  # ascending by start; a later start wins from that day on
    benchmarks: Mapping[str, tuple[Benchmark, ...]]
    regimes: Mapping[str, tuple[Regime, ...]]
    norms: Mapping[str, tuple[Norm, ...]] = field(default_factory=dict)  # of specific energy

    def is_valid(self, letter: str, meter: int) -> bool:
        """Whether a reading of the meter with that HJ 212 letter counts: on a stack its regime says so."""
        stack = self.meters[meter].stack
        entries = self.regimes.get(self.stacks[stack].regime) if stack is not None else None
        return (entries[-1].meaning(letter) if entries else FLAGS.get(letter)) == "valid"

    def channel(self, meter: str, name: str) -> Channel:
        """The channel of that name; KeyError if there is none."""
        for m in self.meters:
            if m.name == meter:
                for c in m.channels:
                    if self.channels[c].name == name:
                        return self.channels[c]
        raise KeyError(f"{meter}.{name}")
