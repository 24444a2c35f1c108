"""Which lines of a scope make a product, and which make what goes into it: the way its energy is added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scoring.degrees.forms import LineForm


@dataclass(frozen=True, slots=True)
class Step:
    """One product on the way: its makers, and what they consume that is made inside the scope too."""

    product: str
    makers: tuple[LineForm, ...]
    needs: tuple[str, ...]  # products, each a step before this one


@dataclass(frozen=True, slots=True)
class Route:
    """The steps to one product, in the order in which they are made; the last makes it."""

    steps: tuple[Step, ...]
    outside: tuple[str, ...]  # products on the way that are bought or made elsewhere
    why: tuple[str, ...] = field(default=())  # why energy cannot be told apart, in words

    @property
    def lines(self) -> tuple[LineForm, ...]:
        """All that take part, each once."""
        return tuple({form.line.index: form for step in self.steps for form in step.makers}.values())

    @property
    def boundary(self) -> str:
        """What is counted, in words."""
        inside = ", ".join(step.product for step in self.steps[:-1])
        return f"chain: {inside}" if inside else "stage"


def route(product: str, lines: Sequence[LineForm], *, chain: bool) -> Route:
    """The way to `product` through the lines of a scope; a stage is its last step alone."""
    steps: dict[str, Step] = {}
    outside: list[str] = []
    why: list[str] = []

    def visit(id_: str, above: tuple[str, ...]) -> None:
        if id_ in above:
            why.append(f"{' → '.join((*above[above.index(id_) :], id_))}: a circle has no first step")
            return
        if id_ in steps:
            return
        makers = tuple(form for form in lines if any(p.id == id_ for p in form.products))
        for form in makers:
            if len(form.products) > 1:
                made = ", ".join(sorted(p.id for p in form.products))
                why.append(f"mixed products: {form.line.name} makes {made}, its energy cannot be told apart")
        used = dict.fromkeys(flow.id for form in makers for flow in form.flows if flow.natural and flow.id != id_)
        needs = tuple(need for need in used if chain and any(p.id == need for form in lines for p in form.products))
        outside.extend(need for need in used if need not in needs)
        for need in needs:
            visit(need, (*above, id_))
        steps[id_] = Step(id_, makers, tuple(need for need in needs if need in steps))  # those of a circle are not

    visit(product, ())
    return Route(tuple(steps.values()), tuple(dict.fromkeys(outside)), tuple(dict.fromkeys(why)))
