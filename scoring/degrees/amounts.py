"""From a channel's total (steps, or steps × ms) to an amount in a unit: the one place where units are converted."""

from __future__ import annotations

from fractions import Fraction

from devices.plant.model import Channel, Dated, Kind, Plant
from devices.plant.terms import measured_in
from devices.units import Unit, factor, unit

__all__ = ["co2_per_kwh", "measured_in", "per_count", "value_per_step"]

T_PER_KWH = unit("t/kWh")


def per_count(plant: Plant, channel: Channel, target: Unit) -> Fraction:
    """The amount, in `target`, of one count of the channel's exact total."""
    per_step = value_per_step(plant, channel)
    if channel.kind is Kind.RATE:
        amount, per_ms = channel.unit.integral
        return per_step * per_ms * factor(amount, target)
    return per_step * factor(channel.unit, target)


def value_per_step(plant: Plant, channel: Channel) -> Fraction:
    """The value, in the channel's unit, of one step; a derived channel counts in its source's steps."""
    if channel.source is None:
        return channel.step
    return value_per_step(plant, plant.channels[channel.source]) * channel.times


def co2_per_kwh(entry: Dated) -> Fraction:
    """A grid factor ("kg CO2/kWh") in t CO2 per kWh."""
    return entry.value * factor(entry.unit, T_PER_KWH)
