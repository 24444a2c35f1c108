"""Every line's degrees as integer linear forms of totals, laid out for a kernel.

What a line's numerators and denominators are stands in `balance` and `roll_up` and nowhere else: they are linear
in the channels' totals, so each coefficient is what they give for a total of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64
from scoring.degrees import reasons, roll_up
from scoring.degrees.balance import part
from scoring.degrees.coverage import DEGREES
from scoring.degrees.forms import LineForm
from scoring.degrees.scales import MS_PER_HOUR, Scales
from scoring.degrees.scopes import ScopePlan
from scoring.degrees.window import LineView

F64 = NDArray[np.float64]

RATIOS: Final = 2 * len(DEGREES)
"""Forms of a line: numerator and denominator of each degree."""

LENGTH: Final = -1
RUNNING: Final = -2
"""What stands in place of a channel: the window's length, the time in which the line runs; ms."""

DIGIT: Final = 31
"""Bits of a coefficient that the kernel multiplies at once."""

Terms = dict[int, int]
"""Channel, LENGTH or RUNNING → coefficient."""


class Linear(NamedTuple):
    """Forms f = ratio · Σ digits weight · Σ terms coefficient · total.

    A line has `RATIOS` of them, then those that are all below 0 where it is idle.
    """

    compiled: NDArray[np.bool_]  # by line: whether its degrees are linear here, with all their values in force
    first_form: I64  # by line, and the end
    first_digit: I64  # by form, and the end
    weight: F64  # by digit
    first_term: I64  # by digit, and the end
    source: I64  # by term: channel, LENGTH or RUNNING
    coefficient: I64  # by term, below 2**DIGIT
    high: F64  # by form: the ratio as a sum of two doubles
    low: F64
    zero_idle: NDArray[np.bool_]  # by line: idle at 0 too
    withheld: I64  # [line, window]: degrees never shown, as bits
    first_channel: I64  # by line, and the end, into `channels`
    channels: I64  # those that count


def linear(
    forms: Sequence[LineForm], plans: Sequence[ScopePlan], scales: Scales, end: int, lengths: Sequence[int]
) -> Linear:
    """The forms of all lines for windows that end at `end` (ms) and in which no factor changes."""
    plan_of = {plan.scope.lines[0]: plan for plan in plans if plan.scope.level == "line"}
    slots = sum(len(form.channels) for form in forms)
    laid: list[tuple[Terms, Fraction]] = []
    first_form, first_channel, channels = [0], [0], list[int]()
    compiled, withheld = [], []
    below = (scales.mass, scales.co2, scales.mass, scales.people)
    for form in forms:
        plan = plan_of[form.line.index]
        found, missing = _line(form, plan, end, slots)
        compiled.append(not (plan.chain or missing or form.unvalued))
        laid += [(terms, Fraction(1, below[k // 2])) for k, terms in enumerate(found)]
        laid += [(terms, Fraction(1)) for terms in _idle(form, scales, end, slots)]
        first_form.append(len(laid))
        channels += form.channels
        first_channel.append(len(channels))
        withheld.append([_withheld(plan, length) for length in lengths])
    return Linear(
        np.asarray(compiled, np.bool_),
        np.asarray(first_form, np.int64),
        *_digits(laid),
        zero_idle=np.asarray([not form.line.min_output for form in forms], np.bool_),
        withheld=np.asarray(withheld, np.int64).reshape(len(forms), len(lengths)),
        first_channel=np.asarray(first_channel, np.int64),
        channels=np.asarray(channels, np.int64),
    )


def _line(form: LineForm, plan: ScopePlan, end: int, slots: int) -> tuple[list[Terms], bool]:
    """Numerator and denominator of each degree, in turn; and whether anything it may use has no value in force."""
    terms: list[Terms] = [{} for _ in range(RATIOS)]
    missing = any(note.missing for _, note in form.at(end).notes)

    def probe(source: int, slot: int | None, length: int, running: int) -> None:
        nonlocal missing
        totals = [0] * slots
        if slot is not None:
            totals[slot] = 1
        one = part(form, totals, end)
        missing = missing or bool(one.missing)
        view = LineView((one,), (), (), running, length, "running", idle=False, empty=False)
        pairs = roll_up.ratios(plan, [view], one.balance, length)
        for k, value in enumerate(value for pair in pairs for value in pair):
            if value:
                terms[k][source] = value

    for channel, slot in zip(form.channels, form.every, strict=True):
        probe(channel, slot, 0, 0)
    probe(LENGTH, None, 1, 0)
    probe(RUNNING, None, 0, 1)
    return terms, missing


def _idle(form: LineForm, scales: Scales, end: int, slots: int) -> list[Terms]:
    """By unit of its products: what is made above the least output (`Viewer` says the same of one window)."""
    least = form.line.min_output
    units: dict[str, Terms] = {}
    for product in form.products:
        terms = units.setdefault(product.unit.symbol, {})
        for channel, slot in zip(form.channels, form.every, strict=True):
            totals = [0] * slots
            totals[slot] = 1
            if made := part(form, totals, end).made[product.id]:
                terms[channel] = terms.get(channel, 0) + made * MS_PER_HOUR * least.denominator
    if least:
        for terms in units.values():
            terms[LENGTH] = -least.numerator * scales.product
    return list(units.values())


def _withheld(plan: ScopePlan, length: int) -> int:
    never = (plan.withheld[d] or reasons.too_short(d, length, derived=plan.derived) for d in range(len(DEGREES)))
    return sum(1 << d for d, why in enumerate(never) if why)


def _digits(forms: Iterable[tuple[Terms, Fraction]]) -> tuple[I64, F64, I64, I64, I64, F64, F64]:
    """Forms, each (terms, ratio), in the layout of `Linear` from `first_digit` to `low`."""
    first_digit, first_term = [0], [0]
    weight: list[float] = []
    source: list[int] = []
    coefficient: list[int] = []
    high: list[float] = []
    low: list[float] = []
    for terms, ratio in forms:
        common = gcd(*terms.values()) or 1
        rest = {s: (abs(c) // common, 1 if c > 0 else -1) for s, c in terms.items()}
        power = 0
        while any(c for c, _ in rest.values()):
            for s, (c, sign) in rest.items():
                if digit := c & ((1 << DIGIT) - 1):
                    source.append(s)
                    coefficient.append(sign * digit)
            rest = {s: (c >> DIGIT, sign) for s, (c, sign) in rest.items()}
            weight.append(2.0 ** (DIGIT * power))
            first_term.append(len(source))
            power += 1
        first_digit.append(len(weight))
        exact = ratio * common
        high.append(float(exact))
        low.append(float(exact - Fraction(high[-1])))
    return (
        np.asarray(first_digit, np.int64),
        np.asarray(weight),
        np.asarray(first_term, np.int64),
        np.asarray(source, np.int64),
        np.asarray(coefficient, np.int64),
        np.asarray(high),
        np.asarray(low),
    )
