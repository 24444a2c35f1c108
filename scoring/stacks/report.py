"""From tallies to the emission objects that people read: value, limit, budget, and why something is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scoring.results import Emission, Operation, Quality
from scoring.stacks.band import band, breach
from scoring.stacks.budget import Budget, Stretch, budget
from scoring.stacks.limits import InForce
from scoring.stacks.localtime import HOUR, MINUTE, Block
from scoring.stacks.minutes import Atom
from scoring.stacks.normalise import MICRO
from scoring.stacks.recipe import Pollutant
from scoring.stacks.tally import Tally
from scoring.stamp import Stamp

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


@dataclass(frozen=True, slots=True)
class OpenHour:
    """The hour that a moment lies in, with its minutes so far of one pollutant."""

    block: Block
    now: int  # end of its last minute that counts
    minutes: Sequence[Atom]
    tally: Tally
    before: int | None  # the newest valid minute of the hour before
    over: bool  # all of it has passed

    @classmethod
    def of(
        cls, block: Block, now: int, minutes: Sequence[Atom], tally: Tally, begun: Atom | None, before: int | None
    ) -> OpenHour:
        """The hour at `now`, a whole minute; the minute that has `begun` counts as one, if enough of it is valid."""
        if begun is None:
            return cls(block, now, minutes, tally, before, over=now >= block.end)
        return cls(block, now + MINUTE, [*minutes, begun], tally + Tally.of([begun]), before, over=False)

    @property
    def left(self) -> int:
        """Minutes still to come."""
        return (self.block.end - self.now) // MINUTE

    @property
    def level(self) -> Fraction | None:
        """The present level, mg/m3: the newest valid minute."""
        newest = self.before if self.tally.last is None else self.tally.last
        return None if newest is None else Fraction(newest, MICRO)

    def can_count(self, valid_ms: int) -> bool:
        """Whether the hour is, or may still become, valid."""
        return (self.tally.valid + self.left) * MINUTE >= valid_ms

    def so_far(self, weight: Fraction | int) -> list[Stretch]:
        """What its minutes added to Σ, mg/m3, each weighing `weight`."""
        ends = range(self.block.start + MINUTE, self.now + 1, MINUTE)
        amounts = (Fraction(a.micro or 0, MICRO) * weight for a in self.minutes)
        return [Stretch(end - MINUTE, end, x) for end, x in zip(ends, amounts, strict=True)]

    def rest(self, weight: Fraction | int) -> list[Stretch]:
        """The minutes still to come, each weighing `weight`."""
        return [Stretch(self.now, self.block.end, self.left * weight)] if self.left else []


def minute(subject: Subject, end: int, atom: Atom) -> Emission:
    """The rolling minute that ends at `end`."""
    tally = Tally.of([atom])
    return _emission(
        subject, end, "1min", 1, tally, tally.mean(), valid=tally.valid == 1, ended=True,
        completeness=atom.covered / MINUTE if atom.running else 1.0, left=_NOTHING, why=atom.reason,
    )  # fmt: skip


def hour(subject: Subject, block: Block, tally: Tally, now: OpenHour | None) -> Emission:
    """An hour block. While it is open (`now`) its mean so far and what is left of its limit; closed, its verdict."""
    name, regime = subject.force.hour, subject.force.regime
    enough = tally.enough(regime.hour_valid_ms)
    value = tally.mean() if enough or now else None
    of = f"{tally.valid} valid minutes of {tally.minutes}, {regime.hour_valid_ms / MINUTE:g} are needed{_most(tally)}"
    left, why = _NOTHING, None if enough else of
    if now and not now.can_count(regime.hour_valid_ms):
        why = f"the hour cannot become valid any more: {of}"
    elif now:
        why = _none_yet(tally)
        limit = subject.force.limit(subject.pollutant.name, name)
        if limit is not None:
            left = budget(limit, now.so_far(1), now.rest(1), tally.valid + now.left, now.level)
    return _emission(
        subject, block.start, name, block.minutes, tally, value, valid=enough, ended=now is None,
        completeness=_share(tally), left=left, why=why,
    )  # fmt: skip


def day(subject: Subject, block: Block, hours: Sequence[tuple[Block, Tally]], now: OpenHour | None) -> Emission:
    """A day block of its ended `hours`: the mean of the valid ones, each weighing the same; `now` as for an hour."""
    name, regime = subject.force.day, subject.force.regime
    good = [(b, mean) for b, t in hours if t.enough(regime.hour_valid_ms) and (mean := t.mean()) is not None]
    good_ms = sum(b.end - b.start for b, _ in good)
    enough = bool(good) and good_ms >= regime.day_valid_ms
    value = sum((m for _, m in good), start=Fraction(0)) / len(good) if good and (enough or now) else None
    tally = sum((t for _, t in hours), start=Tally())
    if now and not now.over:
        tally += now.tally
    of = f"{len(good)} valid hours of {len(hours)}, {regime.day_valid_ms / HOUR:g} are needed{_most(tally)}"
    left, why = _NOTHING, None if enough else of
    if now:
        counts = not now.over and now.can_count(regime.hour_valid_ms)
        to_come = block.end - now.block.end
        this_hour = now.block.end - now.block.start if counts else 0
        limit = subject.force.limit(subject.pollutant.name, name)
        if good_ms + this_hour + to_come < regime.day_valid_ms:
            why = f"the day cannot become valid any more: {of}"
        else:
            why = None if good else "no valid hour has ended yet"
            if limit is not None:
                left = _day_budget(limit, block, good, now, counts=counts)
    return _emission(
        subject, block.start, name, block.minutes, tally, value, valid=enough, ended=now is None,
        completeness=_share(tally), left=left, why=why,
    )  # fmt: skip


def _day_budget(
    limit: Fraction, block: Block, good: Sequence[tuple[Block, Fraction]], now: OpenHour, *, counts: bool
) -> Budget:
    """Hours are a day's units. A minute of the open hour weighs 1/(its valid minutes so far + those left).

    So what it says comes true: if the rest of the day averages `allowed`, the day's mean is the limit.
    """
    past = [Stretch(b.start, b.end, mean) for b, mean in good]
    ahead = []
    if counts:
        share = Fraction(1, now.tally.valid + now.left)
        past += now.so_far(share)
        ahead += now.rest(share)
    to_come = Fraction(block.end - now.block.end, HOUR)
    if to_come:
        ahead.append(Stretch(now.block.end, block.end, to_come))
    return budget(limit, past, ahead, len(good) + counts + to_come, now.level)


def _emission(
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
) -> Emission:
    pollutant, force, stamp = subject.pollutant, subject.force, subject.stamp
    limit = force.limit(pollutant.name, average)
    operation: Operation = "running" if tally.running or not tally.minutes else "stopped"
    quality: Quality = "good"
    if operation == "running" and tally.minutes and (completeness < 0.5 or (value is None and ended)):
        quality = "bad"
    elif completeness < 0.9 or tally.flagged:
        quality = "uncertain"
    shown, at = None if value is None else float(value), None if limit is None else float(limit)
    low, high = band([part.doubt for part in pollutant.parts], _means(pollutant, tally), shown)
    return Emission(
        ts=ts,
        scope=subject.scope,
        pollutant=pollutant.name,
        average=average,
        value=shown,
        raw=_raw(pollutant, tally),
        raw_unit=pollutant.raw_unit,
        unit="mg/m3",
        limit=at,
        headroom=None if limit is None or value is None else float(limit - value),
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
        breach=breach(shown, low, at),
    )


def _raw(pollutant: Pollutant, tally: Tally) -> float | None:
    """The analyser's own mean over all its valid time, one rounding; parts of one pollutant add up."""
    if not pollutant.raw_unit or not tally.raw or any(covered == 0 for _, covered in tally.raw):
        return None
    means = (
        Fraction(total, covered) * part.raw for part, (total, covered) in zip(pollutant.parts, tally.raw, strict=True)
    )
    return float(sum(means, start=Fraction(0)))


def _means(pollutant: Pollutant, tally: Tally) -> list[float]:
    """Of each channel of the pollutant, in its raw unit; 0 where it has none."""
    pairs = tally.raw or [(0, 0)] * len(pollutant.parts)
    return [float(t * p.raw / c) if c else 0.0 for p, (t, c) in zip(pollutant.parts, pairs, strict=True)]


def _share(tally: Tally) -> float:
    """Valid minutes in those in which a line ran; 1 where none did: nothing was missed."""
    return tally.valid / tally.running if tally.running else 1.0


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
