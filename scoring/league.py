"""The league of a product: lines, sites and enterprises that make it, ranked; like is compared with like only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from devices.plant.model import Channel, Line, Plant, Scope
from devices.plant.terms import counted
from scoring.degrees.coverage import DEGREES, ENERGIES
from scoring.results import Energy, Score
from scoring.rules.benchmarks import choose

LEVELS = ("line", "site", "enterprise")
BY: tuple[str, ...] = (*ENERGIES, *DEGREES)
"""What may be ranked: of an energy less is better, of a degree more."""

Standing = Literal["ranked", "unranked", "apart"]


@dataclass(frozen=True, slots=True)
class Place:
    """One scope in the league."""

    scope: str
    standing: Standing
    rank: int | None  # 1 is the best; equal values share it
    value: float | None
    distance: float | None  # value - the best value, in `unit`
    distance_percent: float | None  # of |best|
    unit: str
    basis: str
    boundary: str
    completeness: float
    quality: str
    norm: str | None  # of energies
    norm_level: int | None
    ts: int
    lifecycle: str
    reason: str | None  # why it is not ranked, or what its score says of itself

    def to_json(self) -> dict[str, Any]:
        """As it stands, key by key."""
        return {name: getattr(self, name) for name in Place.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A score or energy with what it must share to be compared."""

    of: Score | Energy
    like: tuple[str, str, str]  # unit, basis, boundary
    alone: str  # why it can be compared with nobody; "" if it can


def products(plant: Plant) -> list[str]:
    """What the plant's lines make."""
    return sorted({id_ for line in plant.lines for id_ in _made(plant, line)})


def league(
    plant: Plant, product: str, by: str, things: Iterable[Score | Energy], *, least: float
) -> dict[str, list[Place]]:
    """By level of `LEVELS`: ranked places, then those with too little to rank, then those that differ.

    `things`  scores of one window; only those of `by` and of scopes that make `product` are looked at
    `least`   completeness from which on a scope is ranked, 0 to 1
    """
    scopes = {scope.id: scope for scope in plant.scopes if scope.level in LEVELS}
    levels: dict[str, list[_Entry]] = defaultdict(list)
    for thing in things:
        scope = scopes.get(thing.scope)
        if scope is not None and (entry := _entry(plant, scope, product, by, thing)) is not None:
            levels[scope.level].append(entry)
    return {level: _table(levels[level], by, least) for level in LEVELS}


def _entry(plant: Plant, scope: Scope, product: str, by: str, thing: Score | Energy) -> _Entry | None:
    if isinstance(thing, Energy):
        if (thing.product, thing.energy) != (product, by):
            return None
        return _Entry(thing, (thing.unit, thing.basis, thing.boundary), "")
    lines = [plant.lines[row] for row in scope.lines]
    made = {id_ for line in lines for id_ in _made(plant, line)}
    if thing.degree != by or product not in made:
        return None
    others = ", ".join(sorted(made - {product}))
    basis, boundary = _held_against(plant, lines, product, by)
    return _Entry(thing, ("", basis, boundary), f"makes {others} too: its degree is of all of them" if others else "")


def _held_against(plant: Plant, lines: Sequence[Line], product: str, degree: str) -> tuple[str, str]:
    """(how the lines count, what they are held against) in words."""
    if degree == "sd":
        return " + ".join(sorted({f"{line.hours} hours" for line in lines if line.people is not None})), ""
    if degree == "lcd":
        bases = sorted({f"{line.lcd.basis}{' with power' if line.lcd.power else ''}" for line in lines})
        chosen = [choose(plant, line, product, (product,)) for line in lines if product in _made(plant, line)]
        held = sorted({f"{c.id} ({'/'.join(sorted(c.boundaries))})" for c in chosen if c.id})
        return " + ".join(bases), " + ".join(held)
    counts = [c for line in lines for c in counted(plant, line) if c.counts and c.counts.what == "fuel"]
    fuel = any(c.counts_gd if degree == "gd" else c.counts_cd for c in counts)
    return "materials and fuel" if fuel else "materials", ""


def _table(entries: Sequence[_Entry], by: str, least: float) -> list[Place]:
    likes: dict[tuple[str, str, str], int] = defaultdict(int)
    for entry in entries:
        if not entry.alone:
            likes[entry.like] += 1 + len(entries) * (_short(entry.of, least) is None)  # who can be ranked decides
    reference = min(likes, key=lambda like: (-likes[like], like), default=None)
    better = 1 if by in ENERGIES else -1
    fit, unfit, apart = [], [], []
    for entry in sorted(entries, key=lambda e: e.of.scope):
        if entry.alone:
            apart.append(_place(entry, "apart", entry.alone))
        elif reference is not None and entry.like != reference:
            apart.append(_place(entry, "apart", f"counts {_named(entry.like)}; the table {_named(reference)}"))
        elif short := _short(entry.of, least):
            unfit.append(_place(entry, "unranked", short))
        else:
            fit.append(entry)
    values = sorted((e.of.value for e in fit if e.of.value is not None), key=lambda v: better * v)
    fit.sort(key=lambda e: better * (e.of.value or 0.0))
    ranked = [_place(e, "ranked", e.of.reason, values) for e in fit]
    return [*ranked, *unfit, *apart]


def _short(thing: Score | Energy, least: float) -> str | None:
    """Why it cannot be ranked."""
    if thing.value is None:
        return thing.reason or "no value"
    if thing.completeness < least:
        return f"only {100 * thing.completeness:.0f} % of the data; {100 * least:.0f} % are asked for"
    return None


def _place(entry: _Entry, standing: Standing, reason: str | None, ranked: Sequence[float] = ()) -> Place:
    thing, value = entry.of, entry.of.value
    distance = value - ranked[0] if ranked and value is not None else None
    return Place(
        scope=thing.scope,
        standing=standing,
        rank=1 + ranked.index(value) if ranked and value is not None else None,
        value=value,
        distance=distance,
        distance_percent=100 * distance / abs(ranked[0]) if distance is not None and ranked[0] else None,
        unit=entry.like[0],
        basis=entry.like[1],
        boundary=entry.like[2],
        completeness=thing.completeness,
        quality=thing.quality,
        norm=thing.norm if isinstance(thing, Energy) else None,
        norm_level=thing.norm_level if isinstance(thing, Energy) else None,
        ts=thing.ts,
        lifecycle=thing.lifecycle,
        reason=reason,
    )


def _named(like: tuple[str, str, str]) -> str:
    return ", ".join(filter(None, like[1:])) or "nothing named"


def _made(plant: Plant, line: Line) -> set[str]:
    def is_product(channel: Channel) -> bool:
        return channel.counts is not None and channel.counts.what == "product"

    return {c.counts.id for c in counted(plant, line) if is_product(c) and c.counts}
