"""The energy of one product over one window: its own lines', and of what goes into it as much as was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.degrees.window import LineView
from scoring.energy.measure import Measure
from scoring.energy.route import Route


@dataclass(frozen=True, slots=True)
class Tally:
    """Exact: the energy is above / below on the measure's scale, for `made` on the product scale."""

    above: int
    below: int
    made: int
    used: Mapping[str, int]  # what the makers consumed of other products, on the product scale
    unmade: tuple[str, ...]  # used, but not made in the window: its energy is not known
    bought: tuple[str, ...]  # more used than made in the window: the rest counts as if made here


def tally(route: Route, views: Mapping[int, LineView], measure: Measure) -> Tally:
    """Add up the steps: E(p) = own(p) + Σ used(q) · E(q) / made(q) over what goes into p and is made inside."""
    done: dict[str, Tally] = {}
    for step in route.steps:
        parts = [part for form in step.makers for part in views[form.line.index].parts]
        above, below = sum(measure.of(views[form.line.index]) for form in step.makers), 1
        used: dict[str, int] = {}
        for part in parts:
            for id_, amount in part.used.items():
                used[id_] = used.get(id_, 0) + amount
        unmade: list[str] = []
        bought: list[str] = []
        for need in step.needs:
            source, amount = done[need], used.get(need, 0)
            if amount and source.made > 0:
                above, below = (
                    above * source.below * source.made + amount * source.above * below,
                    below * source.below * source.made,
                )
                unmade += source.unmade
                bought += (*source.bought, need) if amount > source.made else source.bought
            elif amount:
                unmade.append(need)
        made = sum(part.made.get(step.product, 0) for part in parts)
        once = tuple(dict.fromkeys(unmade)), tuple(dict.fromkeys(bought))
        done[step.product] = Tally(above, below, made, used, *once)
    return done[route.steps[-1].product]
