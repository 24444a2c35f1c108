"""`Blocks`: what is said of one stack: its rolling minute, its open and its closed blocks, days and months."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from devices.durations import MINUTE, SECOND
from devices.plant.model import Stack
from scoring.results import Emission
from scoring.stacks import halfhours, longer, report
from scoring.stacks.days import DaySum
from scoring.stacks.ledger import Ledger
from scoring.stacks.limits import InForce
from scoring.stacks.localtime import Block
from scoring.stacks.mass import UG_PER_T
from scoring.stacks.minutes import Atom
from scoring.stacks.open_block import OpenBlock
from scoring.stacks.recipe import Pollutant, weighed
from scoring.stacks.so_far import SoFar, ended_blocks
from scoring.stacks.tally import Tally
from scoring.stamp import Stamp
from scoring.windows.sums import Sums


class Blocks:
    """Reads one stack's ledger, whose minutes the owner has brought up to the time asked for."""

    def __init__(self, stack: Stack, ledger: Ledger, sums: Sums) -> None:
        self._stack, self._ledger, self._sums = stack, ledger, sums
        self._weighed = weighed(ledger.recipe)
        self._so_far: tuple[tuple[int | None, ...], SoFar] | None = None
        self._memo: tuple[tuple[object, ...], list[tuple[Pollutant, Emission]]] | None = None

    def minute(self, ts: int, stamp: Stamp) -> list[Emission]:
        """The rolling minute (ts − 60 s, ts] of every pollutant; `ts` is a whole second."""
        force = self._in_force(ts)
        return [
            report.minute(self._subject(p, force, stamp, ts), ts, atom)
            for p, atom in zip(self._ledger.recipe.pollutants, self._ledger.rolling(ts), strict=True)
        ]

    def open(self, ts: int, stamp: Stamp) -> list[Emission]:
        """The blocks that `ts` lies in: their whole minutes, and the open one as soon as enough of it is valid."""
        ledger, now = self._ledger, ts // MINUTE * MINUTE
        block, begun = ledger.block(ts), ledger.begun(now, ts // SECOND * SECOND)
        key = (block.start, now, ledger.version, ledger.days.until)
        if self._so_far is None or self._so_far[0] != key:
            self._so_far = key, SoFar.of(ledger, block, now)
        if self._memo is None or self._memo[0] != (key, begun):  # asked every second, different when a minute begins
            self._memo = (key, begun), list(self._open(ts, self._so_far[1], begun))
        made = []
        for p, emission in self._memo[1]:
            stale, last = self._age(p, ts)
            made.append(
                replace(
                    emission,
                    lifecycle=stamp.lifecycle,
                    revision=stamp.revision,
                    known_at=stamp.known_at,
                    stale=stale,
                    last=last,
                )
            )
        return made

    def forget(self) -> None:
        """The ledger was given another state."""
        self._so_far = self._memo = None

    # --- closed -----------------------------------------------------------------------------------

    def close_block(self, block: Block, stamp: Stamp) -> list[Emission]:
        """The next block, from now on as it is."""
        tallies = self._ledger.tallies(block)
        self._ledger.freeze(block, tallies)
        return self.block(block, tallies, stamp)

    def block(self, span: Block, tallies: tuple[Tally, ...], stamp: Stamp) -> list[Emission]:
        """A closed block from its tallies."""
        force = self._in_force(span.end)
        return [
            report.block(self._subject(p, force, stamp, None), span, t, None)
            for p, t in zip(self._ledger.recipe.pollutants, tallies, strict=True)
        ]

    def close_day(self, block: Block, stamp: Stamp) -> list[Emission]:
        """A day from its closed blocks, whose sums are kept anew; with its rolling averages."""
        ledger, force = self._ledger, self._in_force(block.end)
        ended = list(ended_blocks(ledger, block.start, block.end))
        ledger.freeze_day(block, ledger.day_sums(block, ended))
        made = []
        for i, (p, sums) in enumerate(zip(ledger.recipe.pollutants, ledger.days.of(block.start) or (), strict=True)):
            year = list(ledger.days.past(i, *ledger.year(block)).values())
            subject = self._subject(p, force, stamp, None)
            made.append(report.day(subject, block, [(b, t[i]) for b, t in ended], None, sums, year))
            made += _rolling(subject, ledger.days.past(i, 0, block.start), block, sums, None)
        return made

    def rolling_day(self, block: Block, stamp: Stamp) -> list[Emission]:
        """The rolling averages of a closed day whose blocks are not kept any more."""
        ledger, force = self._ledger, self._in_force(block.end)
        if (day := ledger.days.of(block.start)) is None:
            return []
        made: list[Emission] = []
        for i, (p, sums) in enumerate(zip(ledger.recipe.pollutants, day, strict=True)):
            subject = self._subject(p, force, stamp, None)
            made += _rolling(subject, ledger.days.past(i, 0, block.start), block, sums, None)
        return made

    def month(self, end: int, stamp: Stamp) -> list[Emission]:
        """The month that `end`, the end of a closed day, lies in, from its closed days."""
        ledger, force = self._ledger, self._in_force(end)
        block = ledger.calendar.month(end)
        made: list[Emission] = []
        for i, p in enumerate(ledger.recipe.pollutants):
            days = list(ledger.days.past(i, block.start, block.end).values())
            made += longer.month(self._subject(p, force, stamp, None), block, days, None)
        return made

    # --- inside -----------------------------------------------------------------------------------

    def _open(self, ts: int, so_far: SoFar, begun: tuple[Atom | None, ...]) -> Iterator[tuple[Pollutant, Emission]]:
        ledger, stamp, today = self._ledger, Stamp("live", 0, ts), so_far.today
        force = self._in_force(today.end)
        for i, p in enumerate(ledger.recipe.pollutants):
            open_block = OpenBlock.of(
                so_far.block, so_far.now, [m[i] for m in so_far.minutes], so_far.tallies[i], begun[i],
                so_far.before[i].last, taken_off=halfhours.subtraction(force, p.name),
                spacing=max(1, p.every_ms // MINUTE) if force.regime.quadrants else 1,
            )  # fmt: skip
            subject = self._subject(p, force, stamp, ts)
            yield p, report.block(subject, so_far.block, open_block.tally, open_block)
            ended = [(b, t[i]) for b, t in so_far.ended]
            sums, past = so_far.sums[i], so_far.past(ledger, i, *ledger.year(today))
            yield p, report.day(subject, today, ended, open_block, sums, list(past.values()))
            open_day = longer.OpenDay(today, open_block, sums)
            for e in _rolling(subject, so_far.past(ledger, i, 0, today.start), today, sums, open_day):
                yield p, e
            month = ledger.calendar.month(today.end)
            days = [*so_far.past(ledger, i, month.start, today.start).values(), sums]
            for e in longer.month(subject, month, days, open_day):
                yield p, e

    def _in_force(self, ts: int) -> InForce:
        """The regime's limits on the local date of `ts`."""
        return self._ledger.regimes.on(self._ledger.calendar.local_date(ts))

    def _subject(self, p: Pollutant, force: InForce, stamp: Stamp, ts: int | None) -> report.Subject:
        """`ts` is the moment that staleness is told for; None for a closed block, which cannot be stale."""
        stale, last = self._age(p, ts)
        permit = self._stack.permit.get(p.name)
        return report.Subject(
            f"stack:{self._stack.id}", p, force, stamp, stale, last,
            weighed=self._weighed, permit=None if permit is None else permit * UG_PER_T,
        )  # fmt: skip

    def _age(self, p: Pollutant, ts: int | None) -> tuple[bool, int | None]:
        seen = [self._sums.last(part.mean.channel) for part in p.parts]
        known = [s for s in seen if s is not None]
        last = min(known) if len(known) == len(seen) else None
        if ts is None:
            return False, last
        waits = [t for c, ms in p.awaited if (t := self._sums.last(c)) is None or ts - t >= ms]
        if waits:  # as old as the one waited for longest
            last = None if None in waits else min(t for t in waits if t is not None)
        return bool(waits), last


def _rolling(
    subject: report.Subject, before: dict[int, DaySum], today: Block, sums: DaySum, now: longer.OpenDay | None
) -> Iterator[Emission]:
    for over in subject.force.operating:
        found = longer.rolling(subject, over, before, today, sums, now)
        if found is not None:
            yield found
