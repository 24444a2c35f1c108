"""What each channel adds above and below the line of each degree: the parts that a change and a band are made of.

`part` is linear in the totals, so what one count of a channel adds is what `part` makes of that count alone. So
this follows whatever the forms say of fuels, factors and products without knowing it. What is not linear (a
chain's net output, people) stands apart; what the shares do not explain is shown as a remainder, never lost.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scoring.degrees import roll_up
from scoring.degrees.balance import Part, Totals, part
from scoring.degrees.forms import LineForm
from scoring.degrees.scopes import ScopePlan
from scoring.degrees.window import LineView
from scoring.windows.sums import SpanSums

Pair = tuple[int, int]
"""What is added (above, below) the line, on the degree's scale."""
LCD, SD = 1, 3


class Share(NamedTuple):
    """What one count of a channel adds, by degree in the order of `DEGREES`."""

    channel: int  # row of Plant.channels
    slot: int  # of the totals
    adds: tuple[Pair, Pair, Pair, Pair]


class Who(NamedTuple):
    """Whose part it is. Rows of Plant.lines and Plant.channels; None: of the scope, of no channel."""

    line: int | None
    channel: int | None
    id: str = ""  # of the product, where it is a net output; "people"; "" for a channel or a remainder


@dataclass(frozen=True, slots=True)
class Side:
    """One degree of one scope over one window, part by part: (amount, what it adds) on the degree's scale.

    Amounts are in counts of the channel, so adds / amount is the factor in force over the window. The parts of
    each side add up to `numerator` and `denominator` exactly.
    """

    numerator: int
    denominator: int
    above: dict[Who, Pair]
    below: dict[Who, Pair]


class Shares:
    """Remembers what a count adds: it changes only where another factor comes into force."""

    def __init__(self, forms: Sequence[LineForm]) -> None:
        self._slots = sum(len(form.every) for form in forms)
        self._edges = sorted({edge for form in forms for edge in form.edges})
        self._known: dict[tuple[int, int, frozenset[str] | int], tuple[Share, ...]] = {}

    def of(self, plan: ScopePlan, form: LineForm, end: int) -> tuple[Share, ...]:
        """What one count of each of the line's channels adds to the scope in a span that ends at `end`."""
        alike = plan.scope.index if plan.chain else plan.internal  # what else the shares depend on
        key = (form.line.index, bisect_left(self._edges, end), alike)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = tuple(self._share(plan, form, slot, end) for slot in form.every)
        return found

    def side(
        self, plan: ScopePlan, degree: int, length: int, cut: Sequence[tuple[SpanSums, Totals]],
        views: dict[int, LineView],
    ) -> Side:  # fmt: skip
        """One degree (row of `DEGREES`) of a scope, part by part; `cut` and `views` are of one window."""
        mine = [views[line] for line in plan.scope.lines]
        n, d = roll_up.ratios(plan, mine, roll_up.balance(mine), length)[degree]
        above: dict[Who, Pair] = {}
        below: dict[Who, Pair] = {}
        for form, view in zip(plan.lines, mine, strict=True):
            for span, totals in cut:
                for share in self.of(plan, form, span.end):
                    total, (up, down) = totals[share.slot], share.adds[degree]
                    who = Who(form.line.index, share.channel)
                    if up and not (plan.chain and degree == LCD):
                        _add(above, who, total, up * total)
                    if down:
                        _add(below, who, total, down * total)
            if degree == SD and (time := roll_up.person_time(form, view, length)):
                _add(below, Who(form.line.index, None, "people"), time, time)
        if plan.chain and degree == LCD:
            for id_, net, value in roll_up.net_outputs(plan, mine):
                _add(above, Who(None, None, id_), net, net * value)
        for parts, whole in ((above, n), (below, d)):
            if rest := whole - sum(added for _, added in parts.values()):
                parts[Who(None, None)] = (rest, rest)
        return Side(n, d, above, below)

    def _share(self, plan: ScopePlan, form: LineForm, slot: int, end: int) -> Share:
        totals = [0] * self._slots
        leading: dict[str, int] = {}
        if plan.chain:
            for other in plan.lines:
                leading |= part(other, totals, end).leading
        totals[slot] = 1
        return Share(form.channels[slot - form.every.start], slot, _adds(plan, part(form, totals, end), leading))


def _adds(plan: ScopePlan, one: Part, leading: dict[str, int]) -> tuple[Pair, Pair, Pair, Pair]:
    """As `roll_up.ratios`, of one part alone, people apart; a chain's output while some of it is left over."""
    b = one.balance
    inside = [one.flows[id_] for id_ in plan.internal & one.flows.keys()]
    gd, cd, waste = (sum(flow[k] for flow in inside) for k in range(3))
    passed_on = sum(amount * leading.get(id_, 0) for id_, amount in one.used.items())
    return (
        (b.theoretical - gd, b.gd - gd),
        (b.leading - passed_on, b.emitted),
        (b.waste - waste, b.cd - cd),
        (b.peer, 0),
    )


def _add(parts: dict[Who, Pair], who: Who, amount: int, added: int) -> None:
    before = parts.get(who, (0, 0))
    parts[who] = (before[0] + amount, before[1] + added)
