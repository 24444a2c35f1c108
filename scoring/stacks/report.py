"""From tallies to the emission objects that people read: value, limit, budget, and why something is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from devices.plant.model import Regime
from scoring.results import Emission, Operation, Quality
from scoring.stacks import halfhours
from scoring.stacks.aside import shares
from scoring.stacks.band import band, breach
from scoring.stacks.budget import Budget, Stretch, budget, reached
from scoring.stacks.days import DaySum, Sure
from scoring.stacks.limits import InForce
from scoring.stacks.localtime import HOUR, MINUTE, Block
from scoring.stacks.mass import UG_PER_KG
from scoring.stacks.minutes import Atom
from scoring.stacks.open_block import OpenBlock
from scoring.stacks.recipe import Pollutant
from scoring.stacks.tally import Tally
from scoring.stamp import Stamp

CONCENTRATION = "mg/m3"
_NOTHING = Budget(None, None)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose emission it is, and what it says about itself besides its numbers."""

    scope: str
    pollutant: Pollutant
    force: InForce
    stamp: Stamp
    stale: bool
    last: int | None
    weighed: frozenset[str] = frozenset()  # the pollutants whose mass is known
    permit: Fraction | None = None  # µg a calendar year


def minute(subject: Subject, end: int, atom: Atom) -> Emission:
    """The rolling minute that ends at `end`."""
    tally = Tally.of([atom])
    return emission(
        subject, end, "1min", 1, tally, tally.mean(), valid=tally.valid == 1, ended=True,
        completeness=atom.covered / MINUTE if atom.running else 1.0, left=_NOTHING, why=atom.reason,
    )  # fmt: skip


def block(subject: Subject, span: Block, tally: Tally, now: OpenBlock | None) -> Emission:
    """A block: an hour, or half of one. While open (`now`) its mean so far and its budget; closed, its verdict."""
    force, regime, p = subject.force, subject.force.regime, subject.pollutant
    name, taken_off = force.block, halfhours.subtraction(force, p.name)
    enough = tally.enough(regime.hour_valid_ms)
    mean = tally.mean() if enough or now else None
    value = None if mean is None else halfhours.validated(mean, taken_off)
    of = f"{tally.valid} valid minutes of {tally.minutes}, {regime.hour_valid_ms / MINUTE:g} are needed{_most(tally)}"
    if tally.verdict is not None:
        of = f"{tally.verdict}{_most(tally)}"
    left, why = _NOTHING, None if enough else of
    if now and not now.can_count(regime.hour_valid_ms):
        why = f"the {_unit(regime)[:-1]} cannot become valid any more: {of}"
    elif now:
        why = _none_yet(tally)
        limit = force.limit(p.name, name)
        if limit is not None:
            n = tally.valid + now.left
            left = budget(limit, now.spent, lambda: now.so_far(1), now.rest(1), n, now.level).plus(taken_off)
    extra = _masses(subject, tally)
    if taken_off:
        extra["measured"] = None if mean is None else float(mean)
    return emission(
        subject, span.start, name, span.minutes, tally, value, valid=enough, ended=now is None,
        completeness=tally.share, left=left, why=why, extra=extra,
    )  # fmt: skip


