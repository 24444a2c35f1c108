"""`Stacks`: the emissions of every stack, as rolling minutes, open blocks and closed blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from devices.durations import DAY
from devices.plant import averages
from devices.plant.model import Kind, Plant
from devices.readings import Readings
from scoring.results import Emission
from scoring.stacks.blocks import Blocks
from scoring.stacks.compiling import compile_stack
from scoring.stacks.ledger import KEPT_MS, Ledger
from scoring.stacks.limits import Regimes
from scoring.stacks.localtime import MINUTE, Block, Calendar
from scoring.stacks.spans import Spans
from scoring.stamp import Stamp
from scoring.windows.rolling import Reach
from scoring.windows.sums import Sums


class Stacks:
    """Normalised minutes, hour and day blocks in the site's time zone, limits and what is left of them.

    The owner pushes every batch here right after it went into the sums. All values are indicative: this is
    not a certified data acquisition and handling system.
    """

    def __init__(self, plant: Plant, sums: Sums) -> None:
        self._plant, self._sums = plant, sums
        self._spans = Spans(sums)
        calendars = {site.timezone: Calendar(site.timezone) for site in plant.sites}
        regimes = {name: Regimes(entries) for name, entries in plant.regimes.items()}
        self._ledgers = [
            Ledger(s, compile_stack(plant, s), regimes[s.regime], calendars[plant.sites[s.site].timezone], self._spans)
            for s in plant.stacks
        ]
        self._blocks = [Blocks(s, ledger, sums) for s, ledger in zip(plant.stacks, self._ledgers, strict=True)]
        self._links = _links(plant)
        self._linked = np.zeros(len(plant.channels), np.bool_)
        self._linked[list(self._links)] = True

    def push(self, readings: Readings) -> None:
        """What these readings touch is computed anew when it is next asked for; closed blocks stay as they are."""
        self._spans.forget()
        rows = self._linked[readings.channel]
        if not rows.any():
            return
        channels, inverse = np.unique(readings.channel[rows], return_inverse=True)
        ts = readings.ts[rows]
        oldest = np.full(len(channels), np.iinfo(np.int64).max)
        newest = np.full(len(channels), np.iinfo(np.int64).min)
        np.minimum.at(oldest, inverse, ts)
        np.maximum.at(newest, inverse, ts)
        for row, channel in enumerate(channels.tolist()):
            low, high, times = int(oldest[row]), int(newest[row]), ts[inverse == row]
            for stack, begin, end, own in self._links[channel]:
                self._ledgers[stack].touch(low, high, high + end, own=own)
                edges = np.concatenate([times + begin - 1, times + begin, times + end])  # flagged in the minute it ends
                self._ledgers[stack].stir((np.unique(edges // MINUTE + 1) * MINUTE).tolist())

    def minute(self, ts: int, stamp: Stamp | None = None, stacks: Sequence[int] | None = None) -> list[Emission]:
        """The rolling minute (ts − 60 s, ts] of every pollutant of every (or these) stacks; `ts` is a whole second."""
        stamp = stamp or Stamp("live", 0, ts)
        return [emission for blocks in self._of(stacks) for emission in blocks.minute(ts, stamp)]

    def blocks(self, ts: int, stamp: Stamp | None = None, stacks: Sequence[int] | None = None) -> list[Emission]:
        """The blocks that `ts` lies in (hour, day; month and operating days where the regime asks) of every pollutant
        of every (or these) stacks: their whole minutes, and the open one as soon as enough of it is valid.

        At the end of a block it is the block just ended: complete, and live until it is closed.
        """
        stamp = stamp or Stamp("live", 0, ts)
        self._know(ts // MINUTE * MINUTE)
        return [emission for blocks in self._of(stacks) for emission in blocks.open(ts, stamp)]

    def close(self, stack: int, until: int, stamp: Stamp | None = None) -> list[Emission]:
        """The blocks of one stack that ended at or before `until` (its watermark) and were not closed yet, in order.

        A block comes before the day that it ends. Blocks without any reading between others are there too, invalid.
        """
        ledger, blocks = self._ledgers[stack], self._blocks[stack]
        if ledger.first is None:
            return []
        stamp = stamp or Stamp("final", 0, until)
        self._know(until // MINUTE * MINUTE)
        made: list[Emission] = []
        while (block := self._next_block(ledger)).end <= until:
            made += blocks.close_block(block, stamp)
            today = ledger.calendar.day(block.end)
            if block.end == today.end:
                made += blocks.close_day(today, stamp)
                if today.end == ledger.calendar.month(today.end).end:
                    made += blocks.month(today.end, stamp)
        return made

    def finish(self, stack: int, stamp: Stamp | None = None) -> list[Emission]:
        """Close everything up to the blocks that the newest reading lies in: the end of a readings file."""
        ledger, blocks = self._ledgers[stack], self._blocks[stack]
        if ledger.newest is None:
            return []
        last, today = self._last_block(stack, ledger.newest), ledger.calendar.day(ledger.newest)
        stamp = stamp or Stamp("final", 0, ledger.newest)
        made = self.close(stack, last.end, stamp)
        self._know(today.end)  # what stands in for the rest of the day draws on all of it that is measured
        if ledger.closed is None:
            return made
        open_ = ledger.days.until != today.end
        if open_:
            made += blocks.close_day(today, stamp)
        if open_ or today.end < ledger.calendar.month(today.end).end:  # else it was told with its last day
            made += blocks.month(today.end, stamp)
        return made

    def reopenable(self, stack: int, start: int, reach: Reach) -> bool:
        """Whether the blocks from `start` on can be told again, or told at all, from the sums and the kept blocks."""
        ledger = self._ledgers[stack]
        if ledger.first is None:
            return True
        from_ = reach.seconds  # a flag's meaning and the quadrant rule need single readings
        if ledger.closed is None or start > ledger.closed:
            return start >= from_
        block = ledger.block(self.begin(stack, start) + 1)
        while block.end <= ledger.closed and block.start <= start + DAY:
            if not ledger.recountable(block, from_) or (block.end >= start and block.start < from_):
                return False
            block = ledger.block(block.end + 1)
        return True

    def begin(self, stack: int, ts: int) -> int:
        """Start of the day of one stack that the time `ts` lies in."""
        return self._ledgers[stack].calendar.day(ts).start

    def reopen(self, stack: int, start: int, end: int, stamp: Stamp) -> list[Emission]:
        """The closed blocks of one stack that changes in (start, end] touch, counted anew: blocks, days, months.

        A reading before all others also makes blocks that were never told, up to the first of those that were.
        Later blocks follow where other values stand in for theirs by now, later days as far as they count earlier ones.
        """
        ledger, blocks = self._ledgers[stack], self._blocks[stack]
        if ledger.closed is None or ledger.first is None or start > ledger.closed:
            return []
        self._spans.forget()
        if ledger.opened is not None and start < ledger.opened:
            end = max(end, ledger.opened)
        made: list[Emission] = []
        block = ledger.block(max(start, ledger.first + 1))
        today, last = ledger.calendar.day(block.end), end
        while block.end <= ledger.closed and (block.start < end or ledger.stack.substitution):
            tallies, moved = ledger.recount(block, whole=block.start < end)
            if block.start < end or moved:  # by what earlier blocks lend it, however long nothing was measured between
                made += blocks.block(block, tallies, stamp)
                last = max(last, block.end)
            block = ledger.block(block.end + 1)
        months: dict[int, int] = {}
        while today.end <= ledger.closed:
            kept = today.start >= ledger.closed - KEPT_MS or today.start < last
            made += blocks.close_day(today, stamp) if kept else blocks.rolling_day(today, stamp)
            if today.start < last:
                months[ledger.calendar.month(today.end).end] = today.end
            today = ledger.calendar.day(today.end + 1)
        for month_end in months:
            if month_end <= ledger.closed:
                made += blocks.month(month_end, stamp)
        return made

    def told(self, emission: Emission) -> bool:
        """Whether this closed block has been told already."""
        closed = self._ledgers[self.row(emission.scope)].closed
        return closed is not None and self.span(emission)[1] <= closed

    def span(self, emission: Emission) -> tuple[int, int]:
        """(start, end] of what it averages. Rolling ones say when they end, those over operating days when their last
        day begins: that ends when the local day does.
        """
        length = emission.block_minutes * MINUTE
        if emission.average == averages.MINUTE:
            return emission.ts - length, emission.ts
        if "operating_days" in emission.extra:
            end = self._ledgers[self.row(emission.scope)].calendar.day(emission.ts + 1).end
            return end - length, end
        return emission.ts, emission.ts + length

    def row(self, scope: str) -> int:
        """The stack of a scope's name."""
        return next(s.index for s in self._plant.stacks if f"stack:{s.id}" == scope)

    def reads(self, stack: int, pollutant: str) -> frozenset[int]:
        """The channels that one pollutant of a stack is made of: all analysers for it, what corrects them, the flow,
        and what says whether the lines run and what they make.
        """
        recipe = self._ledgers[stack].recipe
        found = {channel for _, channel, _ in recipe.running} | {made.channel for made in recipe.product}
        for p in recipe.pollutants:
            for part in (x for way in (p.parts, *p.backups) for x in way) if p.name == pollutant else ():
                beside = recipe.auxiliaries[part.auxiliaries]
                found |= {part.mean.channel, *beside.channels}
                found |= {beside.flow.channel} if beside.flow else set()
                found |= {beside.calibration} if beside.calibration is not None else set()
        return frozenset(found)

    def closed(self, stack: int) -> int:
        """End of the last closed block of one stack; very negative where there is none."""
        closed = self._ledgers[stack].closed
        return -(1 << 62) if closed is None else closed

    def opened(self, stack: int) -> int | None:
        """Start of the first closed block of one stack."""
        return self._ledgers[stack].opened

    def seed(self, other: Stacks, whole_from: int) -> None:
        """Take over the closed days of another's: months, years and operating days are counted from them.

        Those that begin before `whole_from` stay as they are: of them too few readings will come here.
        """
        for own, then in zip(self._ledgers, other._ledgers, strict=True):
            own.seed(then, whole_from)

    def adopt(self, other: Stacks, stack: int, start: int) -> None:
        """Take over the closed blocks and days of one stack from `start` on from another's, whose sums are right."""
        self._spans.forget()
        self._ledgers[stack].adopt(other._ledgers[stack], start)

    def snapshot(self) -> dict[str, Any]:
        """What cannot be computed again from the sums, as plain JSON, by stack."""
        return {s.id: x.snapshot() for s, x in zip(self._plant.stacks, self._ledgers, strict=True)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `snapshot`, bit-identical with sums restored from the same moment."""
        self._spans.forget()
        for stack, ledger, blocks in zip(self._plant.stacks, self._ledgers, self._blocks, strict=True):
            ledger.restore(state[stack.id])
            blocks.forget()

    def _of(self, stacks: Sequence[int] | None) -> Iterable[Blocks]:
        return self._blocks if stacks is None else [self._blocks[stack] for stack in stacks]

    def touching(self) -> dict[int, list[int]]:
        """Channel → the stacks that its readings touch."""
        return {channel: sorted({stack for stack, *_ in links}) for channel, links in self._links.items()}

    def _know(self, to: int) -> None:
        """Compute the minutes up to `to`: minute by minute, all stacks, so that they share each span."""
        behind = [x for x in self._ledgers if x.behind is not None and x.behind < to]
        if not behind:
            return
        first = min(x.behind for x in behind if x.behind is not None)
        for end in range(first + MINUTE, to + 1, MINUTE):
            for ledger in behind:
                if ledger.behind is not None and ledger.behind < end:
                    ledger.take(end)

    def _last_block(self, stack: int, newest: int) -> Block:
        """The block of the newest reading: of one at its very end the next, if it holds for long enough to make it."""
        ledger = self._ledgers[stack]
        block, after = ledger.block(newest), ledger.block(newest + 1)
        if newest < block.end or after.end > ledger.calendar.day(newest).end:
            return block
        self._know(after.end)
        valid_ms = ledger.regimes.on(ledger.calendar.local_date(after.end)).regime.hour_valid_ms
        return after if any(t.enough(valid_ms) for t in ledger.tallies(after)) else block

    def _next_block(self, ledger: Ledger) -> Block:
        last = ledger.first if ledger.closed is None else ledger.closed
        assert last is not None  # noqa: S101 - the callers asked for `first` before
        return ledger.block(last + 1)


def _links(plant: Plant) -> dict[int, list[tuple[int, int, int, bool]]]:
    """Channel → the stacks its readings touch: (stack, when one begins and ends to count, is it the stack's own)."""
    links: dict[int, list[tuple[int, int, int, bool]]] = {}

    def link(channel: int, stack: int, *, own: bool) -> None:
        c = plant.channels[channel]
        gap = c.max_gap_ms if c.kind in (Kind.LEVEL, Kind.RATE) else 0
        delay = 0
        while c.source is not None:  # a derived channel has no readings of its own
            delay += c.delay_ms
            c = plant.channels[c.source]
            gap = max(gap, c.max_gap_ms)
        links.setdefault(c.index, []).append((stack, delay, gap + delay, own))

    for stack in plant.stacks:
        for meter in stack.meters:
            for channel in plant.meters[meter].channels:
                link(channel, stack.index, own=True)
        for line in stack.lines:
            running = plant.lines[line].running
            if running is not None:
                link(running.channel, stack.index, own=False)
    return links
