"""Semantics §5 and docs/regimes.md: the blocks of one stack, closed or as they stand at a whole minute.

Minute by minute from `gas`, then sums of sums, all fractions. Slow, and nothing is kept but what was computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from devices.plant.averages import NAMES, Kind, average
from devices.plant.model import Kind as ChannelKind
from devices.plant.model import Regime, Stack
from devices.units import factor
from scoring.reference.gas import MINUTE, Gas, Minute, in_force
from scoring.reference.record import Record
from scoring.reference.registry import measured_in, midnight, per_count

HOUR = 60 * MINUTE
Block = tuple[int, int]


@dataclass(frozen=True)
class Hour:
    """One pollutant in one block of the regime, or in its first minutes."""

    block: Block
    minutes: Sequence[Minute]
    counted: Sequence[int]  # places of the minutes that its mean is of
    verdict: str | None  # under the quadrant rule: "" it is an hour; None: minutes are counted
    regime: Regime
    taken_off: Fraction
    product: Fraction = Fraction(0)  # t
    micro: int = field(init=False)
    valid: int = field(init=False)
    running: int = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "micro", sum(self.minutes[i].micro or 0 for i in self.counted))
        put(self, "valid", len(self.counted))
        put(self, "running", sum(m.running for m in self.minutes))

    @property
    def enough(self) -> bool:
        """Whether it counts."""
        if self.verdict is not None:
            return self.verdict == "" and self.valid > 0
        return self.valid > 0 and self.valid * MINUTE >= self.regime.hour_valid_ms

    @property
    def mean(self) -> Fraction | None:
        """mg/m3, before anything is taken off."""
        return Fraction(self.micro, self.valid * 1_000_000) if self.valid else None

    @property
    def value(self) -> Fraction | None:
        """mg/m3, less the confidence."""
        return None if self.mean is None else max(self.mean - self.taken_off, Fraction(0))

    @property
    def mass(self) -> int:
        """µg."""
        return sum(m.mass or 0 for m in self.minutes)

    @property
    def mass_minutes(self) -> int:
        """Minutes whose mass is measured."""
        return sum(m.mass is not None for m in self.minutes)


@dataclass(frozen=True)
class Day:
    """One pollutant's blocks of one local day."""

    hours: Sequence[Hour]
    substituted: int  # µg
    regime: Regime
    limit: Fraction | None  # of a block

    @property
    def good(self) -> list[Hour]:
        """The valid blocks."""
        return [h for h in self.hours if h.enough]

    @property
    def total(self) -> Fraction:
        """Σ of their values."""
        return sum((h.value or Fraction(0) for h in self.good), start=Fraction(0))

    @property
    def within(self) -> int:
        """Those not above the limit."""
        return sum(self.limit is None or (h.value or 0) <= self.limit for h in self.good)

    @property
    def discarded(self) -> int:
        """Blocks lost while a line ran."""
        return sum(self.discards(h) for h in self.hours)

    def discards(self, hour: Hour) -> bool:
        """Whether the block is lost though a line ran."""
        return hour.running * MINUTE >= self.regime.hour_valid_ms and not hour.enough

    @property
    def gone(self) -> int:
        """Valid minutes that count in no number but completeness: those of blocks that a regime lets be discarded."""
        return 0 if self.regime.day_discarded is None else sum(h.valid for h in self.hours if self.discards(h))

    @property
    def lost(self) -> bool:
        """Whether too many were."""
        return self.regime.day_discarded is not None and self.discarded > self.regime.day_discarded

    @property
    def operated(self) -> bool:
        """Whether a line ran."""
        return any(h.running for h in self.hours)

    @property
    def mass(self) -> int:
        """µg measured."""
        return sum(h.mass for h in self.hours)

    @property
    def per_product(self) -> tuple[Fraction, Fraction]:
        """(µg, t of product) in the valid blocks; minutes without mass at the block's own mean."""
        known = [h for h in self.good if h.mass_minutes]
        mass = sum((Fraction(h.mass * h.running, h.mass_minutes) for h in known), start=Fraction(0))
        return mass, sum((h.product for h in known), start=Fraction(0))


