"""A works to score: a plant built by hand, and `Sums` that are plain lists of amounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from devices.plant.model import (
    Benchmark,
    Channel,
    Counts,
    Dated,
    Fuel,
    Intake,
    Kind,
    LcdChoice,
    Level,
    Line,
    Material,
    Meter,
    Plant,
    Product,
    Running,
    Scope,
    Site,
)
from devices.plant.norm import Correction, EnergyKind, Norm
from devices.readings import I64, Readings
from devices.units import unit
from scoring.degrees import Degrees, coverage_groups
from scoring.degrees.degrees import Seen
from scoring.energy import SpecificEnergy
from scoring.results import Energy, Score
from scoring.stamp import Stamp
from scoring.windows.records import NONE
from scoring.windows.sums import CoverageGroup, SpanSums

HOUR = 3_600_000
NOON = 1_763_784_000_000  # 2025-11-22T04:00Z, noon in Shanghai
LENGTHS = {"1min": 60_000, "1h": HOUR, "24h": 24 * HOUR, "30d": 720 * HOUR}


def frac(value: str | int | Fraction) -> Fraction:
    return Fraction(value)


@dataclass
class Works:
    """Build with `line`, `channel`, `product` …; book amounts with `amount`; then `scores`."""

    sites: dict[str, Site] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    products: dict[str, Product] = field(default_factory=dict)
    fuels: dict[str, Fuel] = field(default_factory=dict)
    factors: dict[str, tuple[Dated, ...]] = field(default_factory=dict)
    benchmarks: dict[str, tuple[Benchmark, ...]] = field(default_factory=dict)
    norms: dict[str, tuple[Norm, ...]] = field(default_factory=dict)
    booked: list[tuple[int, int, int, int]] = field(default_factory=list)  # channel, start, end, total
    flagged: set[int] = field(default_factory=set)

    @staticmethod
    def number(text: str) -> Fraction:
        return Fraction(text)

    # --- the plant ------------------------------------------------------------------------------

    def site(self, name: str, *, zone: str = "Asia/Shanghai", electricity: str | None = "grid:CN") -> Site:
        index = len(self.sites)
        return self.sites.setdefault(name, Site(index, name, "acme", "CN", "anhui", zone, electricity))

    def line(
        self, name: str, *, site: str = "wuhu", power: bool = False, basis: Any = "gross",
        benchmark: str | None = None, people: int | None = None, min_output: str = "0", **more: Any,
    ) -> Line:  # fmt: skip
        home = self.site(site)
        defaults = {"hours": "calendar", "running": None, "area": "pyro", "industry": "cement"} | more
        line = Line(
            index=len(self.lines), name=name, id=f"acme/{site}/{defaults['area']}/{name}", site=home.index,
            people=None if people is None else Fraction(people), lcd=LcdChoice(basis, power, benchmark),
            min_output=frac(min_output), meters=(len(self.lines),), **defaults,
        )  # fmt: skip
        self.lines.append(line)
        return line

    def channel(self, line: Line, counts: str | None, *, symbol: str = "t", kind: Kind = Kind.COUNTER,
                step: str = "0.001", **more: Any) -> Channel:  # fmt: skip
        what, _, id_ = (counts or "").partition(":")
        material = what == "material"
        channel = Channel(
            index=len(self.channels), meter=line.index, name=f"c{len(self.channels)}", field="x", kind=kind,
            unit=unit(symbol), step=frac(step), every_ms=1000, max_gap_ms=3000,
            counts=Counts(what, id_) if counts else None,  # type: ignore[arg-type]
            **({"counts_gd": material, "counts_cd": material} | more),
        )  # fmt: skip
        self.channels.append(channel)
        return channel

    def runs_with(self, line: Line, channel: Channel, above: int = 0) -> None:
        self.lines[line.index] = replace(self.lines[line.index], running=Running(channel.index, above))

    def product(self, id_: str, symbol: str = "t", **more: str) -> None:
        self.products[id_] = Product(id_, unit(symbol), **{key: frac(value) for key, value in more.items()})

    def fuel(self, id_: str, ncv: str, ef_kg: str, biogenic: str = "0", *, alternative: bool = False) -> None:
        self.fuels[id_] = Fuel(id_, frac(ncv), frac(ef_kg) / 1000, unit("t"), frac(biogenic), alternative)

    def benchmark(self, id_: str, product: str, value: str, *, basis: Any = "gross", power: bool = False,
                  boundary: Any = "stage", start: date | None = None, end: date | None = None) -> None:  # fmt: skip
        entry = Benchmark(id_, product, frac(value), basis, power, boundary, start, end, "test")
        self.benchmarks[id_] = (*self.benchmarks.get(id_, ()), entry)

    def grid(self, value: str, start: date | None = None, *, id_: str = "grid:CN", end: date | None = None) -> None:
        entry = Dated(frac(value), "kg CO2/kWh", start, end, "test")
        self.factors[id_] = (*self.factors.get(id_, ()), entry)

    def norm(self, id_: str, product: str, energy: EnergyKind, levels: str, *, chain: bool = False,
             electricity: str | None = None, correction: Correction | None = None, start: date | None = None,
             end: date | None = None) -> None:  # fmt: skip
        entry = Norm(
            id_, product, energy, tuple(map(frac, levels.split())), "chain" if chain else "stage",
            None if electricity is None else frac(electricity), correction, start, end, "test",
        )  # fmt: skip
        self.norms[id_] = (*self.norms.get(id_, ()), entry)

    def plant(self) -> Plant:
        meters = tuple(
            Meter(n.index, f"m-{n.name}", n.index, None, n.site, n.name, 1000,
                  tuple(c.index for c in self.channels if c.meter == n.index))
            for n in self.lines
        )  # fmt: skip
        return Plant(
            version=1, intake=Intake("", 0, 0, 0, history=True),
            windows=tuple(LENGTHS), window_ms=tuple(LENGTHS.values()),
            sites=tuple(self.sites.values()), lines=tuple(self.lines), stacks=(), meters=meters,
            channels=tuple(self.channels), scopes=self._scopes(), alarms=(), products=self.products, fuels=self.fuels,
            materials={m: Material(m) for m in ()}, factors=self.factors, benchmarks=self.benchmarks, regimes={},
            norms=self.norms,
        )  # fmt: skip

    def _scopes(self) -> tuple[Scope, ...]:
        members: dict[tuple[Level, str], list[int]] = {}
        for line in self.lines:
            members[("line", f"line:{line.id}")] = [line.index]
        for line in self.lines:
            members.setdefault(("site", f"site:acme/{self._site(line).name}"), []).append(line.index)
        for line in self.lines:
            members.setdefault(("enterprise", "enterprise:acme"), []).append(line.index)
        return tuple(Scope(i, id_, level, tuple(rows)) for i, ((level, id_), rows) in enumerate(members.items()))

    def _site(self, line: Line) -> Site:
        return next(site for site in self.sites.values() if site.index == line.site)

    # --- what happened --------------------------------------------------------------------------

    def amount(self, channel: Channel, amount: str | int, *, start: int = NOON - HOUR, end: int = NOON) -> None:
        """Book an amount, in the channel's unit, evenly over (start, end]; of a rate, its mean value over that time."""
        total = frac(amount) / channel.step
        assert total.denominator == 1
        span = end - start if channel.kind is Kind.RATE else 1
        self.booked.append((channel.index, start, end, total.numerator * span))

    def scores(self, window: str = "1h", *, ts: int = NOON, scopes: Iterable[int] | None = None,
               stale: Any = lambda *_: False) -> dict[tuple[str, str], Score]:  # fmt: skip
        """Every score at `ts` by (scope without its level, degree)."""
        plant = self.plant()
        groups = coverage_groups(plant)
        degrees = Degrees(plant, Ledger(plant, groups, self.booked, self.flagged), groups)
        rows = range(len(plant.scopes)) if scopes is None else list(scopes)
        found = degrees.scores(ts, rows, [plant.windows.index(window)], Stamp("live", 0, ts), stale)
        return {(s.scope.rpartition("/")[2] if s.level != "enterprise" else "acme", s.degree): s for s in found}

    def energies(
        self, window: str = "1h", *, ts: int = NOON, stored: bool = False
    ) -> dict[tuple[str, str, str], Energy]:
        """Every specific energy at `ts` by (scope without its level, energy, product)."""
        plant = self.plant()
        groups = coverage_groups(plant)
        degrees = Degrees(plant, Ledger(plant, groups, self.booked, self.flagged), groups)
        rows, stamp = range(len(plant.scopes)), Stamp("live", 0, ts)
        seen: Seen = {}
        degrees.scores(ts, rows, [plant.windows.index(window)], stamp, lambda *_: False, seen=seen)
        found = SpecificEnergy(plant, degrees).energies(ts, rows, seen, stamp, lambda *_: False, stored=stored)
        name = lambda e: "acme" if e.level == "enterprise" else e.scope.rpartition("/")[2]  # noqa: E731 - short
        return {(name(e), e.energy, e.product): e for e in found}


