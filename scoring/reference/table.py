"""Every quantity in which the engine and its twin must agree, and how each says it. Tests and benchmarks compare by it.

Equal is bit for bit: integers as they are, doubles by their hexadecimal form. A quantity that the engine withholds
(`value` None) is compared in its sums, which stand all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import Any, NamedTuple

from devices.plant.averages import WITHIN, average
from devices.plant.model import Plant
from devices.readings import Readings
from scoring.degrees.board import Standing
from scoring.degrees.coverage import DEGREES
from scoring.reference import emissions
from scoring.reference.blocks import Blocks
from scoring.reference.degrees import Ratio, Ratios
from scoring.reference.gas import MINUTE
from scoring.reference.record import Record
from scoring.results import Emission, Energy, Score
from scoring.windows.sums import SpanSums

Said = Mapping[str, Any]


class Cell(NamedTuple):
    """One degree of one line over one window on the engine's board."""

    scope: str
    degree: str
    window: str
    ts: int
    numerator: float
    denominator: float
    value: float | None


Thing = Score | Energy | Emission | SpanSums | Cell


class Twin:
    """All that the twin says of one plant's readings."""

    def __init__(self, plant: Plant, readings: Readings) -> None:
        self.plant, self.record = plant, Record(plant, readings)
        self.ratios = Ratios(self.record)
        self.stacks = {f"stack:{stack.id}": Blocks(self.record, stack) for stack in plant.stacks}
        self.scopes = {scope.id: scope for scope in plant.scopes}
        self.lengths = dict(zip(plant.windows, plant.window_ms, strict=True))
        self._degrees: tuple[tuple[str, int, int], dict[str, Ratio]] = (("", 0, 0), {})

    def degree(self, score: Score | Cell) -> Ratio:
        """The sums behind a score."""
        asked = score.scope, score.ts - self.lengths[score.window], score.ts
        if self._degrees[0] != asked:  # the four of one window come one after the other
            self._degrees = asked, self.ratios.degrees(self.scopes[score.scope], *asked[1:])
        return self._degrees[1][score.degree]


class Quantity(NamedTuple):
    """One row of the table: of which things, what the engine says, what the twin says."""

    name: str
    of: Callable[[Thing], bool]
    engine: Callable[[Twin, Any], Said]
    twin: Callable[[Twin, Any], Said]


def _score(_: Twin, score: Score) -> Said:
    said = {name: getattr(score, name) for name in ("numerator", "denominator", "output", "completeness")}
    return said if score.value is None else said | {"value": score.value}


def _degree(twin: Twin, score: Score) -> Said:
    found = twin.degree(score)
    return _ratio(float(found.numerator), float(found.denominator), score.value) | {
        "output": float(found.output),
        **({"completeness": found.covered / found.running} if found.running else {}),
    }


def _cell(_: Twin, cell: Cell) -> Said:
    said = {"numerator": cell.numerator, "denominator": cell.denominator}
    return said if cell.value is None else said | {"value": cell.value}


def _board(twin: Twin, cell: Cell) -> Said:
    found = twin.degree(cell)
    return _ratio(float(found.numerator), float(found.denominator), cell.value)


def cells(plant: Plant, board: Standing, lines: Iterable[int]) -> Iterator[Cell]:
    """What the board says of some lines (rows of Plant.lines)."""
    scopes = {scope.lines[0]: scope.id for scope in plant.scopes if scope.level == "line"}
    for line in lines:
        for row, (window, ts) in enumerate(zip(plant.windows, board.ends, strict=True)):
            for d, degree in enumerate(DEGREES):
                n, below, value = (float(x[line, row, d]) for x in (board.numerator, board.denominator, board.value))
                yield Cell(scopes[line], degree, window, ts, n, below, None if isnan(value) else value)


def _energy(_: Twin, energy: Energy) -> Said:
    said = {name: getattr(energy, name) for name in ("numerator", "denominator")}
    return said if energy.value is None else said | {"value": energy.value}


def _taken(twin: Twin, energy: Energy) -> Said:
    start = energy.ts - twin.lengths[energy.window]
    above, below = twin.ratios.energy(twin.scopes[energy.scope], energy.energy, energy.product, start, energy.ts)
    return _ratio(float(above), float(below), energy.value)


def _ratio(above: float, below: float, value: float | None) -> dict[str, Any]:
    sums = {"numerator": above, "denominator": below}
    return sums if value is None else sums | {"value": above / below}


def _emission(_: Twin, e: Emission) -> Said:
    names = (
        "value", "limit", "headroom", "valid", "valid_minutes", "elapsed_minutes", "completeness",
        "allowed_mean", "unavoidable_at",
    )  # fmt: skip
    return {name: getattr(e, name) for name in names} | e.extra


