"""What `greengauge check` says of a registry without mistakes: what is in it, and what deserves a second look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from devices.plant.assembly.kinds import RATE_MAX
from devices.plant.model import Benchmark, Channel, Dated, Kind, Line, Material, Plant, Product, Regime, Stack
from devices.plant.norm import Norm
from devices.units import factor, quantity
from devices.words import suggestion

_ENOUGH = {
    d: quantity(q) for d, q in (("energy/time", "100 MW"), ("mass/time", "1000 t/h"), ("volume/time", "10000 m3/h"))
}
"""A rate that no line's meter passes, by dimension."""
_UNSURE = ("illustrative", "recalled", "[rec]", "set your own")


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that works but may not be what is meant."""

    table: str
    cause: str
    mend: str

    def __str__(self) -> str:
        return f"[{self.table}] {self.cause} ({self.mend})"


def describe(plant: Plant) -> str:
    """A summary for people: one line of text for each line and each stack."""
    measured = sum(1 for c in plant.channels if c.source is None)
    derived = sum(1 for c in plant.channels if c.source is not None and not c.labs)
    text = [
        f"{len(plant.sites)} site(s), {len(plant.lines)} line(s), {len(plant.stacks)} stack(s), "
        f"{len(plant.meters)} meter(s), {measured} measured and {derived} derived channel(s), "
        f"{len(plant.scopes)} scopes, "
        f"{len(plant.alarms)} alarm(s); version {plant.version:016x}"
    ]
    text += [_line(plant, line) for line in plant.lines]
    text += [_stack(plant, stack) for stack in plant.stacks]
    return "\n".join(text)


def warnings(plant: Plant, today: date | None = None) -> list[Caution]:
    """What deserves a second look on that day (default: today), in the order of the plant."""
    day = today or date.today()
    used = _Used(plant)
    found = [caution for line in plant.lines for caution in _of_line(plant, line, used)]
    found += [caution for stack in plant.stacks for caution in _of_stack(plant, stack)]
    if not plant.meters:
        found.append(
            Caution("meter", "there is no meter: whatever arrives waits for approval", "see `greengauge init`")
        )
    found += _of_small_units(plant)
    found += _of_undeclared(plant)
    found += _of_values(plant, used, day)
    found += [
        Caution(
            f"meter.{m.name}",
            f"its main meter `{plant.meters[m.parent].name}` stands on another line",
            "check `parent`",
        )
        for m in plant.meters
        if m.parent is not None and plant.meters[m.parent].line != m.line
    ]
    return found


def _of_small_units(plant: Plant) -> Iterator[Caution]:
    """Rates in so small a unit that true values may be more steps than can be counted: they would be out of range."""
    for c in plant.channels:
        enough = _ENOUGH.get(c.unit.dimension)
        if c.kind is not Kind.RATE or c.source is not None or c.low is not None or enough is None:
            continue
        most = RATE_MAX * c.step
        if most * factor(c.unit, enough.unit) < enough.value:
            yield Caution(
                f"meter.{plant.meters[c.meter].name}.channels.{c.name}",
                f"counts in steps of {float(c.step):g}: readings beyond {int(most):,} {c.unit} are out of range",
                'declare a coarser `step`, like `step = "0.001"`',
            )


class _Used:
    """Which values the lines and stacks use."""

    def __init__(self, plant: Plant) -> None:
        self.counted: dict[int, list[Channel]] = {line.index: [] for line in plant.lines}
        for channel in plant.channels:
            line = plant.meters[channel.meter].line
            if line is not None and channel.counts is not None and not channel.labs:
                self.counted[line].append(channel)
        self.products = {line.index: self._ids(line, "product") for line in plant.lines}
        self.fuels = sorted({id_ for line in plant.lines for id_ in self._ids(line, "fuel")})

    def _ids(self, line: Line, what: str) -> list[str]:
        return sorted({c.counts.id for c in self.counted[line.index] if c.counts is not None and c.counts.what == what})

    def electricity(self, line: Line) -> bool:
        return any(c.counts is not None and c.counts.what == "electricity" for c in self.counted[line.index])


def _line(plant: Plant, line: Line) -> str:
    channels = [plant.channels[c] for m in line.meters for c in plant.meters[m].channels]
    counted = sorted({str(c.counts) for c in channels if c.counts is not None and not c.shadowed})
    choice = f"{line.lcd.basis}{' with power' if line.lcd.power else ''}"
    parts = [
        f"{len(line.meters)} meter(s), {len(channels)} channel(s)",
        f"counts {', '.join(counted)}" if counted else "counts nothing",
        f"LCD {choice} against {line.lcd.benchmark or 'no benchmark'}",
    ]
    if line.running is not None:
        channel = plant.channels[line.running.channel]
        above = float(line.running.above * channel.step)
        parts.append(f"runs while {plant.meters[channel.meter].name}.{channel.name} > {above:g} {channel.unit}")
    return f"line {line.id}: {'; '.join(parts)}"


def _stack(plant: Plant, stack: Stack) -> str:
    entry = plant.regimes[stack.regime][-1]
    limits = ", ".join(f"{name} {float(limit):g}" for name, limit in entry.limits.items())
    own = [f"{a} {p} {float(limit):g}" for a, found in entry.average_limits.items() for p, limit in found.items()]
    per = [f"{name} {float(limit.value):g} {limit.unit}" for name, limit in entry.specific.items()]
    reference = f"at {float(entry.o2_ref):g} % O2" if entry.o2_ref is not None else "without reference oxygen"
    more = "".join(f", {text}" for text in [*own, *per])
    whole = f"{limits} mg/m3{more}" if limits else more.removeprefix(", ") or "no limits"
    legal = f"{stack.regime}: {whole} {reference}, {', '.join(entry.averages)}"
    return f"stack {stack.id}: {len(stack.meters)} meter(s); {legal}"


def _of_line(plant: Plant, line: Line, used: _Used) -> Iterator[Caution]:
    table, products = f"line.{line.name}", used.products[line.index]
    if not products:
        yield Caution(table, "no channel counts a product, so it has no degree", 'add `counts = "product:…"` to one')
    for id_ in products:
        product = plant.products[id_]
        if product.theoretical is None:
            yield Caution(
                f"product.{id_}",
                "has no `theoretical`, so the green degree is withheld",
                "add it, in t of natural resources per unit",
            )
        if line.people is not None and product.best_peer is None:
            yield Caution(
                f"product.{id_}",
                "has no `best_peer`, so the smart degree is withheld",
                "add it, like `12000 t/person-year`",
            )
    if products and line.people is None:
        yield Caution(table, "has no `people`, so the smart degree is withheld", "add how many are at work at a time")
    if products and line.lcd.benchmark is None:
        fit = [id_ for id_, e in plant.benchmarks.items() if e and e[-1].product in products]
        mend = f"name one of {', '.join(fit)} in `lcd`" if fit else "add a [[benchmark]] for its product"
        yield Caution(table, "has no one benchmark, so the low-carbon degree may be withheld", mend)
    elif line.lcd.benchmark is not None:
        entry = plant.benchmarks[line.lcd.benchmark][-1]
        if (entry.basis, entry.power) != (line.lcd.basis, line.lcd.power):
            cause = f"counts its CO2 otherwise than benchmark `{entry.id}`, so the low-carbon degree is withheld"
            yield Caution(f"{table}.lcd", cause, f'say `basis = "{entry.basis}", power = {str(entry.power).lower()}`')
    site = plant.sites[line.site]
    if line.lcd.power and used.electricity(line) and site.electricity is None:
        yield Caution(
            f"site.{site.name}",
            "has no `electricity` factor for the power that its lines count",
            'add `electricity = "grid:…"`',
        )


def _of_stack(plant: Plant, stack: Stack) -> Iterator[Caution]:
    table = f"stack.{stack.name}"
    channels = {c.name: c for m in stack.meters for c in (plant.channels[i] for i in plant.meters[m].channels)}
    entry = plant.regimes[stack.regime][-1]
    gases = [c for c in channels.values() if c.unit.dimension == "mass/volume" or c.unit.symbol in ("ppm", "ppb")]
    yield from _unjudged(table, entry, channels, {c.name for c in gases})
    if entry.o2_ref is not None and 0 < entry.o2_ref < 1:
        cause = f"`o2_ref` is {float(entry.o2_ref):g} %, hardly any oxygen"
        yield Caution(f"regime.{entry.id}", cause, f"if it is a share, write {float(entry.o2_ref * 100):g}")
    if entry.o2_ref is not None and gases and "o2" not in channels:
        yield Caution(
            table,
            f"`{stack.regime}` corrects for oxygen, and no channel `o2` measures it",
            "add one, or no minute is valid",
        )
    wet = [c for c in channels.values() if c.water == "wet" and c.name != "flow"]
    if wet and "moisture" not in channels:
        yield Caution(
            table,
            f"`{wet[0].name}` is wet, and no channel `moisture` measures how wet",
            "add one, or no minute is valid",
        )
    for name in ("temp", "pressure"):
        hot = [c for c in gases if c.state == "hot"]
        if hot and name not in channels:
            yield Caution(
                table, f"`{hot[0].name}` is hot, and there is no channel `{name}`", "add one, or no minute is valid"
            )
    for name in sorted(stack.permit.keys() - channels.keys() - {"nox"}):
        yield Caution(f"{table}.permit", f"no channel measures `{name}`", "correct its name, or leave it out")
    flow = channels.get("flow")
    lacks = [key for key in ("state", "water") if flow is not None and getattr(flow, key) is None]
    if flow is not None and lacks:
        where = f"meter.{plant.meters[flow.meter].name}.channels.flow"
        cause = f"does not say {' nor '.join(f'`{key}`' for key in lacks)}: mass is not made of it"
        yield Caution(where, cause, 'say `state = "hot"` or `"standard"` and `water = "wet"` or `"dry"`')
    elif flow is None and (stack.permit or stack.substitution or entry.specific):
        yield Caution(table, "asks for mass, and no channel `flow` measures the gas", "add one, or no mass is known")
    for channel in gases + [c for c in channels.values() if c.name == "o2"]:
        where = f"meter.{plant.meters[channel.meter].name}.channels.{channel.name}"
        if channel.water is None:
            yield Caution(where, "does not say `water`: taken as dry", 'say `water = "wet"` or `"dry"`')
        if channel.state is None and channel.unit.dimension == "mass/volume":
            yield Caution(where, "does not say `state`: taken as standard", 'say `state = "hot"` or `"standard"`')


def _unjudged(table: str, entry: Regime, channels: Mapping[str, Channel], gases: set[str]) -> Iterator[Caution]:
    """What has a limit and is measured as something else, or nothing of which is measured at all."""
    limited = {*entry.limits, *entry.specific, *(p for limits in entry.average_limits.values() for p in limits)}
    for name in sorted(limited & channels.keys() - gases):
        cause = f"`{name}` is in `{channels[name].unit}`, no concentration: it is not judged by `{entry.id}`"
        yield Caution(table, cause, "measure it in mg/m3 or ppm, or give the channel another name")
    measured = gases | ({"nox"} if {"no", "no2"} <= gases else set())
    if limited and measured and not limited & (measured | channels.keys()):
        cause = f"`{entry.id}` limits {', '.join(sorted(limited))}; measured is {', '.join(sorted(measured))}"
        yield Caution(table, cause, "name the channels as the limits are named, or nothing is judged")


def _of_undeclared(plant: Plant) -> Iterator[Caution]:
    """Materials and products that only `counts` names: meant so, or a slip of the pen."""
    tables: tuple[tuple[str, Mapping[str, Material | Product]], ...] = (
        ("material", plant.materials),
        ("product", plant.products),
    )
    for what, found in tables:
        known = [id_ for id_, each in found.items() if each.declared]
        for id_ in sorted(found.keys() - known):
            near = suggestion(id_, known)
            mend = f"{near} If not, declare [{what}.{id_}]" if near else f"declare [{what}.{id_}]"
            yield Caution(f"{what}.{id_}", "is counted and not declared: taken with the defaults", mend)


def _of_values(plant: Plant, used: _Used, day: date) -> Iterator[Caution]:
    dated: list[tuple[str, tuple[Benchmark, ...] | tuple[Dated, ...] | tuple[Regime, ...] | tuple[Norm, ...]]] = []
    dated += [(f"benchmark.{id_}", plant.benchmarks[id_]) for id_ in _once(li.lcd.benchmark for li in plant.lines)]
    dated += [(f"factor.{id_}", plant.factors[id_]) for id_ in _once(s.electricity for s in plant.sites)]
    made = {id_ for ids in used.products.values() for id_ in ids}
    dated += [(f"norm.{id_}", entries) for id_, entries in sorted(plant.norms.items()) if entries[-1].product in made]
    dated += [(f"regime.{id_}", plant.regimes[id_]) for id_ in _once(s.regime for s in plant.stacks)]
    for table, entries in dated:
        now = [e for e in entries if e.start is None or e.start <= day]
        entry = (now or entries)[-1]
        if not now:
            yield Caution(table, f"begins on {entry.start} only", "add an entry for the time before")
        if entry.end is not None and entry.end < day:
            yield Caution(
                table, f"expired on {entry.end}; it is used and marked", "add the entry that follows, with its `from`"
            )
        yield from _sourced(table, entry.source)
    for id_ in _once(id_ for ids in used.products.values() for id_ in ids):
        yield from _sourced(f"product.{id_}", plant.products[id_].source, needed=False)
    for id_ in used.fuels:
        yield from _sourced(f"fuel.{id_}", plant.fuels[id_].source, needed=False)


def _sourced(table: str, source: str, *, needed: bool = True) -> Iterator[Caution]:
    if any(word in source for word in _UNSURE):
        yield Caution(
            table, f"rests on a value to be checked: {source}", "check it and give your own with its `source`"
        )
    elif needed and not source:
        yield Caution(table, "has no source", "add `source`, so that others can check it")


def _once(ids: Iterable[str | None]) -> list[str]:
    return sorted({id_ for id_ in ids if id_ is not None})
