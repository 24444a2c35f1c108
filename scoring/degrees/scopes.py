"""What is fixed about a scope's degrees: its lines, what flows inside it, and what can never be shown and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from devices.plant.model import Scope
from devices.units import Unit, factor
from scoring.degrees.coverage import DEGREES
from scoring.degrees.detail import PerT
from scoring.degrees.forms import LineForm, ProductForm
from scoring.degrees.scales import Scales
from scoring.rules.benchmarks import basis_name


@dataclass(frozen=True, slots=True)
class ScopePlan:
    """One scope, compiled. Tuples by degree follow the order of `DEGREES`."""

    scope: Scope
    lines: tuple[LineForm, ...]
    counting: tuple[tuple[int, ...], ...]  # by degree: rows of Plant.lines that count in it
    withheld: tuple[tuple[str, ...], ...]  # by degree: why it can never be shown, in words
    products: tuple[str, ...]  # made inside
    internal: frozenset[str]  # of these, consumed inside too
    chain: bool  # benchmarks cover everything up to the product: net output counts
    derived: bool
    unit: str  # of the output; "" where products mix units or there is none
    per_t: PerT | None  # of what is counted in that unit; None where it is no mass
    basis: str  # of the low-carbon degree
    unlike: str  # in words, where its lines count CO2 on several bases
    edges: Mapping[str, frozenset[int]]  # by product: instants (ms) at which its benchmark changes


def plan_scope(scope: Scope, forms: Sequence[LineForm], scales: Scales) -> ScopePlan:
    """Compile one scope from all lines' forms."""
    lines = tuple(forms[row] for row in scope.lines)
    products = [(form, product) for form in lines for product in form.products]
    made = {product.id for _, product in products}
    used = {flow.id for form in lines for flow in form.flows}
    units = {product.unit.symbol: product.unit for _, product in products}
    boundaries = {b for _, product in products for b in product.chosen.boundaries}
    counting = [[f.line.index for f in lines if f.slots[row]] for row in range(len(DEGREES))]
    counting[3] = [f.line.index for f in lines if f.products or f.line.people is not None]
    bases = {basis_name(f.line.lcd) for f in lines if f.line.index in counting[1]}
    return ScopePlan(
        scope=scope,
        lines=lines,
        counting=tuple(map(tuple, counting)),
        withheld=(_gd(lines, products), _lcd(lines, products, made, bases), _cd(lines), _sd(lines, products)),
        products=tuple(sorted(made)),
        internal=frozenset(made & used),
        chain=boundaries == {"chain"},
        derived=any(form.derived for form in lines),
        unit=next(iter(units.values())).symbol if len(units) == 1 else "",
        per_t=_per_t(units.values(), scales),
        basis=" + ".join(sorted(bases)),
        unlike=f"its lines count CO2 on unlike bases: {', '.join(sorted(bases))}" if len(bases) > 1 else "",
        edges={
            id_: _instants(tuple(sorted({b.begins for _, p in products if p.id == id_ for b in p.benchmark.periods})))
            for id_ in made
        },
    )


Made = Sequence[tuple[LineForm, ProductForm]]


@lru_cache(maxsize=1024)  # thousands of scopes make the same product
def _instants(begins: tuple[int, ...]) -> frozenset[int]:
    return frozenset(begins)


def _per_t(units: Collection[Unit], scales: Scales) -> PerT | None:
    """In the one unit of a scope's products."""
    if len(units) != 1:
        return None
    (unit,) = units
    return PerT.of(scales, factor(unit, "t")) if unit.dimension == "mass" else None


def _gd(lines: Sequence[LineForm], products: Made) -> tuple[str, ...]:
    why = _no_product(products) + _lacking(products, "theoretical consumption", lambda p: p.theoretical is None)
    return why if any(form.gd for form in lines) else (*why, "no material is metered")


def _cd(lines: Sequence[LineForm]) -> tuple[str, ...]:
    return () if any(form.cd for form in lines) else ("no material is metered",)


def _sd(lines: Sequence[LineForm], products: Made) -> tuple[str, ...]:
    why = _no_product(products) + _lacking(products, "best peer's output", lambda p: p.peer is None)
    alone = [form.line.name for form in lines if form.products and form.line.people is None]
    return (*why, f"no people declared for {', '.join(alone)}") if alone else why


def _lcd(lines: Sequence[LineForm], products: Made, made: set[str], bases: set[str]) -> tuple[str, ...]:
    why = list(_no_product(products))
    why += [_of(form, lines, product.chosen.why) for form, product in products if product.chosen.why]
    boundaries = {product.id: product.chosen.boundaries for _, product in products if product.chosen.entries}
    if len(frozenset().union(*boundaries.values())) > 1:
        named = ", ".join(f"{id_} ({'/'.join(sorted(b))})" for id_, b in sorted(boundaries.items()))
        why.append(f"stage and chain benchmarks are mixed: {named}")
    elif any("chain" in b for b in boundaries.values()):
        outside = {flow.id for form in lines for flow in form.flows if flow.natural} - made
        if outside:
            why.append(f"the chain begins outside: {', '.join(sorted(outside))} is not made here")
        for id_ in sorted(boundaries):
            if len({product.chosen.id for _, product in products if product.id == id_}) > 1:
                why.append(f"lines hold {id_} against different chain benchmarks")
        if len(bases) > 1:
            why.append(f"lines of one chain count CO2 differently: {', '.join(sorted(bases))}")
    return tuple(dict.fromkeys(why))


def _no_product(products: Made) -> tuple[str, ...]:
    return () if products else ("nothing here makes a product",)


def _lacking(products: Made, what: str, lacks: Callable[[ProductForm], bool]) -> tuple[str, ...]:
    ids = dict.fromkeys(product.id for _, product in products if lacks(product))
    return (f"no {what} for {', '.join(ids)}",) if ids else ()


def _of(form: LineForm, lines: Sequence[LineForm], why: str) -> str:
    return why if len(lines) == 1 else f"{form.line.name}: {why}"
