"""Semantics §5: one minute of one stack, from what its analysers said (docs/regimes.md, "Keys of `[stack.NAME]`").

Plain doubles in the order that the page writes; a channel's mean is one rounded quotient of exact sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache

from devices.plant.model import Channel, Kind, Regime, Stack
from devices.plant.molar import MOLAR, NO_AS_NO2
from devices.units import convert
from scoring.reference.record import Record
from scoring.reference.registry import worth

MINUTE = 60_000
_OTHERS = ("o2", "moisture", "temp", "pressure", "flow", "calibration")


@dataclass(frozen=True)
class Minute:
    """One pollutant in one minute."""

    micro: int | None  # 1e-6 mg/m3; None: invalid
    running: bool  # some line of the stack runs
    mass: int | None = None  # µg
    gas: int | None = None  # dry standard litres
    raw: tuple[tuple[int, int], ...] = ()  # (exact total, ms) of each channel
    backup: bool = False
    begins: bool = False  # a valid reading begins in it
    check: bool = False  # calibration or maintenance
    passed: bool | None = None  # what its last calibration said


class Gas:
    """One stack's minutes."""

    def __init__(self, record: Record, stack: Stack) -> None:
        self._record, self._stack, plant = record, stack, record.plant
        self._lines = [plant.lines[row] for row in stack.lines]
        total, time = record.total, record.time  # pollutants share the minutes of what corrects them
        self._sums = lru_cache(256)(lambda c, start, end: (total(c).over(start, end), time(c).over(start, end)))
        self._means = lru_cache(256)(self._exact)  # of many minutes a held reading's mean is one and the same
        own = [[plant.channels[c] for c in plant.meters[m].channels] for m in stack.meters]
        backup = [plant.meters[m].backup_of is not None for m in stack.meters]
        self._all = [c for late in (False, True) for b, cs in zip(backup, own, strict=True) if b is late for c in cs]
        self._other = {m: self._others(m) for m in stack.meters}
        self.ways: dict[str, list[tuple[Channel, ...]]] = {}  # pollutant -> the main analyser, then those for it
        main = [c for b, cs in zip(backup, own, strict=True) if not b for c in cs]
        for channels in [main, *(cs for b, cs in zip(backup, own, strict=True) if b)]:
            for name, way in _pollutants(channels).items():
                self.ways.setdefault(name, []).append(way)

    def _others(self, meter: int) -> dict[str, Channel]:
        """What corrects an analyser: its own meter's channels, else the stack's."""
        found: dict[str, Channel] = {}
        for c in [*(c for c in self._all if c.meter == meter), *self._all]:
            level = c.kind in (Kind.LEVEL, Kind.RATE) and c.name in _OTHERS
            says = c.name != "flow" or (
                c.unit.dimension == "volume/time" and c.state is not None and c.water is not None
            )
            if level and says:
                found.setdefault(c.name, c)
        return found

    def weighs(self, name: str) -> bool:
        """Whether the pollutant's mass can be known."""
        return "flow" in self._other[self.ways[name][0][0].meter]

    def _stands(self, end: int) -> bool:
        """Whether all of the stack's lines are known to stand still in the minute (end − 60 s, end]."""
        for line in self._lines:
            held = line.running is not None and self._record.plant.channels[line.running.channel].kind in (2, 3)
            if line.running is None or not held:
                return False
            total, ms = self._sums(line.running.channel, end - MINUTE, end)
            if not ms or total > line.running.above * ms:
                return False
        return bool(self._lines)

    def minute(self, name: str, end: int, regime: Regime, *, start: int | None = None) -> Minute:
        """The minute that ends at `end`, or its part from `start` on."""
        start = end - MINUTE if start is None else start
        ways, standing = self.ways[name], self._stands(end)
        raw = tuple(self._sums(c.index, start, end) for c in ways[0])
        found, way = None, ways[0]
        for one in ways:
            found = self._value(name, one, start, end, regime)
            if found is not None:
                way = one
                break
        least = min(ms for _, ms in raw)
        if found is None and least < regime.minute_valid_ms:
            gap = max(c.max_gap_ms for c in ways[0])
            seen = self._record.between(ways[0][0].index, start - gap + 1, end)  # one that holds into the minute
            standing = standing or bool(seen and regime.meaning(seen[-1].letter) == "stopped")
        flow = self._flow(way[0].meter, start, end, regime)
        valid = found is not None and not standing
        begins, check, passed = (
            self._notes(way, ways[0][0].meter, start, end, regime) if regime.quadrants else (False, False, None)
        )
        mass = None
        if found is not None and valid and flow is not None:
            mass = round(max(found[1], 0.0) * flow / 60.0 * 1000.0)
        return Minute(
            micro=round(Fraction(found[0]) * 1_000_000) if found is not None and valid else None,
            running=not standing,
            mass=mass,
            gas=round(flow / 60.0 * 1000.0) if flow is not None and not standing else None,
            raw=raw,
            backup=valid and way is not ways[0],
            begins=begins,
            check=check,
            passed=passed,
        )  # fmt: skip

    def _mean(
        self, channel: Channel | None, unit: str, start: int, end: int, *,
        times: Fraction = Fraction(1), plus: Fraction = Fraction(0),
    ) -> float | None:  # fmt: skip
        """In a unit; None where nothing valid was read."""
        if channel is None:
            return None
        total, ms = self._sums(channel.index, start, end)
        return self._means(channel.index, unit, total, ms, times, plus) if ms else None

    def _exact(self, row: int, unit: str, total: int, ms: int, times: Fraction, plus: Fraction) -> float:
        channel = self._record.plant.channels[row]
        exact = Fraction(total, ms) * worth(self._record.plant, channel)
        return float(convert(exact, channel.unit, unit) * times + plus)

    def _value(
        self, name: str, way: tuple[Channel, ...], start: int, end: int, regime: Regime
    ) -> tuple[float, float] | None:
        """(mg/m3 at reference oxygen, before the oxygen step); None: invalid."""
        value = before = 0.0
        if min(self._sums(c.index, start, end)[1] for c in way) < max(1, regime.minute_valid_ms):
            return None
        for c in way:
            other = self._other[c.meter]
            wet = self._mean(other.get("moisture"), "%", start, end)
            if c.unit.symbol in ("ppm", "ppb"):
                molar = {g: m.mass for g, m in MOLAR.items()} | dict(regime.molar)
                ppm = self._mean(c, "ppm", start, end)
                if ppm is None or name not in molar:
                    return None
                one = ppm * float(molar[name]) / float(regime.molar_litres)
            else:
                no = NO_AS_NO2 if len(way) > 1 and c.name == "no" else Fraction(1)
                mean = self._mean(c, "mg/m3", start, end, times=no)
                if mean is None:
                    return None
                one = mean
                if c.state == "hot":
                    pa, celsius = self._pressure(other, start, end), self._mean(other.get("temp"), "degC", start, end)
                    standard, zero = float(regime.standard_k), float(regime.zero_k)
                    if pa is None or celsius is None or pa <= 0 or zero + celsius <= 0:
                        return None
                    one = one * 101325.0 / pa * (zero + celsius) / standard
            if c.water == "wet":
                if wet is None or wet >= 100:
                    return None
                one = one / (1.0 - wet / 100.0)
            before += one
            if regime.o2_ref is not None:
                o2 = self._oxygen(other, wet, start, end, regime)
                if o2 is None:
                    return None
                if not (regime.never_down and o2 < float(regime.o2_ref)):
                    base = float(regime.base)
                    one = one * (base - float(regime.o2_ref)) / (base - o2)
            value += one
        return value, before

    def _pressure(self, other: dict[str, Channel], start: int, end: int) -> float | None:
        channel, ambient = other.get("pressure"), self._stack.ambient_pa
        if channel is not None and channel.gauge:
            return None if ambient is None else self._mean(channel, "Pa", start, end, plus=ambient)
        return self._mean(channel, "Pa", start, end)

    def _oxygen(
        self, other: dict[str, Channel], wet: float | None, start: int, end: int, regime: Regime
    ) -> float | None:
        """% dry."""
        o2 = self._mean(other.get("o2"), "%", start, end)
        if o2 is None:
            return None
        if other["o2"].water == "wet":
            if wet is None or wet >= 100:
                return None
            o2 = o2 / (1.0 - wet / 100.0)
        if (regime.o2_max is not None and o2 > float(regime.o2_max)) or o2 >= float(regime.base):
            return None
        return o2

    def _flow(self, meter: int, start: int, end: int, regime: Regime) -> float | None:
        """m3/h, dry, standard."""
        other = self._other[meter]
        flow = self._mean(other.get("flow"), "m3/h", start, end)
        if flow is None:
            return None
        if other["flow"].state == "hot":
            pa, celsius = self._pressure(other, start, end), self._mean(other.get("temp"), "degC", start, end)
            standard, zero = float(regime.standard_k), float(regime.zero_k)
            if pa is None or celsius is None or zero + celsius <= 0:
                return None
            flow = flow * pa / 101325.0 * standard / (zero + celsius)
        if other["flow"].water == "wet":
            wet = self._mean(other.get("moisture"), "%", start, end)
            if wet is None or wet >= 100:
                return None
            flow = flow * (1.0 - wet / 100.0)
        return max(flow, 0.0)

    def _notes(
        self, way: tuple[Channel, ...], meter: int, start: int, end: int, regime: Regime
    ) -> tuple[bool, bool, bool | None]:
        seen = [w for w in self._record.between(way[0].index, start, end) if not w.outside]
        meanings = {regime.meaning(w.letter) for w in seen}
        channel = self._other[meter].get("calibration")
        told = [] if channel is None else self._record.between(channel.index, start, end)
        check = bool(meanings & {"calibration", "maintenance"}) or bool(told)
        return "valid" in meanings, check, told[-1].value > 0 if told else None


def _pollutants(channels: list[Channel]) -> dict[str, tuple[Channel, ...]]:
    """By name; `no` and `no2` together are `nox` where nobody measures that."""
    gases: dict[str, tuple[Channel, ...]] = {}
    for c in channels:
        concentration = c.unit.dimension == "mass/volume" or c.unit.symbol in ("ppm", "ppb")
        if c.kind is Kind.LEVEL and concentration and c.name not in _OTHERS:
            gases.setdefault(c.name, (c,))
    if "no" in gases and "no2" in gases:
        oxides = gases.pop("no") + gases.pop("no2")
        gases.setdefault("nox", oxides)
    return gases


def in_force(entries: tuple[Regime, ...], day: date) -> tuple[Regime, bool]:
    """The regime on a local date, and whether its limits hold yet."""
    begun = [r for r in entries if r.start is None or r.start <= day]
    if not begun:
        return min(entries, key=lambda r: r.start or date.min), False
    return max(begun, key=lambda r: r.start or date.min), True
