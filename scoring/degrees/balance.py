"""One line's exact sums over one span in which no factor changes; adding them is all that a roll-up does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scoring.degrees.forms import LineForm, Period, Terms


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
    leading: dict[str, int]  # product → its benchmark in force: co2 scale per product scale
    used: dict[str, int]  # product consumed → product scale
    flows: dict[str, tuple[int, int, int]]  # product consumed → (gd, cd, waste), mass scale
    unpowered: bool  # electricity was used, and no grid factor is in force
    missing: Remarks  # what a degree lacks a value for
    doubts: Remarks  # what makes it uncertain: values past their end, no fresh sample, output taken back
    end: int  # of the span, ms


def add(balances: Sequence[Balance]) -> Balance:
    """The sum, field by field."""
    return balances[0] if len(balances) == 1 else Balance(*map(sum, zip(*balances, strict=True)))


def part(form: LineForm, totals: Sequence[int], end: int) -> Part:
    """A line's sums from the channels' `totals` over a span that ends at `end` (ms)."""
    period = form.at(end)
    amounts = [sum([totals[slot] for slot in slots]) for slots in period.alike]
    made = {id_: dot(terms, amounts) for id_, terms in period.made.items()}
    leading = {p.id: p.leading[row] for p in form.products if (row := p.benchmark.at(end)) >= 0}
    sums = {name: dot(terms, amounts) for name, terms in period.sums.items()}
    of, choice = sums.get, form.line.lcd
    alternative, deducted = of("alternative", 0), of("deducted", 0)
    kwh, row = of("bought", 0) - of("exported", 0), form.grid.at(end)
    power = kwh * form.grid_values[row] if row >= 0 else 0
    gross = of("process", 0) + of("fossil", 0) + alternative + of("measured", 0) - deducted
    direct = gross - (alternative if choice.basis == "net" else 0)
    balance = Balance(
        theoretical=of("theoretical", 0),
        gd=of("gd", 0),
        cd=of("cd", 0),
        waste=of("waste", 0),
        leading=sum([made[id_] * value for id_, value in leading.items()]),
        emitted=direct + (power if choice.power else 0),
        process=of("process", 0),
        fuel=of("fossil", 0),
        alternative=alternative,
        measured=of("measured", 0),
        power=power,
        biogenic=of("biogenic", 0),
        heat=of("heat", 0),
        peer=of("peer", 0),
        deducted=deducted,
        direct=direct,
        alternative_heat=of("alternative_heat", 0),
        clinker=of("clinker", 0),
        cementitious=of("cementitious", 0),
        bought=of("bought", 0),
        exported=of("exported", 0),
        waste_heat=of("waste_heat", 0),
    )
    used = {id_: dot(terms, amounts) for id_, terms in period.used.items()}
    flows = {id_: (dot(gd, amounts), dot(cd, amounts), dot(w, amounts)) for id_, (gd, cd, w) in period.flows.items()}
    powers = bool(of("bought", 0) or of("exported", 0))
    missing, expired = _notes(form, period, totals, made, leading, end, powered=not kwh or row >= 0, powers=powers)
    return Part(balance, made, leading, used, flows, kwh != 0 and row < 0, missing, expired, end)


def _notes(
    form: LineForm,
    period: Period,
    totals: Sequence[int],
    made: dict[str, int],
    leading: dict[str, int],
    end: int,
    *,
    powered: bool,
    powers: bool,
) -> tuple[Remarks, Remarks]:
    """What is missing and what is expired; what nothing was made or used of needs no value."""
    missing: list[tuple[tuple[str, ...], str]] = []
    expired: list[tuple[tuple[str, ...], str]] = []
    for product in form.products:
        if not made[product.id] or not product.leading:
            continue
        if product.id not in leading:
            missing.append((("lcd",), f"benchmark {product.chosen.id} is not yet in force"))
        elif end > (found := product.benchmark.periods[product.benchmark.at(end)]).expires:
            expired.append((("lcd",), f"benchmark {product.chosen.id} expired after {found.entry.end}"))
    if form.line.lcd.power:
        row = form.grid.at(end)
        if not powered:
            missing.append((("lcd",), form.no_grid))
        elif row >= 0 and end > form.grid.periods[row].expires and powers:
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
