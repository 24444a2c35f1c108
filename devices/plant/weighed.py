"""Laboratory values as integers, and which channels hold an amount weighed by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import lcm
from typing import Final

from devices.plant.model import Plant
from devices.plant.terms import Factor
from devices.plant.values import Lab, Sampled

Rows = Mapping[tuple[int, tuple[Lab, ...]], list[int]]
"""By amount channel and laboratory values: the channels of the product's digits, lowest first."""

LIMB_BITS: Final = 28
"""Digits of a weighed channel's factor are to the base 2**28."""


def lab(value: Sampled, *, rest: bool) -> Lab:
    """The value, or 1 minus it, as an integer: `scale_of` of it to the value."""
    if rest:
        below = lcm(value.times.denominator, 1 if value.default is None else value.default.denominator)
        default = -1 if value.default is None else int((1 - value.default) * below)
        return Lab(value.channel, below, -int(value.times * below), default)
    if value.default is None:
        return Lab(value.channel, 0, 1, -1)
    finer = (value.default / value.times).denominator
    return Lab(value.channel, 0, finer, int(value.default / value.times * finer))


def scale_of(value: Sampled, *, rest: bool) -> Fraction:
    """What one of the integer is worth."""
    one = lab(value, rest=rest)
    return Fraction(1, one.plus) if rest else value.times / one.times


def labs_of(factors: Iterable[Factor]) -> tuple[tuple[Lab, ...], Fraction]:
    """The laboratory values among the factors, in one order, and what one of their product is worth."""
    found, scale = [], Fraction(1)
    for factor in factors:
        if isinstance(factor.value, Sampled):
            found.append(lab(factor.value, rest=factor.rest))
            scale *= scale_of(factor.value, rest=factor.rest)
    return tuple(sorted(found)), scale


def weighed_rows(plant: Plant) -> Rows:
    """Of the whole plant."""
    found: dict[tuple[int, tuple[Lab, ...]], list[int]] = {}
    for channel in plant.channels:
        if channel.labs and channel.source is not None:
            found.setdefault((channel.source, channel.labs), []).append(channel.index)
    return found
