"""The slow twin of the degrees: semantics §4 of one line over one window, in fractions, from a list of all readings."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeVar

from devices.plant.model import Channel, Line, Plant
from devices.plant.terms import GJ, KWH, T, measured_in
from devices.readings import Readings
from scoring.degrees.amounts import co2_per_kwh, per_count
from scoring.degrees.coverage import coverage_groups
from scoring.reference.cover import coverage
from scoring.reference.sums import Sum, span
from scoring.rules.benchmarks import choose
from scoring.rules.timeline import Valid, midnight

_HOUR = 3_600_000
E = TypeVar("E", bound=Valid)


class Ratio(NamedTuple):
    """One degree's sums, and how complete they are."""

    numerator: Fraction
    denominator: Fraction
    covered: int  # ms
    running: int  # ms


def degrees(plant: Plant, readings: Readings, line: Line, start: int, end: int) -> dict[str, Ratio]:
    """The four degrees of a line over (start, end]: t, t CO2, t and person-hours."""
    channels = [plant.channels[c] for m in line.meters for c in plant.meters[m].channels]
    counting = [c for c in channels if c.counts and not c.shadowed and c.kind.name != "LEVEL"]
    measured = any(c.counts is not None and c.counts.what == "co2" for c in counting)
    products = tuple(dict.fromkeys(c.counts.id for c in counting if c.counts and c.counts.what == "product"))
    site = plant.sites[line.site]
    grid = plant.factors.get(site.electricity or "", ())
    leading = {id_: choose(plant, line, id_, products).entries for id_ in products}
    starts = {e.start for e in grid if e.start}.union(*({e.start for e in x if e.start} for x in leading.values()))
    edges = sorted(t for t in (midnight(day, site.timezone) for day in starts) if start < t < end)
    gd, lcd, cd, sd = ([Fraction(0), Fraction(0)] for _ in range(4))
    for a, b in pairwise([start, *edges, end]):
        sums = span(plant, readings, a, b)

        def total(c: Channel, per: Fraction, sums: Sequence[Sum] = sums) -> Fraction:
            return sums[c.index].total * per

        for c in counting:
            assert c.counts is not None  # noqa: S101 - chosen so above
            what, id_ = c.counts.what, c.counts.id
            if c.counts_gd:
                gd[1] += total(c, per_count(plant, c, T))
            if c.counts_cd:
                cd[0] += total(c, per_count(plant, c, T)) if c.waste else 0
                cd[1] += total(c, per_count(plant, c, T))
            if what == "product":
                product = plant.products[id_]
                made = total(c, per_count(plant, c, product.unit))
                gd[0] += made * _fixed(product.theoretical)
                sd[0] += made / _fixed(product.best_peer) if product.best_peer else 0
                lcd[1] += 0 if measured else made * _fixed(product.process)
                if best := _in_force(leading[id_], b, site.timezone):
                    lcd[0] += made * best.value
            elif what == "fuel" and not measured:
                fuel = plant.fuels[id_]
                net = fuel.alternative and line.lcd.basis == "net"
                metered = measured_in(c).dimension == GJ.dimension
                heat = total(
                    c, per_count(plant, c, GJ) if metered else per_count(plant, c, fuel.unit) * _fixed(fuel.ncv)
                )
                lcd[1] += 0 if net else heat * _fixed(fuel.ef) * (1 - _fixed(fuel.biogenic))
            elif what == "co2":
                lcd[1] += total(c, per_count(plant, c, T))
            elif what == "electricity" and line.lcd.power and (entry := _in_force(grid, b, site.timezone)):
                lcd[1] += total(c, per_count(plant, c, KWH)) * co2_per_kwh(entry)
    found = {}
    groups = {g.degree: g for g in coverage_groups(plant) if g.line == line.index}
    for name, (n, d) in zip(("gd", "lcd", "cd", "sd"), (gd, lcd, cd, sd), strict=True):
        covered, running = coverage(plant, readings, groups[name], start, end)
        if not groups[name].channels:
            covered = running
        if name == "sd" and line.people is not None:
            d = line.people * (end - start if line.hours == "calendar" else running) / _HOUR
        found[name] = Ratio(n, d, covered, running)
    return found


def _fixed(value: object) -> Fraction:
    """A constant; the weighed sums of laboratory values have a twin of their own (`reference.sums.weighed`)."""
    if value is not None and not isinstance(value, Fraction):
        raise TypeError(f"{type(value).__name__} is no constant: this twin knows none else")
    return value or Fraction(0)


def _in_force(entries: Sequence[E], end: int, zone: str) -> E | None:
    """The entry of a span that ends there: the one that began last before its end."""
    begun = [e for e in entries if e.start is None or midnight(e.start, zone) < end]
    return max(begun, key=lambda e: midnight(e.start, zone) if e.start else -(1 << 62), default=None)
