"""A scope's sums over one window: members added, what flows between them netted (semantics §4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scoring.degrees.balance import Balance, add
from scoring.degrees.forms import LineForm
from scoring.degrees.scopes import ScopePlan
from scoring.degrees.window import LineView


def balance(views: Sequence[LineView]) -> Balance:
    """All that the scope's lines did, before netting."""
    return add([part.balance for view in views for part in view.parts])


def ratios(plan: ScopePlan, views: Sequence[LineView], total: Balance, length: int) -> tuple[tuple[int, int], ...]:
    """(numerator, denominator) by degree: on the scales of mass, co2, mass and people."""
    gd, cd, waste = internal(plan, views)
    leading = chain(plan, views) if plan.chain else total.leading
    return (
        (total.theoretical - gd, total.gd - gd),
        (leading, total.emitted),
        (total.waste - waste, total.cd - cd),
        (total.peer, people(plan, views, length)),
    )


def internal(plan: ScopePlan, views: Sequence[LineView]) -> tuple[int, int, int]:
    """Materials made inside the scope: what of GD's, CD's and the wastes' mass is no resource from outside."""
    gd = cd = waste = 0
    if plan.internal:
        for flows in (part.flows for view in views for part in view.parts):
            for id_ in plan.internal & flows.keys():
                gd, cd, waste = gd + flows[id_][0], cd + flows[id_][1], waste + flows[id_][2]
    return gd, cd, waste


def chain(plan: ScopePlan, views: Sequence[LineView]) -> int:
    """Σ benchmark × net output of the scope, factor period by factor period."""
    return sum(net * value for _, net, value in net_outputs(plan, views))


def net_outputs(plan: ScopePlan, views: Sequence[LineView]) -> Iterator[tuple[str, int, int]]:
    """(product, made − consumed inside and not below 0, benchmark in force) in each period of its benchmark.

    Nothing else cuts it: the remainder of a window must not depend on when a factor changes.
    """
    spans = list(zip(*(view.parts for view in views), strict=True))
    for id_ in plan.products:
        net = 0
        for row, parts in enumerate(spans):
            net += sum([part.made.get(id_, 0) - part.used.get(id_, 0) for part in parts])
            if row + 1 == len(spans) or parts[0].end in plan.edges[id_]:
                yield id_, max(0, net), next((part.leading[id_] for part in parts if id_ in part.leading), 0)
                net = 0


def people(plan: ScopePlan, views: Sequence[LineView], length: int) -> int:
    """H: heads × time on each line's own basis of hours."""
    return sum([person_time(form, view, length) for form, view in zip(plan.lines, views, strict=True)])


def person_time(form: LineForm, view: LineView, length: int) -> int:
    """One line's share of H; 0 where no people are declared."""
    return form.heads * (length if form.line.hours == "calendar" else view.running)


def made(views: Sequence[LineView]) -> dict[str, int]:
    """Gross output by product, on the product scale."""
    if len(views) == 1 and len(views[0].parts) == 1:
        return views[0].parts[0].made
    output: dict[str, int] = {}
    for part in (part for view in views for part in view.parts):
        for id_, amount in part.made.items():
            output[id_] = output.get(id_, 0) + amount
    return output