def day(
    subject: Subject,
    block: Block,
    blocks: Sequence[tuple[Block, Tally]],
    now: OpenBlock | None,
    sums: DaySum,
    year: Sequence[DaySum],
) -> Emission:
    """A day block of its ended `blocks`: the mean of the valid ones, each weighing the same; `now` as for a block.

    `sums` is what these add up to, `year` the closed days of the calendar year before it.
    """
    force, regime, p = subject.force, subject.force.regime, subject.pollutant
    name, taken_off, unit = force.day, halfhours.subtraction(force, p.name), _unit(regime)
    good = [
        (b, halfhours.validated(mean, taken_off))
        for b, t in blocks
        if t.enough(regime.hour_valid_ms) and (mean := t.mean()) is not None
    ]
    good_ms = sum(b.end - b.start for b, _ in good)
    enough = bool(good) and good_ms >= regime.day_valid_ms and not sums.lost
    value = sums.total / sums.blocks if good and (enough or now) else None
    ended, begun = [t for _, t in blocks], [now.tally] if now and not now.over else []
    may = regime.day_discarded is not None
    counted = sum([t for t in ended if not (may and halfhours.is_discarded(t, regime))] + begun, start=Tally())
    tally = sum(ended + begun, start=Tally())
    share = tally.share  # of all that was measured; what is discarded is in no other number of the day but its mass
    tally = replace(tally, valid=counted.valid, raw=counted.raw)
    hours_of = "" if regime.block_ms == HOUR else " h"
    of = f"{len(good)} valid {unit} of {len(blocks)}, {regime.day_valid_ms / HOUR:g}{hours_of} are needed{_most(tally)}"
    if sums.lost:
        of = f"{sums.discarded} {unit} are discarded, {regime.day_discarded} may be{_most(tally)}"
    elif not good and regime.day_discarded is not None:
        of = f"no valid {unit[:-1]}{_most(tally)}"
    left, why = _NOTHING, None if enough else of
    if now:
        counts = not now.over and now.can_count(regime.hour_valid_ms)
        to_come = block.end - now.block.end
        this_block = now.block.end - now.block.start if counts else 0
        limit = force.limit(p.name, name)
        if good_ms + this_block + to_come < regime.day_valid_ms or sums.lost:
            why = f"the day cannot become valid any more: {of}"
        else:
            why = None if good else f"no valid {unit[:-1]} has ended yet"
            if limit is not None:
                past = [Stretch(b.start, b.end, mean) for b, mean in good]
                left = day_budget(limit, block, past, len(good), now, regime.block_ms, counts=counts).plus(taken_off)
    extra = _masses(subject, tally) | _discarded(regime, sums, year)
    if "mass" in extra and (permit := subject.permit) is not None:
        before = sum(d.mass + d.substituted for d in year)
        extra["permit_share"] = float((before + tally.mass + tally.substituted) / permit)
    if too_many := _too_many(regime, sums, year):
        why = "; ".join(x for x in (why, too_many) if x)
    return emission(
        subject, block.start, name, block.minutes, tally, value, valid=enough, ended=now is None,
        completeness=share, left=left, why=why, extra=extra,
    )  # fmt: skip


def day_budget(
    limit: Fraction, block: Block, past: list[Stretch], units: int, now: OpenBlock, block_ms: int, *, counts: bool
) -> Budget:
    """Hours are a day's units. A minute of the open block weighs 1/(its valid minutes so far + those left).

    So what it says comes true: if the rest of the day averages `allowed`, the day's mean is the limit. `past` holds
    the `units` valid ones, for rolling days also those before the day.

    A block counts as not below 0 after what is taken off (semantics §5): an open one whose minutes are below that so
    far gives the day nothing back, it only takes up what comes next, as much as it lacks.
    """
    to_come = Fraction(block.end - now.block.end, block_ms)
    later = [Stretch(now.block.end, block.end, to_come)] if to_come else []
    ended = sum((Fraction(s.amount) for s in past), start=Fraction(0))
    n = units + counts + to_come
    if not counts:
        return budget(limit, ended, lambda: past, later, n, now.level)
    share = Fraction(1) / (now.tally.valid + now.left)
    rest, spent = now.rest(share), now.spent * share
    if spent >= 0:
        past = past + now.so_far(share)
        return budget(limit, ended + spent, lambda: past, rest + later, n, now.level)
    level = now.level or Fraction(0)
    after = rest[0].amount * level + spent if rest else Fraction(0)  # what the open block comes to at this level
    coming = [Stretch(s.start, s.end, s.amount * level) for s in later]
    if after > 0:
        filled = rest[0].end - round((rest[0].end - rest[0].start) * after / (rest[0].amount * level))
        coming = [Stretch(filled, rest[0].end, after), *coming]
    left = limit * n - ended
    weight = sum((Fraction(s.amount) for s in [*rest, *later]), start=Fraction(0))
    if left < 0:
        allowed = left / weight if weight else None
    else:  # whichever is less: with the open block in it, or with all of it left to those that come
        allowed = min([(left - spent) / weight] if weight else [], default=None)
        if to_come and allowed is not None:
            allowed = min(allowed, left / to_come)
    return Budget(allowed, reached([*past, *coming], limit * n))


def _unit(regime: Regime) -> str:
    return "hours" if regime.block_ms == HOUR else "half-hours"


def _masses(subject: Subject, tally: Tally) -> dict[str, float | None]:
    """kg, measured and substituted together, and the latter's share; where the stack measures its flow."""
    extra: dict[str, float | None] = {}
    if subject.pollutant.name in subject.weighed:
        whole = tally.mass + tally.substituted
        extra["mass"] = float(Fraction(whole, UG_PER_KG))
        extra["substituted_share"] = tally.substituted / whole if whole else 0.0
        extra["measured_minutes"] = tally.mass_minutes
    if subject.pollutant.backups:
        extra["backup_minutes"] = tally.backup
    return extra


