"""The exact split of a degree's change between two windows, in rationals (docs/why.md).

With R = N/D and e_i = D_i/N for each part D_i of the denominator

    R1 − R0 = Σ c_i      c_i = −R0·R1·(e_i1 − e_i0) = (N1·D_i0 − N0·D_i1) / (D0·D1)

A change of what one unit of output is worth (benchmark, theoretical consumption, best peer) comes first, at the
old mix: N0 is then the old output at the new values. The second form of c_i needs no N, so a numerator of 0 is
no exception. Everything here is exact; `told` rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from scoring.degrees.shares import Pair, Side, Who

Cause = Literal[
    "benchmark", "output", "energy", "fuel", "process", "material", "waste", "people", "factor", "measured", "other"
]


class Kind(NamedTuple):
    """What a part of the denominator is called, and what its amount's and its factor's change are put down to."""

    part: Cause
    amount: Cause
    factor: Cause = "factor"


KindOf = Callable[[Who], Kind]


@dataclass(frozen=True, slots=True)
class Contribution:
    """How much of the change one part, or one cause at one meter, makes up."""

    cause: Cause
    who: Who
    value: Fraction


@dataclass(frozen=True, slots=True)
class Split:
    """Both lists add up to `after` − `before` exactly."""

    before: Fraction
    after: Fraction
    parts: tuple[Contribution, ...]  # the benchmark, then c_i of each part of the denominator
    causes: tuple[Contribution, ...]  # the same by cause: amounts, factors and output apart; nothing that is 0


def split(old: Side, new: Side, kind: KindOf, *, per_output: bool) -> Split:
    """Both denominators must be above 0.

    `per_output` (GD, LCD): consumption is judged per unit of output, so a line that makes more and uses more in
    proportion moves nothing. Else (CD, SD) a change of the numerator is a cause of its own.
    """
    if old.denominator <= 0 or new.denominator <= 0:
        raise ValueError("a degree with nothing below the line does not move")
    worth = {who: _at_new_factor(old.above[who], new.above.get(who)) for who in old.above}
    benchmark = [
        Contribution("benchmark", who, Fraction(worth[who] - added, old.denominator))
        for who, (_, added) in old.above.items()
        if worth[who] != added
    ]
    change = _Change(old, new, sum(worth.values(), start=Fraction(0)), worth, kind)
    parts = [Contribution(kind(who).part, who, change.formula(who)) for who in change.below]
    causes = change.per_output() if per_output else change.absolute()
    return Split(
        Fraction(old.numerator, old.denominator),
        Fraction(new.numerator, new.denominator),
        (*benchmark, *parts),
        (*benchmark, *(Contribution(cause, who, x) for (cause, who), x in causes.items() if x)),
    )


def _at_new_factor(old: Pair, new: Pair | None) -> Fraction:
    """What the old amount adds at the new window's factor; as it was where the new window has no amount."""
    if new is None or not new[0] or not old[0]:
        return Fraction(old[1])
    return Fraction(old[0] * new[1], new[0])


Causes = dict[tuple[Cause, Who], Fraction]


@dataclass(slots=True)
class _Change:
    old: Side
    new: Side
    n0: Fraction  # the old output at the new values
    above0: Mapping[Who, Fraction]  # its parts
    kind: KindOf

    @property
    def below(self) -> list[Who]:
        """Every part of either denominator, the old ones first."""
        return [*self.old.below, *(who for who in self.new.below if who not in self.old.below)]

    def formula(self, who: Who) -> Fraction:
        """c_i."""
        d0, d1 = self.old.below.get(who, (0, 0))[1], self.new.below.get(who, (0, 0))[1]
        return (self.new.numerator * d0 - self.n0 * d1) / (self.old.denominator * self.new.denominator)

    def per_output(self) -> Causes:
        """Of each c_i: what its factor did, at the old amount; what the shift of output between lines did, at the
        old intensity of the line; the rest is the amount's.
        """
        causes: Causes = {}
        ratio1 = Fraction(self.new.numerator, self.new.denominator)
        made0, made1 = _by_line(self.above0), _by_line({who: p[1] for who, p in self.new.above.items()})
        product = _one_each(
            [who for side in (self.old, self.new) for who, (_, added) in side.above.items() if added > 0]
        )
        for who in self.below:
            kind = self.kind(who)
            then = self.old.below.get(who, (0, 0))
            at_new = _at_new_factor(then, self.new.below.get(who))
            of_factor = -ratio1 * (at_new - then[1]) / self.old.denominator
            shift = self._shift(made0, made1, who.line)
            of_output = -at_new * shift * ratio1 / self.old.denominator
            _count(causes, kind.factor, who, of_factor)
            _count(causes, "output", Who(who.line, product.get(who.line)), of_output)
            _count(causes, kind.amount, who, self.formula(who) - of_factor - of_output)
        return causes

    def _shift(self, made0: Mapping[int | None, Fraction], made1: Mapping[int | None, Fraction],
               line: int | None) -> Fraction:  # fmt: skip
        """By what share the line's part of the output grew; 0 where that has no meaning."""
        then, now = made0.get(line, Fraction(0)), made1.get(line, Fraction(0))
        if line is None or then <= 0 or now <= 0 or self.n0 <= 0 or self.new.numerator <= 0:
            return Fraction(0)
        return (now / self.new.numerator) / (then / self.n0) - 1

    def absolute(self) -> Causes:
        """(N1 − N0)/D1 by part of the numerator, −R0·(D1 − D0)/D1 by part of the denominator."""
        causes: Causes = {}
        ratio0, d1 = self.n0 / self.old.denominator, self.new.denominator
        numerator: Cause = "output" if any(who.id == "people" for who in self.below) else "waste"
        above = [*self.above0, *(who for who in self.new.above if who not in self.above0)]
        for who in above:
            now, then = self.new.above.get(who, (0, 0))[1], self.above0.get(who, Fraction(0))
            _count(causes, numerator, who, (now - then) / d1)
        for who in self.below:
            more = self.new.below.get(who, (0, 0))[1] - self.old.below.get(who, (0, 0))[1]
            cause: Cause = numerator if who in above else self.kind(who).amount
            _count(causes, cause, who, -ratio0 * more / d1)
        return causes


def _count(causes: Causes, cause: Cause, who: Who, value: Fraction) -> None:
    causes[cause, who] = causes.get((cause, who), Fraction(0)) + value


def _by_line(above: Mapping[Who, Fraction | int]) -> dict[int | None, Fraction]:
    found: dict[int | None, Fraction] = {}
    for who, added in above.items():
        found[who.line] = found.get(who.line, Fraction(0)) + added
    return found


def _one_each(above: list[Who]) -> dict[int | None, int]:
    """The channel that measures a line's output, where there is one."""
    channels: dict[int | None, set[int]] = {}
    for who in above:
        if who.channel is not None:
            channels.setdefault(who.line, set()).add(who.channel)
    return {line: next(iter(found)) for line, found in channels.items() if len(found) == 1}