class Ledger:
    """`Sums` over a list of (channel, start, end, total): slow, exact, obvious."""

    def __init__(
        self,
        plant: Plant,
        groups: tuple[CoverageGroup, ...],
        booked: list[tuple[int, int, int, int]],
        flagged: set[int],
    ) -> None:
        self.plant, self.groups, self.booked, self.flags = plant, groups, booked, flagged
        self.asked: list[tuple[int, int]] = []

    def span(self, start: int, end: int, _channels: object = None) -> SpanSums:
        self.asked.append((start, end))
        totals = [0] * len(self.plant.channels)
        covered = np.zeros(len(totals), np.int64)
        for channel, t0, t1, total in self.booked:
            a, b = max(start, t0), min(end, t1)
            if a < b:
                totals[channel] += total * (b - t0) // (t1 - t0) - total * (a - t0) // (t1 - t0)
                covered[channel] += b - a
        flagged = np.array([int(c in self.flags) for c in range(len(totals))], np.int64)
        high = np.array([t >> 32 for t in totals], np.int64)
        low = np.array([t & 0xFFFFFFFF for t in totals], np.int64)
        return SpanSums(start, end, high, low, covered, np.zeros_like(covered), flagged)

    def coverages(self, groups: I64, start: int, end: int) -> I64:
        return np.array([self._coverage(int(g), start, end) for g in groups], np.int64)

    def newest(self, channels: I64 | None = None) -> I64:
        times = (self.last(c) for c in (range(len(self.plant.channels)) if channels is None else channels.tolist()))
        return np.array([NONE if ts is None else ts for ts in times], np.int64)

    def _coverage(self, group: int, start: int, end: int) -> tuple[int, int]:
        asked = self.groups[group]
        instants = sorted({start, end, *(t for _, a, b, _ in self.booked for t in (a, b) if start < t < end)})
        known = running = 0
        for a, b in pairwise(instants):
            runs = asked.running is None or self._value(asked.running[0], a, b) > asked.running[1]
            running += (b - a) * runs
            known += (b - a) * (runs and all(self._covers(c, a, b) for c in asked.channels))
        return known, running

    def last(self, channel: int) -> int | None:
        return max((end for c, _, end, _ in self.booked if c == channel), default=None)

    def push(self, readings: Readings) -> None:
        raise NotImplementedError("a ledger is written by hand")

    def _covers(self, channel: int, start: int, end: int) -> bool:
        return any(c == channel and a <= start and end <= b for c, a, b, _ in self.booked)

    def _value(self, channel: int, start: int, end: int) -> int:
        return sum(total // (b - a) for c, a, b, total in self.booked if c == channel and a <= start and end <= b)
