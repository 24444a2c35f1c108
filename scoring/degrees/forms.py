"""A line's sums as integer linear forms of its channels' totals, compiled once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from devices.plant.model import Benchmark, Channel, Dated, Line, Plant
from devices.plant.terms import counted
from devices.plant.values import Value
from devices.plant.weighed import weighed_rows
from devices.units import Unit
from scoring.degrees.amounts import co2_per_kwh
from scoring.degrees.coverage import ROWS, counting
from scoring.degrees.likeness import likeness
from scoring.degrees.scales import MS_PER_HOUR, scales
from scoring.degrees.sheets import Account, Accountant, Key, Note, Sheet
from scoring.rules.benchmarks import Chosen
from scoring.rules.timeline import EVER, NEVER, Timeline

SUMS = (
    "theoretical", "gd", "cd", "waste", "process", "fossil", "alternative", "measured", "biogenic", "heat", "peer",
    "deducted", "alternative_heat", "clinker", "cementitious", "bought", "exported", "waste_heat",
)  # fmt: skip
"""A sheet's sums, in an order of their own."""
Terms = tuple[tuple[int, int], ...]
"""(row of `Period.alike`, integer coefficient): Σ coefficient × amount, on the scale of its quantity."""


@dataclass(frozen=True, slots=True)
class ProductForm:
    """What a line makes of one product."""

    id: str
    unit: Unit
    theoretical: Value | None
    peer: Value | None
    chosen: Chosen
    benchmark: Timeline[Benchmark]
    leading: tuple[int, ...]  # made → CO2, one for each period of `benchmark`


@dataclass(frozen=True, slots=True)
class FlowForm:
    """What a line consumes of something that is also a product: netted where both are inside one scope."""

    id: str
    natural: bool  # bought, it carries its maker's CO2 (a waste does not)


@dataclass(frozen=True, slots=True)
class Period:
    """A line's linear forms while no value changes. Channels that count alike in all of them are added up first."""

    alike: tuple[tuple[int, ...], ...]  # slots whose totals have the same coefficients everywhere
    sums: Mapping[str, Terms]  # of the sheet, but for what is kept apart
    terms: tuple[tuple[int, int, int], ...]  # of all `sums`: (row of `SUMS`, row of `alike`, coefficient)
    made: Mapping[str, Terms]  # by product
    used: Mapping[str, Terms]  # by product consumed
    flows: Mapping[str, tuple[Terms, Terms, Terms]]  # by product consumed: gd, cd, waste
    leading: Mapping[str, int]  # by product whose benchmark is in force: made → CO2
    grid: int | None  # kWh → CO2; None where no factor is in force
    notes: tuple[tuple[int, Note], ...]  # (slot, note)
    quiet: int  # ms: of spans that end by then nothing is to be said


@dataclass(frozen=True, slots=True)
class LineForm:
    """Everything one line adds to the sums."""

    line: Line
    channels: tuple[int, ...]  # rows of Plant.channels that count, in the order of their slots
    every: range  # their slots
    slots: tuple[tuple[int, ...], ...]  # by row of `ROWS`: of those that count in it
    products: tuple[ProductForm, ...]
    flows: tuple[FlowForm, ...]
    gd: bool  # some material counts in the green degree
    cd: bool  # … in the circular degree
    fuels: bool  # some fuel is metered
    power: bool  # electricity is metered
    grid: Timeline[Dated]
    no_grid: str  # in words: why there is none where there is none
    derived: bool  # some product is not measured but derived
    edges: tuple[int, ...]  # instants (ms) at which another factor or benchmark comes into force
    periods: tuple[Period, ...]  # before the first edge, after it, after the second …
    unvalued: Mapping[int, str]  # slot of a weighed channel → why it may have no value
    heads: int  # the person-time of one ms; 0 where no people are declared

    def at(self, end: int) -> Period:
        """What is in force in a span that ends at `end` and has no edge inside."""
        return self.periods[bisect_left(self.edges, end)]


