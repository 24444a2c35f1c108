"""The slow twin of the degrees and specific energies: semantics §4 in fractions, from all readings.

A line's sums are functions of time (`accounts`); a window is their difference, a scope the sum of its lines less
what flows between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from devices.plant.model import Channel, Kind, Line, Plant, Scope
from devices.readings import Readings
from devices.units import factor
from scoring.reference.accounts import Account, entries
from scoring.reference.record import Record
from scoring.reference.registry import benchmark, midnight, norm

_HOUR = 3_600_000


class Ratio(NamedTuple):
    """One degree's sums, and how complete they are."""

    numerator: Fraction
    denominator: Fraction
    covered: int  # ms
    running: int  # ms; 0: nothing ran, or it is not asked of anybody
    output: Fraction = Fraction(0)  # 0 where products differ in their units


def degrees(plant: Plant, readings: Readings, line: Line, start: int, end: int) -> dict[str, Ratio]:
    """The four degrees of a line over (start, end]: t, t CO2, t and person-hours."""
    scope = next(s for s in plant.scopes if s.level == "line" and s.lines == (line.index,))
    return Ratios(Record(plant, readings)).degrees(scope, start, end)


class Ratios:
    """Every ratio of a plant over any window."""

    def __init__(self, record: Record) -> None:
        self._plant, self._record = record.plant, record
        self._account = cache(lambda row: Account(record, record.plant.lines[row]))
        self._asked = cache(lambda row, degree: asked(record.plant, record.plant.lines[row], degree))

    def degrees(self, scope: Scope, start: int, end: int) -> dict[str, Ratio]:
        """The four degrees of a scope over (start, end]."""
        accounts = [self._account(row) for row in scope.lines]
        sums = [a.over(start, end) for a in accounts]

        def total(to: str, ids: Sequence[str] = ("",)) -> Fraction:
            return sum((one[to, id_] for one in sums for id_ in ids), start=Fraction(0))

        made = sorted({id_ for a in accounts for id_ in a.made})
        used = {id_ for a in accounts for id_ in self._consumed(a)}
        inside = [id_ for id_ in made if id_ in used]
        gd, cd, waste = (total(f"{to} of", inside) for to in ("gd", "cd", "waste"))
        heads = sum((self._person_hours(a.line, start, end) for a in accounts), start=Fraction(0))
        pairs = {
            "gd": (total("theoretical") - gd, total("gd") - gd),
            "lcd": (self._leading(accounts, made, start, end), total("emitted")),
            "cd": (total("waste") - waste, total("cd") - cd),
            "sd": (total("peer"), heads),
        }
        same_unit = len({self._plant.products[id_].unit.symbol for id_ in made}) == 1
        output = total("made", made) if same_unit else Fraction(0)
        return {
            name: Ratio(n, d, *self._time(accounts, name, start, end), output)
            for name, (n, d) in pairs.items()
        }  # fmt: skip

    def energy(self, scope: Scope, energy: str, product: str, start: int, end: int) -> tuple[Fraction, Fraction]:
        """(kWh, MJ or kgce; output) of one product made in a scope over (start, end]."""
        accounts = [self._account(row) for row in scope.lines]
        maker = next(a for a in accounts if product in a.made)
        norms = norm(self._plant, maker.line, product, energy)
        zone = self._plant.sites[maker.line.site].timezone
        begun = [e for e in norms if e.start is None or midnight(e.start, zone) < end]
        newest = max(begun, key=lambda e: midnight(e.start, zone) if e.start else -(1 << 62), default=None)
        per_kwh = {"electricity": Fraction(1), "heat": Fraction(0), "comprehensive": factor("kWh", "kgce")}[energy]
        per_gj = {"electricity": Fraction(0), "heat": Fraction(1000), "comprehensive": factor("GJ", "kgce")}[energy]
        if energy == "comprehensive" and newest is not None and newest.electricity is not None:
            per_kwh = newest.electricity
        chain = bool(norms) and norms[-1].boundary == "chain"
        sums = {a.line.index: a.over(start, end) for a in accounts}

        def taken(id_: str) -> tuple[Fraction, Fraction]:
            makers = [a for a in accounts if id_ in a.made]
            own = sum((sums[a.line.index]["kwh", ""] * per_kwh for a in makers), start=Fraction(0))
            own += sum((sums[a.line.index]["heat", ""] * per_gj for a in makers), start=Fraction(0))
            for need in dict.fromkeys(x for a in makers for x in self._bought(a)) if chain else ():
                if need != id_ and any(need in a.made for a in accounts):
                    amount = sum((sums[a.line.index]["used", need] for a in makers), start=Fraction(0))
                    theirs, output = taken(need)
                    own += amount * theirs / output if output > 0 else 0
            return own, sum((sums[a.line.index]["made", id_] for a in makers), start=Fraction(0))

        return taken(product)

    def _consumed(self, account: Account) -> set[str]:
        """Products that a line takes in, as material or fuel."""
        channels = [self._plant.channels[c] for m in account.line.meters for c in self._plant.meters[m].channels]
        found = {c.counts.id for c in channels if c.counts and c.counts.what in ("material", "fuel") and not c.shadowed}
        return found & self._plant.products.keys()

    def _bought(self, account: Account) -> list[str]:
        """Of these, what is not a waste."""
        channels = [self._plant.channels[c] for m in account.line.meters for c in self._plant.meters[m].channels]
        counting = [c for c in channels if c.counts and not c.shadowed and not c.waste]
        return [c.counts.id for c in counting if c.counts and c.counts.id in self._consumed(account)]

    def _leading(self, accounts: Sequence[Account], made: Sequence[str], start: int, end: int) -> Fraction:
        """Σ benchmark × output: gross for stages, of chains what leaves the scope in each period of the benchmark."""
        chosen = [e for a in accounts for id_ in a.made for e in benchmark(self._plant, a.line, id_, a.made)]
        if {e.boundary for e in chosen} != {"chain"}:
            return sum((a.over(start, end)["leading", id_] for a in accounts for id_ in a.made), start=Fraction(0))
        found = Fraction(0)
        for id_ in made:
            begins = {e for a in accounts for e in a.begins.get(id_, ()) if start < e < end}
            for a, b in pairwise([start, *sorted(begins), end]):
                sums = [account.over(a, b) for account in accounts]
                gross = sum((one["made", id_] for one in sums), start=Fraction(0))
                net = max(Fraction(0), gross - sum((one["used", id_] for one in sums), start=Fraction(0)))
                worth = sum((one["leading", id_] for one in sums), start=Fraction(0))
                found += worth * net / gross if gross else 0
        return found

    def _person_hours(self, line: Line, start: int, end: int) -> Fraction:
        if line.people is None:
            return Fraction(0)
        running = None if line.hours == "calendar" or line.running is None else line.running
        time = end - start
        if running is not None:
            time = self._record.joint((), (running.channel, running.above)).over(start, end)
        return line.people * time / _HOUR

    def _time(self, accounts: Sequence[Account], degree: str, start: int, end: int) -> tuple[int, int]:
        covered = running = 0
        for account in accounts:
            line = account.line
            runs = None if line.running is None else (line.running.channel, line.running.above)
            if self._counts(account, degree):
                running += self._record.joint((), runs).over(start, end)
                covered += self._record.joint(self._asked(line.index, degree), runs).over(start, end)
        return covered, running

    def _counts(self, account: Account, degree: str) -> bool:
        """Whether a line's completeness is the degree's too."""
        line = account.line
        channels = [self._plant.channels[c] for m in line.meters for c in self._plant.meters[m].channels]
        whats = {c.counts.what for c in channels if c.counts and not c.shadowed}
        if degree == "sd":
            return bool(account.made) or line.people is not None
        if degree == "cd":
            return any(c.counts_cd and not c.shadowed for c in channels)
        if degree == "gd":
            return bool(account.made) or any(c.counts_gd and not c.shadowed for c in channels)
        return bool(account.made or whats & {"fuel", "co2"}) or (line.lcd.power and "electricity" in whats)


