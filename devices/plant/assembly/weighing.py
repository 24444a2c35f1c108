"""Weighed channels: an amount times the laboratory values in force, part by part.

A score needs ∫ value dt-wise amounts, not amount × average: so each such product is a channel of its own, summed
like the others. The product of the values is an integer; its digits to the base 2**28 are a channel each, so that
no sum passes 96 bits.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

from devices.plant.assembly.book import Book
from devices.plant.model import Channel, Plant
from devices.plant.terms import terms
from devices.plant.values import Lab, Sampled
from devices.plant.weighed import LIMB_BITS, lab, labs_of

MOST = 1 << 34
"""A laboratory value's integer lies below this: times a digit it fits 62 bits."""


def weigh(book: Book, plant: Plant) -> Plant:
    """The plant with the weighed channels that its lines need, behind the measured ones."""
    channels = list(plant.channels)
    known: set[tuple[int, tuple[Lab, ...]]] = set()
    for line in plant.lines:
        for term in terms(plant, line):
            for factor in term.factors:
                if isinstance(factor.value, Sampled):
                    _bound(book, plant, channels, factor.value, rest=factor.rest)
            labs, _ = labs_of(term.factors)
            if labs and (term.channel.index, labs) not in known:
                known.add((term.channel.index, labs))
                channels += _rows(term.channel, labs, channels)
    return replace(plant, channels=tuple(channels))


def _rows(source: Channel, labs: tuple[Lab, ...], channels: list[Channel]) -> list[Channel]:
    most = 1
    for one in labs:
        most *= max(one.plus, one.default, one.plus + one.times * (channels[one.channel].high or 0))
    return [
        replace(
            source, index=len(channels) + limb, source=source.index, times=Fraction(1), delay_ms=0, low=None, high=None,
            labs=labs, limb=limb, moisture=None, required=None, uncertainty=None,
        )
        for limb in range(max(1, -(-most.bit_length() // LIMB_BITS)))
    ]  # fmt: skip


def _bound(book: Book, plant: Plant, channels: list[Channel], value: Sampled, *, rest: bool) -> None:
    """A laboratory value is never negative and a share of at most 1; what lies outside is never scored."""
    channel = channels[value.channel]
    one = lab(value, rest=rest)
    most = floor(1 / value.times) if value.share else (MOST - 1) // one.times
    if (one.plus or one.times * (most if value.share else 1)) >= MOST:
        meter = plant.meters[channel.meter].name
        cause = f"a laboratory value in steps of {float(channel.step):g} {channel.unit} has too many digits"
        book.mistakes.add(f"meter.{meter}.channels.{channel.name}", "step", cause, 'use a coarser one, like "0.01"')
        return
    low = 0 if channel.low is None else max(0, channel.low)
    high = most if channel.high is None else min(most, channel.high)
    channels[value.channel] = replace(channel, low=low, high=high)
