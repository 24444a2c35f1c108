"""What is known of the open blocks as of the last whole minute: computed once a minute, shown every second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scoring.stacks.days import DaySum
from scoring.stacks.ledger import Ledger
from scoring.stacks.localtime import Block
from scoring.stacks.minutes import Atom
from scoring.stacks.tally import Tally


@dataclass(frozen=True, slots=True)
class SoFar:
    """One stack at `now`, all pollutants."""

    now: int  # a whole minute
    block: Block
    minutes: list[tuple[Atom, ...]]  # of the block
    tallies: tuple[Tally, ...]  # what they add up to
    before: tuple[Tally, ...]  # the block before
    today: Block
    ended: list[tuple[Block, tuple[Tally, ...]]]  # blocks of the day
    sums: tuple[DaySum, ...]  # what these add up to
    waiting: dict[int, tuple[DaySum, ...]]  # days that have ended and are not closed, by start

    @classmethod
    def of(cls, ledger: Ledger, block: Block, now: int) -> SoFar:
        """The open blocks of one stack."""
        today = ledger.calendar.day(block.end)
        minutes, tallies = ledger.part(block.start, now)
        ended = list(ended_blocks(ledger, today.start, now))
        before = ledger.tallies(ledger.block(block.start))
        sums = ledger.day_sums(today, ended)
        return cls(now, block, minutes, tallies, before, today, ended, sums, dict(_waiting(ledger, today.start)))

    def past(self, ledger: Ledger, pollutant: int, start: int, to: int) -> dict[int, DaySum]:
        """The ended days of one pollutant that began in [start, to), closed or not."""
        waiting = {s: x[pollutant] for s, x in self.waiting.items() if start <= s < to}
        return ledger.days.past(pollutant, start, to) | waiting


def _waiting(ledger: Ledger, to: int) -> Iterator[tuple[int, tuple[DaySum, ...]]]:
    last = ledger.first if ledger.days.until is None else ledger.days.until
    while last is not None and last < to:
        day = ledger.calendar.day(last + 1)
        if day.end <= to:
            yield day.start, ledger.day_sums(day, list(ended_blocks(ledger, day.start, day.end)))
        last = day.end


def ended_blocks(ledger: Ledger, start: int, to: int) -> Iterator[tuple[Block, tuple[Tally, ...]]]:
    """The blocks that began at `start` or later and have ended by `to`."""
    block = ledger.block(start + 1)
    while block.end <= to:
        yield block, ledger.tallies(block)
        block = ledger.block(block.end + 1)
