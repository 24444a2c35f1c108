"""What is fixed about one kind of energy of one product in one scope: the way, the norm, what can never be shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from devices.plant.model import Plant
from devices.plant.norm import EnergyKind, Norm
from devices.units import factor
from scoring.degrees.coverage import ENERGIES
from scoring.degrees.forms import LineForm
from scoring.degrees.scales import Scales
from scoring.energy.measure import COUNTED_IN, Measure, measure
from scoring.energy.route import Route, route
from scoring.rules.norms import ChosenNorm, choose_norm
from scoring.rules.timeline import Timeline


@dataclass(frozen=True, slots=True)
class EnergyPlan:
    """One object of every window, compiled."""

    energy: EnergyKind
    product: str
    unit: str  # "kWh/t"
    output_unit: str
    route: Route
    norm: ChosenNorm
    timeline: Timeline[Norm]
    measures: tuple[Measure, ...]  # one for each period of the timeline, last the one for none of them
    share_unit: Fraction  # units of the norm's product in one unit of what it corrects for
    withheld: tuple[str, ...]  # why it can never be shown
    derived: bool

    @property
    def makers(self) -> tuple[LineForm, ...]:
        """The lines that make the product."""
        return self.route.steps[-1].makers


def plans(plant: Plant, scales: Scales, lines: Sequence[LineForm]) -> Iterator[EnergyPlan]:
    """Every product that the lines of a scope make, by id; of each, every kind in the order of `ENERGIES`."""
    for product in sorted({p.id for form in lines for p in form.products}):
        for energy in ENERGIES:
            yield _plan(plant, scales, lines, product, energy)


def _plan(plant: Plant, scales: Scales, lines: Sequence[LineForm], product: str, energy: EnergyKind) -> EnergyPlan:
    makers = [form for form in lines if any(p.id == product for p in form.products)]
    norm = _agreed(product, [choose_norm(plant, form.line, product, energy) for form in makers])
    way = route(product, lines, chain=bool(norm.entries) and norm.entries[-1].boundary == "chain")
    timeline = Timeline(norm.entries, plant.sites[makers[0].line.site].timezone)
    unit = plant.products[product].unit
    correction = norm.entries[-1].correction if norm.entries else None
    return EnergyPlan(
        energy=energy,
        product=product,
        unit=f"{COUNTED_IN[energy]}/{unit}",
        output_unit=unit.symbol,
        route=way,
        norm=norm,
        timeline=timeline,
        measures=tuple(
            measure(energy, scales, burning=_burn(way.lines), kgce_per_kwh=per_kwh)
            for per_kwh in (*(p.entry.electricity for p in timeline.periods), None)
        ),
        share_unit=factor(plant.products[correction.share].unit, unit) if correction else Fraction(1),
        withheld=(*way.why, *_unmetered(way, energy)),
        derived=any(form.derived for form in way.lines),
    )


def _agreed(product: str, chosen: Sequence[ChosenNorm]) -> ChosenNorm:
    if len({(norm.id, norm.why) for norm in chosen}) > 1:
        return ChosenNorm(why=f"lines hold {product} against different norms")
    return chosen[0]


def _burn(lines: Sequence[LineForm]) -> bool:
    return any(form.fuels for form in lines)


def _unmetered(way: Route, energy: EnergyKind) -> list[str]:
    """Which meters are missing. No process runs without power; fuel may be none, but not of one maker of several."""
    why = []
    if energy != "heat":
        dark = [form.line.name for form in way.lines if not form.power]
        why += [f"no electricity is metered on {', '.join(dark)}"] if dark else []
    if energy == "heat" and not _burn(way.lines):
        why.append("no fuel is metered")
    if energy != "electricity":
        for step in way.steps:
            cold = [form.line.name for form in step.makers if not form.fuels]
            if cold and _burn(step.makers):
                why.append(f"no fuel is metered on {', '.join(cold)}, as it is where else {step.product} is made")
    return why
