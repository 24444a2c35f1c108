"""What a registry means, in the twin's own words: what a count is worth, when a day begins, which benchmark and norm
a line's product is held against. From docs/registry.md and semantics §4; no line of it is the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from zoneinfo import ZoneInfo

from devices.plant.model import Benchmark, Channel, Kind, Line, Plant
from devices.plant.norm import Norm
from devices.units import Unit, factor, unit

_MS = {"s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_WORK = {"W": "Wh", "kW": "kWh", "MW": "MWh", "GW": "GWh"}


@cache
def midnight(day: date, zone: str) -> int:
    """The first minute (ms) that is of this day, or a later one, on the zone's clock: tried one after the other."""
    local, begin = ZoneInfo(zone), datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    minutes = (begin + timedelta(minutes=m) for m in range(32 * 60))
    return int(next(t for t in minutes if t.astimezone(local).date() >= day).timestamp()) * 1000


def worth(plant: Plant, channel: Channel) -> Fraction:
    """The value of one step, in the channel's unit; a derived channel has its source's steps."""
    times = Fraction(1)
    while channel.source is not None:
        times, channel = times * channel.times, plant.channels[channel.source]
    return channel.step * times


def measured_in(channel: Channel) -> Unit:
    """The unit of its amounts: of a rate in t/h it is t, in kW kWh."""
    symbol = channel.unit.symbol
    if channel.kind is not Kind.RATE:
        return channel.unit
    return unit(_WORK[symbol] if symbol in _WORK else symbol.rpartition("/")[0].strip())


def per_count(plant: Plant, channel: Channel, target: Unit) -> Fraction:
    """The amount in `target` of one step; of a rate, held for a millisecond."""
    symbol, ms = channel.unit.symbol, 1
    if channel.kind is Kind.RATE:
        ms = _MS["h" if symbol in _WORK else symbol.rpartition("/")[2].strip()]
    return worth(plant, channel) * factor(measured_in(channel), target) / ms


def benchmark(plant: Plant, line: Line, product: str, made: Sequence[str]) -> Sequence[Benchmark]:
    """Every dated entry of the one that the product is held against; nothing where none fits, or several do."""
    named = plant.benchmarks.get(line.lcd.benchmark or "", ())
    if named and {e.product for e in named} == {product}:
        return named
    if line.lcd.benchmark and not {e.product for e in named} & set(made):
        return ()
    like = {(product, line.lcd.basis, line.lcd.power)}
    fit = [one for one in plant.benchmarks.values() if {(e.product, e.basis, e.power) for e in one} == like]
    return fit[0] if len(fit) == 1 else ()


def norm(plant: Plant, line: Line, product: str, energy: str) -> Sequence[Norm]:
    """Every dated entry of the line's norm for one kind of the product's energy; nothing where it is not sure which."""
    fit = {
        id_: one for id_, one in plant.norms.items() if one and (one[-1].product, one[-1].energy) == (product, energy)
    }
    listed = [one for id_, one in fit.items() if id_ in line.norms] or list(fit.values())
    return listed[0] if len(listed) == 1 else ()