class Blocks:
    """One stack."""

    def __init__(self, record: Record, stack: Stack) -> None:
        self._record, self.stack, plant = record, stack, record.plant
        self.gas = Gas(record, stack)
        self.zone = plant.sites[stack.site].timezone
        self.regimes = plant.regimes[stack.regime]
        own = [c for m in stack.meters for c in plant.meters[m].channels if plant.channels[c].source is None]
        seen = [w.ts for c in own for w in record.winners(c)]
        self.first, self.newest = min(seen, default=0), max(seen, default=0)
        self.blocks_of = lru_cache(maxsize=None)(self._blocks_of)
        self.hour = lru_cache(maxsize=None)(self._hour)
        self.day = lru_cache(maxsize=None)(self._day)
        self.substituted = cache(self._substituted)

    def local_day(self, ts: int) -> date:
        """The local date that `ts` lies in: a midnight belongs to the day before."""
        return datetime.fromtimestamp((ts - 1) // 1000, ZoneInfo(self.zone)).date()

    def _blocks_of(self, day: date) -> list[Block]:
        """The blocks of a local day: cut at whole local hours (or half hours), and where the clocks change."""
        start, end, zone = midnight(day, self.zone), midnight(day + timedelta(days=1), self.zone), ZoneInfo(self.zone)
        length = self.regimes[-1].block_ms // MINUTE
        cuts, before = [], None
        for t in range(start, end, MINUTE):
            local = datetime.fromtimestamp(t // 1000, UTC).astimezone(zone)
            if local.minute % length == 0 or t == start or local.utcoffset() != before:
                cuts.append(t)
            before = local.utcoffset()
        return list(zip(cuts, [*cuts[1:], end], strict=True))

    def block(self, ts: int) -> Block:
        """The block that `ts` lies in; its end belongs to it."""
        return next(b for b in self.blocks_of(self.local_day(ts)) if b[0] < ts <= b[1])

    def limit(self, name: str, kind: Kind, day: date) -> Fraction | None:
        """mg/m3 of an average on a day."""
        regime, holds = in_force(self.regimes, day)
        return self._limit(regime, name, written(regime, kind)) if holds else None

    @staticmethod
    def _limit(regime: Regime, name: str, as_written: str) -> Fraction | None:
        own = regime.average_limits.get(as_written, {}).get(name)
        listed = as_written in regime.averages or as_written == "1min"
        return own if own is not None else regime.limits.get(name) if listed else None

    def taken_off(self, name: str, day: date) -> Fraction:
        """mg/m3."""
        regime, _ = in_force(self.regimes, day)
        limit = self.limit(name, "day", day)
        limit = limit or regime.limits.get(name)
        share = regime.confidence.get(name)
        return Fraction(0) if share is None or limit is None else share * limit

    def _hour(self, name: str, block: Block, now: int | None = None) -> Hour:
        """A block, or its minutes up to `now`."""
        day = self.local_day(block[1])
        regime, _ = in_force(self.regimes, day)
        until = block[1] if now is None else now
        minutes = [self.gas.minute(name, end, regime) for end in range(block[0] + MINUTE, until + 1, MINUTE)]
        counted, verdict = [i for i, m in enumerate(minutes) if m.micro is not None], None
        if self.regimes[-1].quadrants:
            counted, verdict = points(minutes)
        return Hour(block, minutes, counted, verdict, regime, self.taken_off(name, day), self._product(*block))

    def _product(self, start: int, end: int) -> Fraction:
        """T of what the regime's limits are per."""
        per, plant, made = self.regimes[-1].per, self._record.plant, Fraction(0)
        for line in self.stack.lines if per else ():
            for c in (plant.channels[row] for m in plant.lines[line].meters for row in plant.meters[m].channels):
                if c.counts and (c.counts.what, c.counts.id) == ("product", per) and not c.shadowed and not c.labs:
                    assert c.kind is not ChannelKind.LEVEL  # noqa: S101 - a level makes nothing
                    unit = measured_in(c)
                    made += self._record.total(c.index).over(start, end) * per_count(plant, c, unit) * factor(unit, "t")
        return made

    def _substituted(self, name: str, block: Block) -> int:
        """µg that stand in for the block's minutes without mass."""
        rule, hour = self.stack.substitution, self.hour(name, block)
        missing = hour.running - hour.mass_minutes
        if rule is None or missing <= 0:
            return 0
        if hour.enough and hour.mass_minutes:
            return round(Fraction(hour.mass, hour.mass_minutes) * missing)
        if rule.rule == "half-limit":
            day = self.local_day(block[1])
            limit = self.limit(name, "half-hour" if hour.regime.block_ms < HOUR else "hour", day)
            limit = limit or hour.regime.limits.get(name)
            if limit is None:
                return 0
            for h in (hour, *(self.hour(name, b) for b in self._before(block))):
                if known := [m.gas for m in h.minutes if m.gas is not None]:
                    return round(limit / 2 * Fraction(sum(known), len(known)) * missing)
            return 0
        rates: list[Fraction] = []
        for b in self._before(block):
            h = self.hour(name, b)
            if h.enough and h.mass_minutes:
                rates.append(Fraction(h.mass, h.mass_minutes))
            if rates and (rule.rule == "last" or len(rates) * hour.regime.block_ms >= rule.hours * HOUR):
                break
        return round(max(rates, default=Fraction(0)) * missing)

    def _before(self, block: Block) -> Iterator[Block]:
        """The blocks before one, the newest first."""
        day = self.local_day(block[1])
        while midnight(day + timedelta(days=1), self.zone) > self.first:
            for b in reversed(self.blocks_of(day)):
                if b[1] <= block[0]:
                    yield b
            day -= timedelta(days=1)

    def _day(self, name: str, day: date, now: int | None = None) -> Day:
        """A day, or its blocks that ended by `now`."""
        ended = [b for b in self.blocks_of(day) if now is None or b[1] <= now]
        regime, _ = in_force(self.regimes, day)
        hours = [self.hour(name, b) for b in ended]
        kind: Kind = "half-hour" if regime.block_ms < HOUR else "hour"
        return Day(hours, sum(self.substituted(name, b) for b in ended), regime, self.limit(name, kind, day))

    def days(self, name: str, start: date, end: date) -> list[Day]:
        """The days from `start` to `end`, this one included, as far as there is anything."""
        first, last = max(start, self.local_day(self.first + 1)), min(end, self.local_day(self.newest))
        return [self.day(name, first + timedelta(days=n)) for n in range((last - first).days + 1)]


def written(regime: Regime, kind: Kind) -> str:
    """How a regime writes an average."""
    return next((a for a in regime.written if average(a).kind == kind), NAMES[kind])


def points(minutes: Sequence[Minute]) -> tuple[list[int], str]:
    """40 CFR 60.13(h)(2): (the minutes that are an hour's points, why it is none; "" if it is one)."""
    found: list[int] = []
    begun = False
    for i, m in enumerate(minutes):
        begun = begun or m.begins
        if begun and m.micro is not None:
            found.append(i)
            begun = False
    quarters = {i // 15 for i, m in enumerate(minutes) if m.running}
    disturbed = any(m.check for m in minutes)
    fails = [i for i, m in enumerate(minutes) if m.passed is False]
    if fails:
        passes = [i for i, m in enumerate(minutes) if m.passed and i > fails[-1]]
        if not passes:
            return [], "a calibration failed"
        found, disturbed = [i for i in found if i > passes[0]], True
    if not found:
        return [], "no point"
    if disturbed:
        return found, "" if len(quarters) < 2 or found[-1] - found[0] >= 15 else "points too close"
    return found, "" if quarters <= {i // 15 for i in found} else "a quarter has no point"


def newest(days: Sequence[Day], count: int) -> Sequence[Day]:
    """The last days on which a line ran."""
    ran = [d for d in days if d.operated]
    return ran[max(0, len(ran) - count) :]