class Compiler:
    """Compiles lines on common scales, and gives each channel that counts its slot in the list of totals."""

    def __init__(self, plant: Plant) -> None:
        self.plant, self.weighed = plant, weighed_rows(plant)
        self._alike = likeness(plant)
        accountant = Accountant(plant, self.weighed)
        self._accounts = {row: accountant.account(plant.lines[row]) for row in dict.fromkeys(self._alike.first)}
        self.scales = scales(plant, self._accounts.values())
        self._first: dict[int, LineForm] = {}  # of lines that others may be like
        self._next = 0  # slot

    def line(self, line: Line) -> LineForm:
        """The forms of one line."""
        first = self._alike.first[line.index]
        if first not in self._first:
            self._first[first] = self._compiled(self.plant.lines[first])
        found = self._first[first]
        return found if first == line.index else self._placed(found, line)

    def _placed(self, first: LineForm, line: Line) -> LineForm:
        """The forms of a line that is like the first: the same for its own channels."""
        own = self._alike.to(line)
        slots = range(self._next, self._next + len(first.every))
        self._next = slots.stop
        at = dict(zip(first.every, slots, strict=True))

        def placed(group: tuple[int, ...]) -> tuple[int, ...]:
            return tuple([at[slot] for slot in group])

        return replace(
            first,
            line=line,
            channels=tuple([own[row] for row in first.channels]),
            every=slots,
            slots=tuple(map(placed, first.slots)),
            periods=tuple(
                replace(
                    period,
                    alike=tuple(map(placed, period.alike)),
                    notes=tuple((at[slot], note._replace(channel=own[note.channel])) for slot, note in period.notes),
                )
                for period in first.periods
            ),
            heads=self._heads(line),
        )

    def _heads(self, line: Line) -> int:
        return whole((line.people or Fraction(0)) * (self.scales.people // MS_PER_HOUR))

    def _compiled(self, line: Line) -> LineForm:
        plant, common = self.plant, self.scales
        account = self._accounts[line.index]
        every = range(self._next, self._next + len(account.channels))
        self._next = every.stop
        slots = dict(zip(account.channels, every, strict=True))
        channels = counted(plant, line)
        site = plant.sites[line.site]
        by_degree = counting(plant, line, self.weighed)
        products = tuple(self._product(id_, *chosen) for id_, chosen in account.products.items())
        grid = tuple(whole(co2_per_kwh(p.entry) * common.co2 / common.energy) for p in account.grid.periods)
        return LineForm(
            line=line,
            channels=account.channels,
            every=every,
            slots=tuple(tuple(slots[c] for c in account.channels if c in by_degree[d]) for d in ROWS),
            products=products,
            flows=tuple(FlowForm(id_, natural) for id_, natural in _flows(plant, channels).items()),
            gd=any(c.counts_gd for c in channels),
            cd=any(c.counts_cd for c in channels),
            fuels=any(c.counts is not None and c.counts.what == "fuel" for c in channels),
            power=any(c.counts is not None and c.counts.what == "electricity" for c in channels),
            grid=account.grid,
            no_grid=f"no grid factor {site.electricity} in force"
            if site.electricity
            else f"site {site.name} names no grid factor",
            derived=any(c.source is not None and c.counts and c.counts.what == "product" for c in channels),
            edges=account.edges,
            periods=tuple(
                self._period(account, sheet, end, slots, products, grid)
                for sheet, end in zip(account.sheets, account.ends, strict=True)
            ),
            unvalued=self._unvalued(slots),
            heads=self._heads(line),
        )

    def _product(self, id_: str, chosen: Chosen, timeline: Timeline[Benchmark]) -> ProductForm:
        product, co2 = self.plant.products[id_], Fraction(self.scales.co2, self.scales.product)
        return ProductForm(
            id=id_,
            unit=product.unit,
            theoretical=product.theoretical,
            peer=product.best_peer,
            chosen=chosen,
            benchmark=timeline,
            leading=tuple(whole(period.entry.value * co2) for period in timeline.periods),
        )

    def _period(
        self, account: Account, sheet: Sheet, end: int, slots: Mapping[int, int], products: Sequence[ProductForm],
        grid: Sequence[int],
    ) -> Period:  # fmt: skip
        """What is in force in spans that end at `end`."""
        adds: dict[int, dict[Key, int]] = {}  # what one count of a slot adds to each sum
        for key, rows in sheet.sums.items():
            for row, c in rows.items():
                if c:
                    adds.setdefault(slots[row], {})[key] = whole(c * self.scales.of(key[0]))
        alike: dict[frozenset[tuple[Key, int]], list[int]] = {}
        for slot, added in adds.items():
            alike.setdefault(frozenset(added.items()), []).append(slot)
        forms: dict[Key, Terms] = {
            key: tuple((row, added[key]) for row, added in enumerate(map(dict, alike)) if key in added)
            for key in sheet.sums
        }
        apart = {to: {id_: form for (t, id_), form in forms.items() if t == to} for to in ("made", "used")}
        used = {id_ for to, id_ in forms if to in ("gd of", "cd of", "waste of", "used")}
        sums = {to: form for (to, id_), form in forms.items() if not id_}
        power = account.grid.at(end)
        return Period(
            alike=tuple(map(tuple, alike.values())),
            sums=sums,
            terms=tuple((SUMS.index(to), place, c) for to, form in sums.items() for place, c in form),
            made=apart["made"],
            used=apart["used"],
            flows={
                id_: (forms.get(("gd of", id_), ()), forms.get(("cd of", id_), ()), forms.get(("waste of", id_), ()))
                for id_ in sorted(used)
            },
            leading={p.id: p.leading[row] for p in products if (row := p.benchmark.at(end)) >= 0},
            grid=grid[power] if power >= 0 else None,
            notes=tuple((slots[note.channel], note) for note in sheet.notes),
            quiet=_quiet(account, sheet, products, end),
        )

    def _unvalued(self, slots: Mapping[int, int]) -> dict[int, str]:
        found = {}
        for row, slot in slots.items():
            names = [self._name(one.channel) for one in self.plant.channels[row].labs if one.default < 0]
            if names:
                found[slot] = f"no laboratory value of {' and '.join(names)} yet, and no default"
        return found

    def _name(self, row: int) -> str:
        channel = self.plant.channels[row]
        return f"{self.plant.meters[channel.meter].name}.{channel.name}"


def _quiet(account: Account, sheet: Sheet, products: Sequence[ProductForm], end: int) -> int:
    """Until when nothing is missing and nothing expired of what is in force in a span that ends at `end`, ms."""
    timelines: list[Timeline[Any]] = [product.benchmark for product in products if product.leading]
    if account.line.lcd.power:
        timelines.append(account.grid)
    expires = [one.periods[row].expires if (row := one.at(end)) >= 0 else EVER for one in timelines]
    return min([*expires, *(note.after for note in sheet.notes)], default=NEVER)


def _flows(plant: Plant, channels: list[Channel]) -> dict[str, bool]:
    """By product consumed: whether it is bought as such, not as a waste."""
    found: dict[str, bool] = {}
    for c in channels:
        if c.counts is not None and c.counts.what in ("material", "fuel") and c.counts.id in plant.products:
            found[c.counts.id] = found.get(c.counts.id, False) or not c.waste
    return found


def whole(value: Fraction) -> int:
    """The integer; a value that is none was compiled on a wrong scale."""
    if value.denominator != 1:
        raise AssertionError(f"BUG: {value} is not whole on its scale")
    return value.numerator
