"""Averages over days: months, the share of a month's hours within their limit, rolling operating days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from devices.plant.averages import WITHIN, Average
from scoring.results import Emission
from scoring.stacks import operating_days
from scoring.stacks.budget import Budget, Stretch
from scoring.stacks.days import DaySum, add
from scoring.stacks.localtime import MINUTE, Block
from scoring.stacks.mass import UG_PER_KG
from scoring.stacks.open_block import OpenBlock
from scoring.stacks.report import Subject, day_budget, emission

_NOTHING = Budget(None, None)


@dataclass(frozen=True, slots=True)
class OpenDay:
    """The day that a moment lies in, with its sums so far of one pollutant."""

    block: Block
    now: OpenBlock
    sums: DaySum


def month(subject: Subject, block: Block, days: Sequence[DaySum], now: OpenDay | None) -> Iterator[Emission]:
    """A month of `days`: the mean of its valid hours, and where the regime asks, the share of them within the limit."""
    force, whole = subject.force, add(days)
    name, share, tally = force.month, force.regime.month_share, whole.tally
    if name is None:
        return
    why = None if whole.blocks else "no valid hour" + (" has ended yet" if now else "")
    extra: dict[str, float | None] = {}
    if subject.pollutant.name in subject.weighed:
        mass = whole.mass + whole.substituted
        extra["mass"] = float(Fraction(mass, UG_PER_KG))
        extra["substituted_share"] = whole.substituted / mass if mass else 0.0
    yield emission(
        subject, block.start, name, block.minutes, tally, whole.mean, valid=bool(whole.blocks), ended=now is None,
        completeness=whole.share, left=_NOTHING, why=why, extra=extra, sure=whole.sure,
    )  # fmt: skip
    if share is None or force.limit(subject.pollutant.name, force.block) is None:
        return
    within = Fraction(100 * whole.within, whole.blocks) if whole.blocks else None
    over = whole.blocks - whole.within
    to_come = Fraction(block.end - now.now.block.start, force.regime.block_ms) if now else Fraction(0)
    may = (1 - share) * (whole.blocks + to_come)
    yield emission(
        subject, block.start, name + WITHIN, block.minutes, tally, within, valid=bool(whole.blocks),
        ended=now is None, completeness=whole.share, left=_NOTHING, why=why, unit="%", limit=100 * share, below=True,
        extra={"hours": whole.blocks, "hours_over": over, "hours_over_left": int(may // 1) - over},
    )  # fmt: skip


def rolling(
    subject: Subject, over: Average, before: Mapping[int, DaySum], block: Block, sums: DaySum, now: OpenDay | None
) -> Emission | None:
    """The newest operating days up to the day `block`; None where no line ran on it.

    Operating days are not wall time: days on which nothing ran are passed over.
    """
    if not sums.operated and now is None:
        return None
    days = operating_days.newest(before, over.days - 1)
    chosen = [*days.values(), *([sums] if sums.operated else [])]
    whole, force, name = add(chosen), subject.force, subject.pollutant.name
    why = None if len(chosen) == over.days else f"{len(chosen)} operating days so far of {over.days}"
    ended, specific = now is None, force.regime.specific.get(name) if force.limited else None
    minutes = (block.end - min(days, default=block.start)) // MINUTE
    left = _NOTHING
    if specific is not None:
        value, lack = operating_days.per_product(whole, specific)
        if now is not None and value is not None:
            ended_at = now.now.block.end if now.now.over else now.now.block.start
            left = operating_days.specific_budget(specific, whole, sums, block, ended_at, force.regime.block_ms)
        return emission(
            subject, block.start, over.name, minutes, whole.tally, None if why and ended else value,
            valid=value is not None and not why, ended=ended, completeness=whole.share, left=left,
            why=lack or why, unit=specific.unit, limit=specific.value, extra={"operating_days": len(chosen)},
        )  # fmt: skip
    limit = force.limit(name, over.name)
    if now is not None and limit is not None:
        past = [Stretch(min(days), block.start, add(list(days.values())).total)] if days else []
        past.append(Stretch(block.start, now.now.block.start, sums.total))
        counts = not now.now.over and now.now.can_count(force.regime.hour_valid_ms)
        left = day_budget(limit, block, past, whole.blocks, now.now, force.regime.block_ms, counts=counts)
    value = whole.mean
    return emission(
        subject, block.start, over.name, minutes, whole.tally, None if why and ended else value,
        valid=value is not None and not why, ended=ended, completeness=whole.share, left=left,
        why="no valid hour" if value is None else why, extra={"operating_days": len(chosen)}, sure=whole.sure,
    )  # fmt: skip
