"""One line's exact sums over one span in which no factor changes; adding them is all that a roll-up does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scoring.degrees.forms import LineForm, Terms


class Balance(NamedTuple):
    """Integers on the scales of `Scales` (mass, co2, heat, energy, people)."""

    theoretical: int = 0  # mass
    gd: int = 0
    cd: int = 0
    waste: int = 0
    leading: int = 0  # co2: Σ benchmark × gross output
    emitted: int = 0  # on the line's own basis: the denominator
    process: int = 0
    fuel: int = 0
    alternative: int = 0
    measured: int = 0
    power: int = 0
    biogenic: int = 0
    heat: int = 0
    kwh: int = 0  # energy
    peer: int = 0  # people: Σ output / best peer's output per person-hour


class Part(NamedTuple):
    """A line's share of one span: its balance, and what a scope may have to net."""

    balance: Balance
    made: dict[str, int]  # product → product scale
    leading: dict[str, int]  # product → its benchmark in force: co2 scale per product scale
    used: dict[str, int]  # product consumed → product scale
    flows: dict[str, tuple[int, int, int]]  # product consumed → (gd, cd, waste), mass scale
    unpowered: bool  # electricity was used, and no grid factor is in force
    missing: tuple[str, ...]  # what the low-carbon degree lacks a value for, in words
    expired: tuple[str, ...]  # what it uses after its end, in words


def add(balances: Iterable[Balance]) -> Balance:
    """The sum, field by field."""
    return Balance(*map(sum, zip(*balances, strict=True)))


def part(form: LineForm, totals: Sequence[int], end: int) -> Part:
    """A line's sums from the channels' `totals` over a span that ends at `end` (ms)."""
    made = {p.id: dot(p.made, totals) for p in form.products}
    leading = {p.id: p.leading[row] for p in form.products if (row := p.benchmark.at(end)) >= 0}
    heats = [(dot(f.heat, totals), f) for f in form.fuels]
    kwh, row = dot(form.power, totals), form.grid.at(end)
    process = sum([made[p.id] * p.process for p in form.products])
    fuel = sum([heat * f.fossil for heat, f in heats])
    alternative = sum([heat * f.alternative for heat, f in heats])
    measured = dot(form.measured, totals)
    power = kwh * form.grid_values[row] if row >= 0 else 0
    gross, choice = process + fuel + alternative + measured, form.line.lcd
    balance = Balance(
        theoretical=sum([made[p.id] * (p.theoretical or 0) for p in form.products]),
        gd=dot(form.gd, totals),
        cd=dot(form.cd, totals),
        waste=dot(form.waste, totals),
        leading=sum([made[id_] * value for id_, value in leading.items()]),
        emitted=gross - (alternative if choice.basis == "net" else 0) + (power if choice.power else 0),
        process=process,
        fuel=fuel,
        alternative=alternative,
        measured=measured,
        power=power,
        biogenic=sum([heat * f.biogenic for heat, f in heats]),
        heat=sum([heat for heat, _ in heats]),
        kwh=kwh,
        peer=sum([made[p.id] * (p.peer or 0) for p in form.products]),
    )
    used = {flow.id: dot(flow.used, totals) for flow in form.flows}
    flows = {f.id: (dot(f.gd, totals), dot(f.cd, totals), dot(f.waste, totals)) for f in form.flows}
    unpowered = kwh != 0 and row < 0
    missing, expired = _notes(form, made, leading, kwh, end)
    return Part(balance, made, leading, used, flows, unpowered, missing, expired)


def _notes(
    form: LineForm, made: dict[str, int], leading: dict[str, int], kwh: int, end: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is missing and what is expired; what nothing was made or used of needs no value."""
    missing, expired = [], []
    for product in form.products:
        if not made[product.id] or not product.leading:
            continue
        if product.id not in leading:
            missing.append(f"benchmark {product.chosen.id} is not yet in force")
        elif end > (period := product.benchmark.periods[product.benchmark.at(end)]).expires:
            expired.append(f"benchmark {product.chosen.id} expired after {period.entry.end}")
    if kwh and form.line.lcd.power:
        row = form.grid.at(end)
        if row < 0:
            missing.append(form.no_grid)
        elif end > form.grid.periods[row].expires:
            expired.append(f"the grid factor expired after {form.grid.periods[row].entry.end}")
    return tuple(missing), tuple(expired)


def dot(terms: Terms, totals: Sequence[int]) -> int:
    """Σ coefficient × total."""
    amount = 0
    for slot, coefficient in terms:
        amount += coefficient * totals[slot]
    return amount
