"""From a stack's meters to its recipe: which channel is what, in which unit, and who stands in for whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import hypot, lcm

from devices.plant.model import Channel, Kind, Plant, Stack, Uncertainty
from devices.plant.molar import NO_AS_NO2
from devices.units import Unit, convert, factor
from scoring.degrees.amounts import value_per_step
from scoring.stacks.aside import Aside, Of
from scoring.stacks.band import Doubt
from scoring.stacks.normalise import Form
from scoring.stacks.recipe import Auxiliaries, Made, Mean, Part, Pollutant, Recipe
from scoring.watermarks import silence

_OXIDES = ("no", "no2")
_AUXILIARIES = ("o2", "moisture", "temp", "pressure", "flow", "calibration")


def compile_stack(plant: Plant, stack: Stack) -> Recipe:
    """The recipe of one stack."""
    channels = [plant.channels[c] for m in stack.meters for c in plant.meters[m].channels]
    mains = [m for m in stack.meters if plant.meters[m].backup_of is None]
    groups = _groups(c for c in channels if c.meter in mains)
    stand_ins: dict[str, list[tuple[Channel, ...]]] = {}
    for m in stack.meters:
        if m not in mains:
            for name, group in _groups(c for c in channels if c.meter == m).items():
                if name in groups:
                    stand_ins.setdefault(name, []).append(group)
                else:
                    groups[name] = group  # nobody else measures it
    tables: list[Auxiliaries] = []
    rows: dict[int, int] = {}
    for m in stack.meters:
        others = sorted(channels, key=lambda c: c.meter not in mains)
        table = _auxiliaries(plant, stack, [c for c in channels if c.meter == m], others)
        if table not in tables:
            tables.append(table)
        rows[m] = tables.index(table)
    lines = [plant.lines[i] for i in stack.lines]
    says = [(x.name, x.running) for x in lines if x.running and _holds(plant, x.running.channel)]
    return Recipe(
        pollutants=tuple(
            _pollutant(plant, name, group, rows, tables, stand_ins.get(name, ())) for name, group in groups.items()
        ),
        auxiliaries=tuple(tables),
        running=tuple((name, r.channel, r.above) for name, r in says),
        always=len(says) < max(1, len(lines)),
        product=_products(plant, stack),
    )


def _groups(channels: Iterable[Channel]) -> dict[str, tuple[Channel, ...]]:
    """Pollutant → the channels that make it."""
    measured: dict[str, Channel] = {}
    for c in channels:
        if c.kind is Kind.LEVEL and c.name not in _AUXILIARIES and (_in_ppm(c.unit) or _in_mass(c.unit)):
            measured.setdefault(c.name, c)
    groups: dict[str, tuple[Channel, ...]] = {}
    oxides = all(n in measured for n in _OXIDES)
    for name, c in measured.items():
        if name in _OXIDES and oxides:
            if "nox" not in measured:
                groups["nox"] = tuple(measured[n] for n in _OXIDES)
        else:
            groups[name] = (c,)
    return groups


def _products(plant: Plant, stack: Stack) -> tuple[Made, ...]:
    """The channels of the stack's lines that count what the regime's limits are per."""
    entries = plant.regimes.get(stack.regime)
    per = entries[-1].per if entries else None
    found = []
    for line in stack.lines:
        for m in plant.lines[line].meters:
            for c in (plant.channels[row] for row in plant.meters[m].channels):
                if per is None or c.counts is None or (c.counts.what, c.counts.id) != ("product", per) or c.shadowed:
                    continue
                amount, per_ms = c.unit.integral if c.kind is Kind.RATE else (c.unit, Fraction(1))
                if amount.dimension == "mass":
                    found.append(Made(c.index, value_per_step(plant, c) * per_ms * factor(amount, "t")))
    return tuple(found)


def _pollutant(
    plant: Plant,
    name: str,
    group: tuple[Channel, ...],
    rows: dict[int, int],
    tables: Sequence[Auxiliaries],
    stand_ins: Iterable[tuple[Channel, ...]],
) -> Pollutant:
    raw_units = {_raw_unit(c, oxide=len(group) > 1) for c in group}
    parts = _parts(plant, name, group, rows)
    backups = tuple(_parts(plant, name, other, rows) for other in stand_ins)
    near = {part.auxiliaries for way in (parts, *backups) for part in way}
    needed = dict.fromkeys(c for x in parts for c in (x.mean.channel, *tables[x.auxiliaries].corrects))
    return Pollutant(
        name=name,
        parts=parts,
        raw_unit=raw_units.pop() if len(raw_units) == 1 else "",
        awaited=tuple((c, silence(plant.channels[c].every_ms)) for c in needed),
        backups=backups,
        gap_ms=max(c.max_gap_ms for c in group),
        every_ms=max(c.every_ms for c in group),
        unsure=tuple(sorted({one.meter for row in near for one in tables[row].asides})),
    )


def _parts(plant: Plant, name: str, group: tuple[Channel, ...], rows: dict[int, int]) -> tuple[Part, ...]:
    parts = []
    oxide = len(group) > 1
    for c in group:
        ppm = _in_ppm(c.unit)
        weight = NO_AS_NO2 if oxide and c.name == "no" and not ppm else Fraction(1)
        raw = value_per_step(plant, c) * weight * factor(c.unit, _raw_unit(c, oxide=oxide))
        parts.append(
            Part(
                mean=_mean(plant, c, "ppm" if ppm else "mg/m3", times=weight),
                form=Form(gas=name if ppm else None, hot=c.state == "hot" and not ppm, wet=c.water == "wet"),
                raw=raw,
                auxiliaries=rows[c.meter],
                doubt=_doubt(plant, c, raw),
            )
        )
    return tuple(parts)


def _doubt(plant: Plant, c: Channel, raw: Fraction) -> Doubt | None:
    """What is declared of the channel; of a derived one beside what is declared of its source."""
    own = _declared(plant, c)
    if not own:
        return None
    return Doubt(c.meter, hypot(*(u.relative for u in own)), hypot(*(u.per_ms * raw for u in own)))


def _declared(plant: Plant, c: Channel) -> list[Uncertainty]:
    source = None if c.source is None else plant.channels[c.source].uncertainty
    return [u for u in (c.uncertainty, source) if u is not None]


def _asides(plant: Plant, means: Mapping[Of, tuple[Channel, Mean] | None]) -> Iterator[Aside]:
    """What is declared of the channels that a concentration is normalised with."""
    for of, known in means.items():
        own = [] if known is None else _declared(plant, known[0])
        if known is None or not own:
            continue
        c, mean = known
        step = abs(mean.times) / mean.over
        relative, absolute = hypot(*(u.relative for u in own)), hypot(*(u.per_ms * step for u in own))
        yield Aside(of, c.meter, relative, absolute, mean.plus / mean.over)


def _raw_unit(c: Channel, *, oxide: bool) -> str:
    return ("ppm" if _in_ppm(c.unit) else "mg/m3") if oxide else c.unit.symbol


def _auxiliaries(plant: Plant, stack: Stack, own: list[Channel], others: list[Channel]) -> Auxiliaries:
    """An analyser is corrected with its own meter's auxiliaries, else with the stack's."""
    found: dict[str, Channel] = {}
    for c in [*own, *others]:
        if c.name in _AUXILIARIES and _holds(plant, c.index) and (c.name != "flow" or _says_all(c)):
            found.setdefault(c.name, c)
    flow, calibration = found.pop("flow", None), found.pop("calibration", None)
    o2, pressure = found.get("o2"), found.get("pressure")
    absolute: Mean | None = None
    if pressure is not None and not pressure.gauge:
        absolute = _mean(plant, pressure, "Pa")
    elif pressure is not None and stack.ambient_pa is not None:
        absolute = _mean(plant, pressure, "Pa", plus=stack.ambient_pa)
    moisture, temp = found.get("moisture"), found.get("temp")
    means: dict[Of, tuple[Channel, Mean] | None] = {
        "o2": (o2, _mean(plant, o2, "%")) if o2 else None,
        "moisture": (moisture, _mean(plant, moisture, "%")) if moisture else None,
        "celsius": (temp, _mean(plant, temp, "degC")) if temp else None,
        "pressure": (pressure, absolute) if pressure and absolute else None,
    }
    return Auxiliaries(
        **{of: known and known[1] for of, known in means.items()},
        o2_wet=o2 is not None and o2.water == "wet",
        channels=tuple(c.index for c in found.values()),
        flow=_mean(plant, flow, "m3/h") if flow else None,
        flow_hot=flow is not None and flow.state == "hot",
        flow_wet=flow is not None and flow.water == "wet",
        asides=tuple(_asides(plant, means)),
        calibration=calibration.index if calibration else None,
    )


def _says_all(flow: Channel) -> bool:
    """A flow makes mass only if it says in which state and how wet it is: a guess could be wrong by half."""
    return flow.unit.dimension == "volume/time" and flow.state is not None and flow.water is not None


def _mean(plant: Plant, c: Channel, to: str, *, times: Fraction = Fraction(1), plus: Fraction = Fraction(0)) -> Mean:
    zero = convert(Fraction(0), c.unit, to)
    slope = (convert(Fraction(1), c.unit, to) - zero) * value_per_step(plant, c) * times
    shift = zero + plus
    over = lcm(slope.denominator, shift.denominator)
    return Mean(c.index, int(slope * over), int(shift * over), over)


def _holds(plant: Plant, channel: int) -> bool:
    """Whether the channel has a mean over time at all."""
    return plant.channels[channel].kind in (Kind.LEVEL, Kind.RATE)


def _in_mass(unit: Unit) -> bool:
    return unit.dimension == "mass/volume"


def _in_ppm(unit: Unit) -> bool:
    return unit.symbol in ("ppm", "ppb")