def _minute(twin: Twin, e: Emission) -> Said:
    return emissions.minute(twin.stacks[e.scope], e.pollutant, e.ts)


def _block(twin: Twin, e: Emission) -> Said:
    return emissions.closed(twin.stacks[e.scope], e.pollutant, e.average, e.ts)


def _open(twin: Twin, e: Emission) -> Said:
    return emissions.standing(twin.stacks[e.scope], e.pollutant, e.average, e.known_at)


def _span(twin: Twin, span: SpanSums) -> Said:
    rows = _measured(twin)
    return {"totals": [span.total(c) for c in rows], "covered": [int(span.covered[c]) for c in rows]}


def _sums(twin: Twin, span: SpanSums) -> Said:
    rows, over = _measured(twin), (span.start, span.end)
    return {
        "totals": [twin.record.total(c).over(*over) for c in rows],
        "covered": [twin.record.time(c).over(*over) for c in rows],
    }


def _measured(twin: Twin) -> list[int]:
    """All channels but amounts weighed by laboratory values: those show in the degrees."""
    return [c.index for c in twin.plant.channels if not c.labs]


def _is(kind: str, *, closed: bool = True) -> Callable[[Thing], bool]:
    def of(thing: Thing) -> bool:
        if not isinstance(thing, Emission) or (thing.lifecycle == "live") is closed:
            return False
        return ("month" if thing.average.endswith(WITHIN) else average(thing.average).kind) == kind

    return of


def _degree_of(degree: str) -> Callable[[Thing], bool]:
    return lambda thing: isinstance(thing, Score) and thing.degree == degree


def _energy_of(energy: str) -> Callable[[Thing], bool]:
    return lambda thing: isinstance(thing, Energy) and thing.energy == energy


def _budgeted(thing: Thing) -> bool:
    """An open block at a whole minute: there what is left of its limit is known to the last digit."""
    whole = isinstance(thing, Emission) and thing.known_at % MINUTE == 0
    return whole and any(_is(kind, closed=False)(thing) for kind in ("hour", "half-hour", "day"))


TABLE: tuple[Quantity, ...] = (
    Quantity("sums", lambda thing: isinstance(thing, SpanSums), _span, _sums),
    *(Quantity(name, _degree_of(name), _score, _degree) for name in ("gd", "lcd", "cd", "sd")),
    Quantity("board", lambda thing: isinstance(thing, Cell), _cell, _board),
    *(Quantity(name, _energy_of(name), _energy, _taken) for name in ("electricity", "heat", "comprehensive")),
    Quantity("rolling minute", lambda t: isinstance(t, Emission) and t.average == "1min", _emission, _minute),
    *(Quantity(kind, _is(kind), _emission, _block) for kind in ("half-hour", "hour", "day", "month", "operating-days")),
    Quantity("budget", _budgeted, _emission, _open),
)


class Difference(NamedTuple):
    """One number in which they differ."""

    quantity: str
    key: tuple[Any, ...]
    field: str
    engine: Any
    twin: Any


@dataclass
class Comparison:
    """What was compared: how many numbers of each quantity, and those that differ."""

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def add(self, twin: Twin, things: Iterable[Thing], quantities: Iterable[str] = ()) -> None:
        """Compare each thing in every quantity of the table that is of it (or only in some of them)."""
        wanted = [q for q in TABLE if not quantities or q.name in quantities]
        for thing in things:
            for quantity in wanted:
                if quantity.of(thing):
                    self._one(quantity, twin, thing)

    def _one(self, quantity: Quantity, twin: Twin, thing: Thing) -> None:
        engine = quantity.engine(twin, thing)
        for name, theirs in quantity.twin(twin, thing).items():
            ours = engine.get(name)
            self.compared[quantity.name] += len(theirs) if isinstance(theirs, list) else 1
            if not same(ours, theirs):
                self.differences.append(Difference(quantity.name, key(thing), name, ours, theirs))

    def __str__(self) -> str:
        each = ", ".join(f"{name} {count:,}" for name, count in self.compared.items())
        return f"{self.compared.total():,} numbers compared, {len(self.differences)} differ ({each})"


def same(one: object, other: object) -> bool:
    """Whether two numbers (or lists of them) are the same, bit for bit."""
    if isinstance(one, float) and isinstance(other, float):
        return one.hex() == other.hex()
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and isinstance(one, float) == isinstance(other, float)


def key(thing: Thing) -> tuple[Any, ...]:
    """What the thing is of."""
    if isinstance(thing, SpanSums):
        return thing.start, thing.end
    if isinstance(thing, Emission):
        return thing.scope, thing.pollutant, thing.average, thing.ts, thing.lifecycle
    if isinstance(thing, Energy):
        return thing.scope, thing.product, thing.window, thing.ts
    return thing.scope, thing.window, thing.ts
