"""What every channel of a line adds to which sum (domain.md §2, §3), and what the sums have come to by an instant.

One flow is a channel's amount × a constant × values that are dated or a laboratory's. Written from the page, not
from `devices.plant.terms`: the engine's list and this one must come to the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, cast

from devices.plant.model import Channel, Kind, Line, Plant, Product
from devices.plant.values import Chemistry, Input, Sampled, Series, Value
from devices.units import factor, unit
from scoring.reference.record import Record
from scoring.reference.registry import benchmark, measured_in, midnight, per_count
from scoring.reference.sums import invalid

T, KWH, GJ = unit("t"), unit("kWh"), unit("GJ")
CAO, MGO, CARBON = Fraction("0.785"), Fraction("1.092"), Fraction(44, 12)
Key = tuple[str, str]
"""(sum, id)."""
Amounts = Mapping[Key, Fraction]
Times = tuple[tuple[object, bool], ...]
"""Values (see `Value`; or the dated entries of a benchmark, a grid factor), each or 1 minus it."""


class Flow:
    """What one channel has added to one sum by any instant."""

    def __init__(self, record: Record, line: Line, channel: Channel, per: Fraction, values: Times) -> None:
        self._amount, self._per = record.total(channel.index), per
        zone = record.plant.sites[line.site].timezone
        instant = channel.kind is Kind.AMOUNT and not channel.period_ms  # one at a sample's own ms takes that sample
        cuts = {-(1 << 62)}
        for value, _ in values:
            if isinstance(value, Sampled):
                gap = record.plant.channels[value.channel].max_gap_ms
                cuts |= {t - instant for ts, _ in samples(record, value) for t in (ts, ts + gap)}
            elif not isinstance(value, Fraction):
                cuts |= {midnight(e.start, zone) for e in _entries(value) if e.start}
        self._cuts = sorted(cuts)
        self._times, self._before, so_far = [], [], Fraction(0)
        lookups = [(_lookup(record, value, zone, instant), rest) for value, rest in values]
        for a, b in zip(self._cuts, [*self._cuts[1:], None], strict=True):
            times = per
            for look, rest in lookups:
                found = look(a)
                times *= 0 if found is None else 1 - found if rest else found
            self._times.append(times)
            self._before.append(so_far)
            if b is not None:
                so_far += self._amount.over(a, b) * times

    def __call__(self, t: int) -> Fraction:
        """The sum over all time up to `t`."""
        row = max(0, bisect_left(self._cuts, t) - 1)
        return self._before[row] + self._amount.over(self._cuts[row], t) * self._times[row]


def samples(record: Record, value: Sampled) -> list[tuple[int, Fraction]]:
    """A laboratory's valid samples: (ts, value)."""
    return [(w.ts, w.value * value.times) for w in record.winners(value.channel) if not invalid(w)]


def _entries(value: object) -> Sequence[Any]:
    return value.entries if isinstance(value, Series) else cast(Sequence[Any], value)


def _lookup(record: Record, value: object, zone: str, instant: bool) -> Callable[[int], Fraction | None]:
    """The value in force from an instant on; None where there is none."""
    if isinstance(value, Fraction):
        return lambda _: value
    if isinstance(value, Sampled):
        known, gap = samples(record, value), record.plant.channels[value.channel].max_gap_ms
        times = [ts for ts, _ in known]

        def sampled(a: int) -> Fraction | None:
            row = bisect_left(times, a + instant + 1) - 1
            if row < 0:
                return value.default
            fresh = a + instant < times[row] + gap
            return known[row][1] if fresh or value.default is None else value.default

        return sampled
    begins = [(midnight(e.start, zone) if e.start else -(1 << 62), e.value) for e in _entries(value)]

    def dated(a: int) -> Fraction | None:
        begun = [(start, worth) for start, worth in begins if start <= a]
        return max(begun, key=lambda one: one[0])[1] if begun else None

    return dated


class Account:
    """One line's sums by any instant."""

    def __init__(self, record: Record, line: Line) -> None:
        plant = self._plant = record.plant
        self.line, zone = line, plant.sites[line.site].timezone
        flows = [(key, Flow(record, line, c, per, values)) for key, c, per, values in entries(plant, line)]
        self._flows = flows
        self.made = tuple(dict.fromkeys(id_ for (to, id_), _ in flows if to == "made"))
        self.used = tuple(dict.fromkeys(id_ for (to, id_), _ in flows if to == "used"))
        dated = {id_: benchmark(plant, line, id_, self.made) for id_ in self.made}
        self.begins = {id_: {midnight(e.start, zone) for e in entries if e.start} for id_, entries in dated.items()}
        self.by = lru_cache(4096)(self._by)
        self.over = lru_cache(64)(self._over)

    def _by(self, t: int) -> Amounts:
        found: dict[Key, Fraction] = defaultdict(Fraction)
        for key, flow in self._flows:
            found[key] += flow(t)
        return found

    def _over(self, start: int, end: int) -> Amounts:
        """The sums over (start, end]."""
        after, before = self.by(end), self.by(start)
        return defaultdict(Fraction, {key: after[key] - before[key] for key in after})


Entry = tuple[Key, Channel, Fraction, Times]