def asked(plant: Plant, line: Line, degree: str) -> tuple[int, ...]:
    """The channels that the completeness of a line's degree asks for: by default all that count in it (semantics §3).

    Amounts at an instant cover no time. One that counts in nothing is asked for in all, if the registry says so.
    """
    every = [plant.channels[c] for m in line.meters for c in plant.meters[m].channels if not plant.channels[c].labs]
    emits = {c.index for (to, _), c, *_ in entries(plant, line) if to == "emitted"}
    measured = any(c.counts and c.counts.what == "co2" and not c.shadowed and c.kind is not Kind.LEVEL for c in every)

    def counts(c: Channel) -> bool:
        what = c.counts.what if c.counts else "nothing"
        if what == "nothing":
            return bool(c.required) or (degree == "lcd" and c.index in emits)  # the feed of the input method
        if c.shadowed or c.kind is Kind.LEVEL:
            return False
        if degree != "lcd":
            return {"gd": what == "product" or c.counts_gd, "cd": c.counts_cd, "sd": what == "product"}[degree]
        bought = line.lcd.power and not c.waste_heat
        burnt = not measured
        return {"electricity": bought, "fuel": burnt, "material": c.index in emits}.get(what, True)

    instant = {c.index for c in every if c.kind is Kind.AMOUNT and not c.period_ms}
    return tuple(c.index for c in every if c.required is not False and counts(c) and c.index not in instant)
