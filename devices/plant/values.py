"""Values that scores multiply by: constant, dated by the site's local date, or measured by a laboratory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from devices.plant.model import Dated


@dataclass(frozen=True, slots=True)
class Series:
    """A dated factor, its values in the unit that the key asks for, ascending by start."""

    id: str
    entries: tuple[Dated, ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """A level channel's value, held from its sample to the next.

    Before the first sample and once the last one is older than the channel's `max_gap`, `default` holds. Without
    one there is no value before the first, and an old sample goes on being used; both are marked.
    """

    channel: int  # row of Plant.channels
    times: Fraction  # the value of one count of the channel, in the unit that the key asks for
    default: Fraction | None = None
    share: bool = False  # never more than 1


Value = Fraction | Series | Sampled


@dataclass(frozen=True, slots=True)
class Chemistry:
    """Process CO2 per unit of product from its oxides: (cao - cao_nc) * CAO + (mgo - mgo_nc) * MGO. Mass shares."""

    cao: Value
    mgo: Value = Fraction(0)
    cao_nc: Value = Fraction(0)  # not from carbonates
    mgo_nc: Value = Fraction(0)


@dataclass(frozen=True, slots=True)
class Input:
    """Process CO2 from what goes into the kiln: feed * (1 - dust_return) * loi. Mass shares."""

    material: str  # whose channels on the product's line are the feed; "" where `channel` is
    channel: int | None
    dust_return: Value
    loi: Value


Process = Value | Chemistry | Input


@dataclass(frozen=True, slots=True)
class Dust:
    """A material that leaves the kiln as dust: its CO2 per t is `ef`, or made from the process of product `of`."""

    of: str
    calcination: Fraction  # 1: bypass dust, calcined in full
    ef: Value | None = None


class Lab(NamedTuple):
    """One laboratory value in a weighed channel: the integer plus + times * count, never negative, below 2**34."""

    channel: int
    plus: int
    times: int
    default: int  # the integer where no fresh sample is; -1: none declared


def constant(value: Value) -> Fraction:
    """A value to plan with where no time is at hand: the newest dated one, a laboratory's default (else 0)."""
    if isinstance(value, Series):
        return value.entries[-1].value
    return (value.default or Fraction(0)) if isinstance(value, Sampled) else value


def changed(value: Value, rule: Callable[[Fraction], Fraction]) -> Value:
    """The constant or dated value under a rule; TypeError for a laboratory's."""
    if isinstance(value, Series):
        return replace(value, entries=tuple(replace(e, value=rule(e.value)) for e in value.entries))
    if isinstance(value, Sampled):
        raise TypeError("a laboratory value is known only when it comes")
    return rule(value)