def _discarded(regime: Regime, sums: DaySum, year: Sequence[DaySum]) -> dict[str, float | None]:
    if regime.day_discarded is None:
        return {}
    return {"discarded": sums.discarded, "discarded_days": sum(d.lost for d in year) + sums.lost}


def _too_many(regime: Regime, sums: DaySum, year: Sequence[DaySum]) -> str | None:
    days = sum(d.lost for d in year) + sums.lost
    if regime.year_discarded is None or days <= regime.year_discarded or not sums.lost:
        return None
    return f"{days} days of this year are discarded, {regime.year_discarded} may be"


def emission(
    subject: Subject,
    ts: int,
    average: str,
    block_minutes: int,
    tally: Tally,
    value: Fraction | None,
    *,
    valid: bool,
    ended: bool,
    completeness: float,
    left: Budget,
    why: str | None,
    extra: dict[str, float | None] | None = None,
    unit: str = CONCENTRATION,
    limit: Fraction | None = None,
    below: bool = False,
    sure: Sure | None = None,
) -> Emission:
    """`limit` is looked up for a concentration; `below`: the value must not fall below it. `sure`: what the band is
    made of, if not the tally's own minutes.
    """
    pollutant, force, stamp = subject.pollutant, subject.force, subject.stamp
    if unit == CONCENTRATION:
        limit = force.limit(pollutant.name, average)
    operation: Operation = "running" if tally.running or not tally.minutes else "stopped"
    quality: Quality = "good"
    if operation == "running" and tally.minutes and (completeness < 0.5 or (value is None and ended)):
        quality = "bad"
    elif completeness < 0.9 or tally.flagged or (limit is not None and force.note):  # its limits have expired
        quality = "uncertain"
    shown, at = None if value is None else float(value), None if limit is None else float(limit)
    lowered = average != "1min" and halfhours.subtraction(force, pollutant.name) > 0
    doubts = [None if lowered else part.doubt for part in pollutant.parts]  # never both: one is law, one is measuring
    of = tally if sure is None else sure
    asides = {} if lowered else shares(pollutant.unsure, of.wide, of.micro)
    low, high = band(doubts, _means(pollutant, of.raw), shown, asides)
    sign = -1.0 if below else 1.0
    return Emission(
        ts=ts,
        scope=subject.scope,
        pollutant=pollutant.name,
        average=average,
        value=shown,
        raw=_raw(pollutant, tally),
        raw_unit=pollutant.raw_unit,
        unit=unit,
        limit=at,
        headroom=None if limit is None or value is None else float(value - limit if below else limit - value),
        allowed_mean=None if left.allowed is None else float(left.allowed),
        unavoidable_at=left.unavoidable_at,
        valid=valid,
        valid_minutes=tally.valid,
        elapsed_minutes=tally.minutes,
        block_minutes=block_minutes,
        completeness=completeness,
        quality=quality,
        operation=operation,
        lifecycle=stamp.lifecycle,
        revision=stamp.revision,
        reason="; ".join(x for x in (why, force.note) if x) or None,
        known_at=stamp.known_at,
        stale=subject.stale,
        last=subject.last,
        low=low,
        high=high,
        breach=breach(None if shown is None else sign * shown, low, None if at is None else sign * at),
        extra=extra or {},
    )


def _raw(pollutant: Pollutant, tally: Tally) -> float | None:
    """The analyser's own mean over all its valid time, one rounding; parts of one pollutant add up."""
    if not pollutant.raw_unit or not tally.raw or any(covered == 0 for _, covered in tally.raw):
        return None
    means = (
        Fraction(total, covered) * part.raw for part, (total, covered) in zip(pollutant.parts, tally.raw, strict=True)
    )
    return float(sum(means, start=Fraction(0)))


def _means(pollutant: Pollutant, raw: Sequence[tuple[int, int]]) -> list[float]:
    """Of each channel of the pollutant, in its raw unit; 0 where it has none."""
    pairs = raw or [(0, 0)] * len(pollutant.parts)
    return [float(t * p.raw / c) if c else 0.0 for p, (t, c) in zip(pollutant.parts, pairs, strict=True)]


def _none_yet(tally: Tally) -> str | None:
    if tally.valid:
        return None
    return f"no valid minute yet{_most(tally)}" if tally.minutes else "no minute has ended yet"


def _most(tally: Tally) -> str:
    """The commonest cause of lost minutes; of equally common ones the first by name, whatever came first."""
    if not tally.why:
        return ""
    reason, minutes = min(tally.why.items(), key=lambda item: (-item[1], item[0]))
    return f"; {minutes} without: {reason}"
