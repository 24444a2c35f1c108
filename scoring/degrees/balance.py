"""One line's exact sums over one span in which no factor changes; adding them is all that a roll-up does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scoring.degrees.forms import SUMS, LineForm, Period, Terms

Totals = list[int] | dict[int, int]
"""Slot → exact total: of all slots, or of some lines' alone."""


class Balance(NamedTuple):
    """Integers on the scales of `Scales` (mass, co2, heat, people, energy)."""

    theoretical: int = 0  # mass
    gd: int = 0
    cd: int = 0
    waste: int = 0
    leading: int = 0  # co2: Σ benchmark × gross output
    emitted: int = 0  # on the line's own basis: the denominator
    process: int = 0
    fuel: int = 0  # the fossil part of conventional fuels
    alternative: int = 0  # ... of alternative fuels: in gross, not in net
    measured: int = 0
    power: int = 0  # bought less exported
    biogenic: int = 0  # a memo item
    heat: int = 0
    peer: int = 0  # people: Σ output / best peer's output per person-hour
    deducted: int = 0  # co2
    direct: int = 0  # `emitted` without electricity
    alternative_heat: int = 0  # heat
    clinker: int = 0  # mass: consumed
    cementitious: int = 0  # mass: made
    bought: int = 0  # energy
    exported: int = 0
    waste_heat: int = 0

    @property
    def kwh(self) -> int:
        """Energy: electricity bought less exported."""
        return self.bought - self.exported


Remarks = tuple[tuple[tuple[str, ...], str], ...]
"""(degrees concerned, what is to be said in words)."""


class Part(NamedTuple):
    """A line's share of one span: its balance, and what a scope may have to net."""

    balance: Balance
    made: dict[str, int]  # product → product scale
    leading: Mapping[str, int]  # product → its benchmark in force: co2 scale per product scale
    used: dict[str, int]  # product consumed → product scale
    flows: dict[str, tuple[int, int, int]]  # product consumed → (gd, cd, waste), mass scale
    unpowered: bool  # electricity was used, and no grid factor is in force
    missing: Remarks  # what a degree lacks a value for
    doubts: Remarks  # what makes it uncertain: values past their end, no fresh sample, output taken back
    end: int  # of the span, ms


def add(balances: Sequence[Balance]) -> Balance:
    """The sum, field by field."""
    return balances[0] if len(balances) == 1 else Balance(*map(sum, zip(*balances, strict=True)))


def part(form: LineForm, totals: Totals, end: int) -> Part:
    """A line's sums from the channels' `totals` (by slot) over a span that ends at `end` (ms)."""
    amounts = [sum([totals[slot] for slot in slots]) for slots in form.at(end).alike]
    return part_of(form, amounts, totals, end)


def part_of(form: LineForm, amounts: Sequence[int], totals: Totals, end: int) -> Part:
    """`part`, where the totals of `Period.alike` are added up already."""
    period = form.at(end)
    found = [0] * len(SUMS)
    for place, row, coefficient in period.terms:
        found[place] += coefficient * amounts[row]
    (
        theoretical, gd, cd, waste, process, fossil, alternative, measured, biogenic, heat, peer,
        deducted, alternative_heat, clinker, cementitious, bought, exported, waste_heat,
    ) = found  # fmt: skip
    made = {id_: dot(terms, amounts) for id_, terms in period.made.items()}
    leading = 0
    for id_, value in period.leading.items():
        leading += made[id_] * value
    kwh = bought - exported
    power = kwh * period.grid if period.grid is not None else 0
    direct = process + fossil + measured - deducted
    if form.line.lcd.basis != "net":
        direct += alternative
    emitted = direct + power if form.line.lcd.power else direct
    balance = Balance(
        theoretical, gd, cd, waste, leading, emitted, process, fossil, alternative, measured, power, biogenic, heat,
        peer, deducted, direct, alternative_heat, clinker, cementitious, bought, exported, waste_heat,
    )  # fmt: skip
    used = {id_: dot(terms, amounts) for id_, terms in period.used.items()} if period.used else {}
    flows = {id_: (dot(gd, amounts), dot(cd, amounts), dot(w, amounts)) for id_, (gd, cd, w) in period.flows.items()}
    missing, expired = ((), ()) if end <= period.quiet else _notes(form, period, totals, made, balance, end)
    return Part(balance, made, period.leading, used, flows, kwh != 0 and period.grid is None, missing, expired, end)


def _notes(
    form: LineForm, period: Period, totals: Totals, made: Mapping[str, int], balance: Balance, end: int
) -> tuple[Remarks, Remarks]:
    """What is missing and what is expired; what nothing was made or used of needs no value."""
    missing: list[tuple[tuple[str, ...], str]] = []
    expired: list[tuple[tuple[str, ...], str]] = []
    for product in form.products:
        if not made[product.id] or not product.leading:
            continue
        if product.id not in period.leading:
            missing.append((("lcd",), f"benchmark {product.chosen.id} is not yet in force"))
        elif end > (found := product.benchmark.periods[product.benchmark.at(end)]).expires:
            expired.append((("lcd",), f"benchmark {product.chosen.id} expired after {found.entry.end}"))
    if form.line.lcd.power:
        row = form.grid.at(end)
        if row < 0 and balance.kwh:
            missing.append((("lcd",), form.no_grid))
        elif row >= 0 and end > form.grid.periods[row].expires and (balance.bought or balance.exported):
            expired.append((("lcd",), f"the grid factor expired after {form.grid.periods[row].entry.end}"))
    for slot, note in period.notes:
        if end > note.after and totals[slot]:
            (missing if note.missing else expired).append((note.degrees, note.text))
    return tuple(missing), tuple(expired)


def dot(terms: Terms, amounts: Sequence[int]) -> int:
    """Σ coefficient × amount."""
    found = 0
    for row, coefficient in terms:
        found += coefficient * amounts[row]
    return found
