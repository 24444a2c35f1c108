"""What an emission object says of one average, from `blocks`: the fields that are compared, by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from devices.plant.averages import WITHIN, average
from scoring.reference.blocks import Block, Blocks, Day, Hour, newest
from scoring.reference.budget import Piece, allowed, unavoidable
from scoring.reference.gas import MINUTE, in_force

Said = dict[str, Any]
_KG, _T = 10**9, 10**12  # µg


def closed(blocks: Blocks, name: str, said: str, start: int) -> Said:
    """A closed block that begins at `start`."""
    kind = "month" if said.endswith(WITHIN) else average(said).kind
    day = blocks.local_day(start + 1)
    if kind in ("hour", "half-hour"):
        return _hour(blocks, name, blocks.hour(name, blocks.block(start + 1)), said, day, ended=True)
    if kind == "day":
        return _day(blocks, name, blocks.day(name, day), day, said)
    if kind == "month":
        following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        return _month(blocks, name, blocks.days(name, day, following - timedelta(days=1)), said)
    return _operating(blocks, name, average(said).days, day, said)


def standing(blocks: Blocks, name: str, said: str, now: int) -> Said:
    """An open hour, half-hour or day as of the whole minute `now`, with what is left of its limit."""
    block = blocks.block(now)
    day = blocks.local_day(block[1])
    hour = blocks.hour(name, block, now)
    if average(said).kind != "day":
        limit = blocks.limit(name, average(said).kind, day)
        return _hour(blocks, name, hour, said, day, ended=False) | _hour_budget(blocks, name, hour, now, limit)
    so_far = blocks.day(name, day, now)
    found = _day(blocks, name, so_far, day, said, now=now, hour=hour if block[1] > now else None)
    return found | _day_budget(blocks, name, so_far, hour, now, day)


def minute(blocks: Blocks, name: str, end: int) -> Said:
    """The rolling minute that ends at `end`, a whole second."""
    day = blocks.local_day(end)
    regime, holds = in_force(blocks.regimes, day)
    found = blocks.gas.minute(name, end, regime)
    value = None if found.micro is None else Fraction(found.micro, 1_000_000)
    limit = blocks.limit(name, "minute", day) if holds else None
    return {"value": _double(value), "limit": _double(limit), "valid": value is not None}


def _hour(blocks: Blocks, name: str, hour: Hour, said: str, day: date, *, ended: bool) -> Said:
    value = hour.value if hour.enough or not ended else None
    limit = blocks.limit(name, average(said).kind, day)
    found = _common(value, limit, valid=hour.enough, hours=[hour])
    found["completeness"] = _share([hour])
    if hour.taken_off:
        found["measured"] = _double(hour.mean if hour.enough or not ended else None)
    stands_in = blocks.substituted(name, hour.block) if ended else 0
    return found | _mass(blocks, name, hour.mass, stands_in, hour.mass_minutes)


def _share(hours: Sequence[Hour]) -> float:
    """Of the minutes in which a line ran those that are valid; under the quadrant rule of such quarters of an hour."""
    operated = got = 0
    for hour in hours:
        quarters = {i // 15 for i, m in enumerate(hour.minutes) if m.running and hour.verdict is not None}
        operated += len(quarters)
        got += len(quarters & {i // 15 for i in hour.counted})
    valid, running = sum(h.valid for h in hours), sum(h.running for h in hours)
    return got / operated if operated else valid / running if running else 1.0


def _common(value: Fraction | None, limit: Fraction | None, *, valid: bool, hours: Sequence[Hour]) -> Said:
    return {
        "value": _double(value),
        "limit": _double(limit),
        "headroom": _double(None if value is None or limit is None else limit - value),
        "valid": valid,
        "valid_minutes": sum(h.valid for h in hours),
        "elapsed_minutes": sum(len(h.minutes) for h in hours),
    }


def _longer(value: Fraction | None, limit: Fraction | None, *, valid: bool, days: Sequence[Day]) -> Said:
    hours = [h for d in days for h in d.hours]
    found = _common(value, limit, valid=valid, hours=hours)
    found["valid_minutes"] -= sum(d.gone for d in days)
    return found | {"completeness": _share(hours)}


def _mass(blocks: Blocks, name: str, measured: int, stands_in: int, minutes: int | None) -> Said:
    if not blocks.gas.weighs(name):
        return {}
    whole = measured + stands_in
    found: Said = {"mass": _double(Fraction(whole, _KG)), "substituted_share": stands_in / whole if whole else 0.0}
    return found if minutes is None else found | {"measured_minutes": minutes}


def _day(
    blocks: Blocks, name: str, day: Day, on: date, said: str, *, now: int | None = None, hour: Hour | None = None
) -> Said:
    """`now`: so far, `hour` being the open one."""
    regime = day.regime
    good_ms = sum(h.block[1] - h.block[0] for h in day.good)
    enough = bool(day.good) and good_ms >= regime.day_valid_ms and not day.lost
    value = day.total / len(day.good) if day.good and (enough or now is not None) else None
    hours = [*day.hours, *([hour] if hour is not None else [])]
    found = _common(value, blocks.limit(name, average(said).kind, on), valid=enough, hours=hours)
    found["valid_minutes"] -= day.gone
    found["completeness"] = _share(hours)
    measured = sum(h.mass for h in hours)
    found |= _mass(blocks, name, measured, day.substituted, sum(h.mass_minutes for h in hours))
    before = blocks.days(name, on.replace(month=1, day=1), on - timedelta(days=1))
    if regime.day_discarded is not None:
        found |= {"discarded": day.discarded, "discarded_days": sum(d.lost for d in before) + day.lost}
    if name in blocks.stack.permit and blocks.gas.weighs(name):
        whole = sum(d.mass + d.substituted for d in before) + measured + day.substituted
        found["permit_share"] = _double(whole / (blocks.stack.permit[name] * _T))
    return found


def _month(blocks: Blocks, name: str, days: Sequence[Day], said: str) -> Said:
    last = blocks.local_day(days[-1].hours[-1].block[1])
    regime, _ = in_force(blocks.regimes, last)
    good = [h for d in days for h in d.good]
    if said.endswith(WITHIN):
        within, share = sum(d.within for d in days), regime.month_share or Fraction(0)
        value = Fraction(100 * within, len(good)) if good else None
        found = _longer(value, 100 * share, valid=bool(good), days=days)
        found["headroom"] = _double(None if value is None else value - 100 * share)
        over = len(good) - within
        return found | {"hours": len(good), "hours_over": over, "hours_over_left": int((1 - share) * len(good)) - over}
    value = sum((d.total for d in days), start=Fraction(0)) / len(good) if good else None
    found = _longer(value, blocks.limit(name, "month", last), valid=bool(good), days=days)
    return found | _mass(blocks, name, sum(d.mass for d in days), sum(d.substituted for d in days), None)


def _operating(blocks: Blocks, name: str, count: int, day: date, said: str) -> Said:
    days = newest(blocks.days(name, date.min, day), count)
    regime, holds = in_force(blocks.regimes, day)
    specific = regime.specific.get(name) if holds else None
    good = [h for d in days for h in d.good]
    if specific is None:
        mean = sum((d.total for d in days), start=Fraction(0)) / len(good) if good else None
        limit = blocks._limit(regime, name, said) if holds else None  # noqa: SLF001 - its own room
    else:
        mass = sum((d.per_product[0] for d in days), start=Fraction(0))
        product = sum((d.per_product[1] for d in days), start=Fraction(0))
        mean = mass / product / _T * specific.value / specific.t_per_t if mass and product > 0 else None
        limit = specific.value
    value = mean if len(days) == count else None
    found = _longer(value, limit, valid=value is not None, days=days)
    return found | {"operating_days": len(days)}


def _hour_budget(blocks: Blocks, name: str, hour: Hour, now: int, limit: Fraction | None) -> Said:
    left = _left(blocks, name, hour, now)
    if limit is None or not _can_count(hour, now, left):
        return {"allowed_mean": None, "unavoidable_at": None}
    total = limit * (hour.valid + left)
    past, ahead = _so_far(hour, now, Fraction(1)), _rest(blocks, name, hour, now, left)
    return _budget(past, ahead, total, left, hour.taken_off)


def _day_budget(blocks: Blocks, name: str, day: Day, hour: Hour, now: int, on: date) -> Said:
    nothing = {"allowed_mean": None, "unavoidable_at": None}
    limit = blocks.limit(name, "day", on)
    end = blocks.blocks_of(on)[-1][1]
    left, open_ = _left(blocks, name, hour, now), now < hour.block[1]
    counts = open_ and _can_count(hour, now, left)
    good_ms = sum(h.block[1] - h.block[0] for h in day.good)
    may = good_ms + (hour.block[1] - hour.block[0]) * counts + end - hour.block[1]
    if limit is None or day.lost or may < day.regime.day_valid_ms:
        return nothing
    past = [Piece(*h.block, h.value or Fraction(0)) for h in day.good]
    ahead: list[Piece] = []
    level, weight = _level(blocks, name, hour), Fraction(0)
    if counts and Fraction(hour.micro, 1_000_000) < hour.taken_off * hour.valid:
        return _day_from_below(past, day, hour, now, end, left, limit, level)
    if counts:
        one = 1 / (hour.valid + left)
        past += _so_far(hour, now, one)
        ahead += [Piece(now, hour.block[1], left * one)] if left else []
        weight += left * one
    to_come = Fraction(end - hour.block[1], day.regime.block_ms)
    if to_come:
        ahead.append(Piece(hour.block[1], end, to_come))
    weight += to_come
    total = limit * (len(day.good) + counts + to_come)
    coming = [] if level is None else [Piece(a, b, x * level) for a, b, x in ahead]
    return _budget(past, coming, total, weight, hour.taken_off)


def _day_from_below(
    past: list[Piece],
    day: Day,
    hour: Hour,
    now: int,
    end: int,
    left: Fraction,
    limit: Fraction,
    level: Fraction | None,
) -> Said:
    """The open block's minutes lie below what is taken off: as a block counts as not below 0, it adds to the day from
    the mean on at which it makes up for them. The day's Σ is then a broken line over the mean x of what is to come.
    """
    taken, to_come = hour.taken_off, Fraction(end - hour.block[1], day.regime.block_ms)
    n, so_far = hour.valid + left, Fraction(hour.micro, 1_000_000)
    room = limit * (len(day.good) + 1 + to_come) - sum((p.amount for p in past), start=Fraction(0))

    def added(x: Fraction) -> Fraction:
        return max((so_far + x * left) / n - taken, Fraction(0)) + to_come * max(x - taken, Fraction(0))

    begins = [(taken, to_come)] if to_come else []
    begins += [((taken * n - so_far) / left, left / n)] if left else []
    slope, x = Fraction(0), None
    for row, (at, more) in enumerate(sorted(begins)):
        slope += more
        x = at + (room - added(at)) / slope
        if row + 1 == len(begins) or x <= sorted(begins)[row + 1][0]:
            break
    if room < 0:
        x = room / (left / n + to_come) if begins else None
    coming = []
    if level is not None:
        final = max((so_far + (level + taken) * left) / n - taken, Fraction(0))
        if final:
            begin = hour.block[1] - round((hour.block[1] - now) * final / (level * left / n))
            coming.append(Piece(begin, hour.block[1], final))
        if to_come:
            coming.append(Piece(hour.block[1], end, to_come * level))
    total = limit * (len(day.good) + 1 + to_come)
    return {"allowed_mean": _double(x), "unavoidable_at": unavoidable(past, coming, total)}


def _budget(
    past: Sequence[Piece], coming: Sequence[Piece], total: Fraction, left: Fraction, taken_off: Fraction
) -> Said:
    may = allowed(past, total, left)
    if may is not None and may >= 0:
        may += taken_off
    return {"allowed_mean": _double(may), "unavoidable_at": unavoidable(past, coming, total)}


def _left(blocks: Blocks, name: str, hour: Hour, now: int) -> Fraction:
    """Minutes still to come; under the quadrant rule points."""
    every = max(c.every_ms for c in blocks.gas.ways[name][0])
    spacing = max(1, every // MINUTE) if hour.verdict is not None else 1
    return Fraction(hour.block[1] - now, MINUTE * spacing)


def _can_count(hour: Hour, now: int, left: Fraction) -> bool:
    if hour.verdict is not None:
        return now < hour.block[1] or not hour.verdict
    return (hour.valid + left) * MINUTE >= hour.regime.hour_valid_ms


def _level(blocks: Blocks, name: str, hour: Hour) -> Fraction | None:
    """The present level: the newest valid minute of this hour, else of the one before."""
    block: Block = blocks.block(hour.block[0])
    for one in (hour, blocks.hour(name, block)):
        valid = [m.micro for m in one.minutes if m.micro is not None]
        if valid:
            return max(Fraction(valid[-1], 1_000_000) - hour.taken_off, Fraction(0))
    return None


def _so_far(hour: Hour, now: int, weight: Fraction) -> list[Piece]:
    """What the hour added to Σ; points lie evenly."""
    if hour.verdict is not None:
        spent = Fraction(hour.micro, 1_000_000) - hour.taken_off * hour.valid
        return [Piece(hour.block[0], now, spent * weight)]
    start = hour.block[0]
    return [
        Piece(start + i * MINUTE, start + (i + 1) * MINUTE, (Fraction(m.micro, 1_000_000) - hour.taken_off) * weight)
        for i, m in enumerate(hour.minutes)
        if m.micro is not None
    ]


def _rest(blocks: Blocks, name: str, hour: Hour, now: int, left: Fraction) -> list[Piece]:
    level = _level(blocks, name, hour)
    return [] if level is None or not left else [Piece(now, hour.block[1], left * level)]


def _double(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