def entries(plant: Plant, line: Line) -> Iterator[Entry]:
    """Every entry of a line's account: (sum, channel, amount per count, values)."""
    every = [plant.channels[c] for m in line.meters for c in plant.meters[m].channels]
    counting = [c for c in every if c.counts and not c.shadowed and c.kind is not Kind.LEVEL and not c.labs]
    calculated = not any(c.counts and c.counts.what == "co2" for c in counting)
    made = tuple(dict.fromkeys(c.counts.id for c in counting if c.counts and c.counts.what == "product"))
    dated = plant.factors.get(plant.sites[line.site].electricity or "", ())
    grid = tuple(_Dated(e.start, e.end, e.value * factor(e.unit, "t/kWh")) for e in dated)
    for c in counting:
        assert c.counts is not None  # noqa: S101 - chosen so above
        what, id_ = c.counts.what, c.counts.id
        dry: Times = () if c.moisture is None else ((c.moisture, True),)
        if what == "product":
            yield from _product(plant, line, c, plant.products[id_], made, calculated)
        elif what == "fuel":
            yield from _fuel(plant, line, c, dry, calculated)
        elif what == "co2":
            yield ("emitted", ""), c, per_count(plant, c, T), ()
        elif what == "electricity" and (c.exported or not c.waste_heat):
            kwh = per_count(plant, c, KWH) * (-1 if c.exported else 1)
            yield ("kwh", ""), c, kwh, ()
            if line.lcd.power and grid:
                yield ("emitted", ""), c, kwh, ((grid, False),)
        elif what == "material" and calculated:
            yield from _material(plant, c, dry)
        if what in ("material", "fuel"):
            yield from _mass(plant, c, id_, dry)
    for id_ in made if calculated else ():
        way = plant.products[id_].process
        if isinstance(way, Input):
            fed = [c for c in counting if c.counts and (c.counts.what, c.counts.id) == ("material", way.material)]
            for c in fed if way.channel is None else [plant.channels[way.channel]] if _has(every, way.channel) else []:
                wet: Times = () if c.moisture is None else ((c.moisture, True),)
                yield ("emitted", ""), c, per_count(plant, c, T), (*wet, (way.dust_return, True), (way.loi, False))


def _has(channels: Sequence[Channel], row: int) -> bool:
    return any(c.index == row for c in channels)


def _product(
    plant: Plant, line: Line, c: Channel, product: Product, made: tuple[str, ...], calculated: bool
) -> Iterator[Entry]:  # fmt: skip
    per, id_ = per_count(plant, c, product.unit), product.id
    good: Times = () if product.qualified is None else ((product.qualified, False),)
    yield ("made", id_), c, per, good
    if product.theoretical is not None:
        yield ("theoretical", ""), c, per, (*good, (product.theoretical, False))
    if product.best_peer is not None:
        yield ("peer", ""), c, per, (*good, (_inverse(product.best_peer), False))
    if leading := benchmark(plant, line, id_, made):
        yield ("leading", id_), c, per, (*good, (leading, False))
    if calculated and isinstance(product.process, Chemistry):
        yield from _chemistry(product.process, c, per_count(plant, c, T), ())
    elif calculated and product.process is not None and not isinstance(product.process, Input):
        yield ("emitted", ""), c, per, ((product.process, False),)
    if calculated and product.carbon is not None:
        yield ("emitted", ""), c, -CARBON * per, ((product.carbon, False),)


def _inverse(value: Value) -> object:
    if isinstance(value, Series):
        return tuple(_Dated(e.start, e.end, 1 / e.value) for e in value.entries)
    return 1 / value if isinstance(value, Fraction) else value


class _Dated:
    def __init__(self, start: object, end: object, value: Fraction) -> None:
        self.start, self.end, self.value = start, end, value


def _chemistry(way: Chemistry, c: Channel, per: Fraction, first: Times) -> Iterator[Entry]:
    for value, times in ((way.cao, CAO), (way.cao_nc, -CAO), (way.mgo, MGO), (way.mgo_nc, -MGO)):
        yield ("emitted", ""), c, per * times, (*first, (value, False))


def _fuel(plant: Plant, line: Line, c: Channel, dry: Times, calculated: bool) -> Iterator[Entry]:
    assert c.counts is not None  # noqa: S101 - a fuel's channel
    fuel, sign = plant.fuels[c.counts.id], -1 if c.exported else 1
    heat: Times = ()
    if measured_in(c).dimension == GJ.dimension:
        per = sign * per_count(plant, c, GJ)
    else:
        per, heat = sign * per_count(plant, c, fuel.unit), (*dry, (fuel.ncv, False))
    yield ("heat", ""), c, per, heat
    if calculated and not (fuel.alternative and line.lcd.basis == "net"):
        yield ("emitted", ""), c, per, (*heat, (fuel.ef, False), (fuel.biogenic, True))


def _material(plant: Plant, c: Channel, dry: Times) -> Iterator[Entry]:
    assert c.counts is not None  # noqa: S101 - a material's channel
    material = plant.materials.get(c.counts.id)
    if material is None:
        return
    per = per_count(plant, c, T)
    if material.deduction is not None:
        yield ("emitted", ""), c, -per, (*dry, (material.deduction, False))
    if material.carbon is not None:
        yield ("emitted", ""), c, CARBON * per, (*dry, (material.carbon, False))
    if (dust := material.dust) is not None:
        process = plant.products[dust.of].process
        if dust.ef is not None:
            yield ("emitted", ""), c, per, (*dry, (dust.ef, False))
        elif isinstance(process, Chemistry):
            yield from _chemistry(process, c, per, dry)


def _mass(plant: Plant, c: Channel, id_: str, dry: Times) -> Iterator[Entry]:
    for to, counts in (("gd", c.counts_gd), ("cd", c.counts_cd), ("waste", c.counts_cd and c.waste)):
        if counts:
            yield (to, ""), c, per_count(plant, c, T), dry
            if id_ in plant.products:
                yield (f"{to} of", id_), c, per_count(plant, c, T), dry
    product = plant.products.get(id_)
    if product is not None and measured_in(c).dimension == product.unit.dimension:
        yield ("used", id_), c, per_count(plant, c, product.unit), dry
