"""One stack's minutes, blocks and days, kept until these are closed.

A block is as long as the regime says: an hour, or in the EU half of one.

    ─── closed blocks (tallies, frozen) ──┬── known minutes (atoms) ──┬── not computed yet ──
                                     `closed`                     `known`

Invariant: every atom and tally that ends at or before `known` is what the sums give now. A reading lowers
`known` to before its own time (never below `closed`: what is final stays), asking for more raises it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from devices.plant.model import Stack
from scoring.stacks import quadrants
from scoring.stacks.closed_days import ClosedDays
from scoring.stacks.days import DaySum
from scoring.stacks.limits import InForce, Regimes
from scoring.stacks.localtime import HOUR, MINUTE, Block, Calendar
from scoring.stacks.minutes import Atom, atoms, empty
from scoring.stacks.recipe import Recipe
from scoring.stacks.spans import Spans
from scoring.stacks.substitution import blocks, lends, substituted
from scoring.stacks.tally import Tally

KEPT_MS = 72 * HOUR  # closed blocks kept for their day and for questions about yesterday


class Ledger:
    """Minutes and blocks of one stack."""

    def __init__(self, stack: Stack, recipe: Recipe, regimes: Regimes, calendar: Calendar, spans: Spans) -> None:
        self.stack, self.recipe, self.regimes, self.calendar = stack, recipe, regimes, calendar
        self.regime = regimes.newest
        self.days = ClosedDays()
        self._whole_from = -(1 << 62)
        self.first: int | None = None  # oldest and newest reading of the stack's own meters
        self.newest: int | None = None
        self._begun = 1 << 62  # oldest reading of all that it depends on: of its lines' running channels too
        self.closed: int | None = None  # end of the last closed block
        self.opened: int | None = None  # start of the first closed block
        self.version = 0  # of what was known: goes up when any of it has to be computed again
        self._spans = spans
        self._reach = 0  # no reading so far covers any time after this
        self._known = 0
        self._atoms: dict[int, tuple[Atom, ...]] = {}  # by end of minute
        self._tallies: dict[int, tuple[Tally, ...]] = {}  # by start of block; closed ones are settled
        rule = stack.substitution
        self._kept_ms = KEPT_MS + (blocks(rule, self.regime) * self.regime.block_ms if rule else 0)
        self._nothing = tuple(empty(p) for p in recipe.pollutants)
        self._stirred: set[int] = set()  # ends of minutes in which a reading begins, or may stop to count
        self._stirred_until = 0  # what was stirred before a restore is not remembered
        self._before: tuple[int, InForce, tuple[Atom, ...]] | None = None  # the minute made last
        self._block = Block(0, 0)  # the block it lies in

    def touch(self, oldest: int, newest: int, reach: int, *, own: bool) -> None:
        """Readings from `oldest` to `newest` came in, covering time up to `reach` at most."""
        self._reach, self._begun = max(self._reach, reach), min(self._begun, oldest)
        before = (oldest - 1) // MINUTE * MINUTE
        if own:
            if self.first is None or self.newest is None:
                self.first, self.newest, self._known = oldest, newest, before
                self.version += 1
            self.first, self.newest = min(self.first, oldest), max(self.newest, newest)
        known = before if self.closed is None else max(before, self.closed)
        if known < self._known:
            self._known = known
            self.version += 1

    def stir(self, ends: Iterable[int]) -> None:
        """In the minutes with these ends something begins or stops; all others are like the minute before them."""
        self._stirred.update(ends)
        self._before = None

    @property
    def behind(self) -> int | None:
        """End of the last known minute; None before the first reading."""
        return None if self.first is None else self._known

    def take(self, end: int) -> None:
        """Make the minute that ends at `end`, the one after the last known, known."""
        made = self._compute(end)
        self._atoms[end] = made
        self._known = end
        if not self._block.start < end <= self._block.end:
            self._block = self.block(end)
        if self._block.end == end:
            self._keep(self._block, self._fold(list(self._minutes(self._block.start, end))))

    def rolling(self, end: int) -> tuple[Atom, ...]:
        """The minute that ends at any whole second."""
        if self.closed is not None and end <= self.closed:  # told again: what stirred it is forgotten
            return self._fresh(end)
        return self._compute(end)

    def begun(self, start: int, to: int) -> tuple[Atom | None, ...]:
        """The minute that began at `start`, of which (start, to] has passed: None where too little of it is valid yet.

        It counts from the moment on from which it would count if nothing more came.
        """
        force = self.regimes.on(self.calendar.local_date(to))
        if to - start < force.regime.minute_valid_ms or self.regime.quadrants or self._beyond(start, to):
            return (None,) * len(self._nothing)
        made = atoms(self.recipe, self._spans.of(start, to), force.frame, force.regime, self._spans.readings)
        return tuple(None if atom.micro is None else atom for atom in made)

    def block(self, ts: int) -> Block:
        """The block that `ts` lies in, as the regime cuts them."""
        return self.calendar.block(ts, self.regime.block_ms)

    def tallies(self, block: Block) -> tuple[Tally, ...]:
        """A whole block that has ended, settled."""
        kept = self._tallies.get(block.start) if block.end <= self._known else None
        if kept is not None and self.closed is not None and block.end <= self.closed:
            return kept
        settled = self._settle(block, kept if kept is not None else self._whole(block))
        if kept is None and self.first is not None and block.end <= min(self.first, self._known):
            self._keep(block, settled)  # nobody takes its minutes: it would be counted again each minute
        return settled

    def _whole(self, block: Block, *, anew: bool = False) -> tuple[Tally, ...]:
        """All minutes of a block, those that are known as they are, or all `anew`."""
        if self._beyond(block.start, block.end):
            return tuple(self._empty(t, block) for t in self._nothing)
        if anew:
            return self._fold([self._fresh(end) for end in range(block.start + MINUTE, block.end + 1, MINUTE)])
        return self._fold(list(self._minutes(block.start, block.end)))

    def _empty(self, nothing: Atom, block: Block) -> Tally:
        if self.regime.quadrants:
            return quadrants.fold([nothing] * block.minutes)
        return Tally.nothing(nothing, block.minutes)

    def _settle(self, block: Block, tallies: tuple[Tally, ...]) -> tuple[Tally, ...]:
        """What only a whole block has: mass that stands in, and the product made."""
        rule, made = self.stack.substitution, self.recipe.product
        if rule is None and not made:
            return tallies
        product = self._product(block) if made else Fraction(0)
        force = self.regimes.on(self.calendar.local_date(block.end))
        missing = any(t.mass_minutes < t.running for t in tallies)
        earlier = sorted((s for s in self._tallies if s < block.start), reverse=True) if rule and missing else []
        settled = []
        for i, (p, tally) in enumerate(zip(self.recipe.pollutants, tallies, strict=True)):
            before = (self._tallies[s][i] for s in earlier)
            limit = force.limit(p.name, force.block) or force.regime.limits.get(p.name)
            extra = substituted(rule, tally, before, limit, force.regime)
            settled.append(replace(tally, substituted=extra, product=product))
        return tuple(settled)

    def _product(self, block: Block) -> Fraction:
        """T made in a block."""
        span = self._spans.of(block.start, block.end)
        return sum((span.total(m.channel) * m.tonnes for m in self.recipe.product), start=Fraction(0))

    def part(self, start: int, to: int) -> tuple[list[tuple[Atom, ...]], tuple[Tally, ...]]:
        """The minutes of a block from its start to `to`, and what they add up to."""
        minutes = list(self._minutes(start, to))
        return minutes, self._fold(minutes)

    def recount(self, block: Block, *, whole: bool) -> tuple[tuple[Tally, ...], bool]:
        """A closed block anew, from the sums (`whole`) or only what other blocks lend it; whether it is another now."""
        before = tallies = self._tallies.get(block.start)
        if whole or tallies is None:
            tallies = self._whole(block, anew=True)
        self._tallies[block.start] = tallies = self._settle(block, tallies)
        self._before = None
        self.opened = block.start if self.opened is None else min(self.opened, block.start)
        self.version += 1
        return tallies, tallies != before

    def recountable(self, block: Block, reach: int) -> bool:
        """Whether a block is kept or can be counted anew from sums that are exact from `reach` on."""
        return block.start >= reach or block.start in self._tallies or self._beyond(block.start, block.end)

    def adopt(self, other: Ledger, start: int) -> None:
        """Take over another's closed blocks and days that end at `start` or later, as far back as they are kept: also
        those before the first of here. Minutes after `start` that no block has closed yet are made anew: their sums
        were taken over too.
        """
        closed = start if self.closed is None else self.closed
        self._known = min(self._known, max(start // MINUTE * MINUTE, closed))
        self._before = None
        for at, tallies in other._tallies.items():
            kept = at in self._tallies or at >= closed - self._kept_ms
            if kept and at < closed and self.block(at + 1).end >= start:
                self._tallies[at] = tallies
                self.opened = at if self.opened is None else min(self.opened, at)
        self.days.adopt(other.days, start, closed, self.calendar)
        self.version += 1

    def freeze(self, block: Block, tallies: tuple[Tally, ...]) -> None:
        """Everything up to the end of this block is final."""
        if self.opened is None:
            self.opened = block.start
        self._keep(block, tallies)
        self.closed = until = block.end
        self._known = max(self._known, until)
        for end in [e for e in self._atoms if e <= until]:
            del self._atoms[end]
        self._stirred = {end for end in self._stirred if end >= until}  # of the last one its follower asks
        old = until - self._kept_ms
        for start in sorted(s for s in self._tallies if s < old):
            if not self._awaited(start, old):
                del self._tallies[start]

    def _awaited(self, start: int, old: int) -> bool:
        """Whether a block before `old` may still stand in, however long an analyser is lost: for one to come, or
        for one after `old` that is counted again.
        """
        rule, valid_ms = self.stack.substitution, self.regime.hour_valid_ms
        if rule is None:
            return False
        later = [x for s, x in self._tallies.items() if start < s < old]
        most = blocks(rule, self.regime)
        for i, tally in enumerate(self._tallies[start]):
            if lends(rule, tally, valid_ms) and sum(lends(rule, x[i], valid_ms) for x in later) < most:
                return True
        return False

    def seed(self, other: Ledger, whole_from: int) -> None:
        """Take over another's closed days, and its blocks, which may lend values to later ones; those that begin before
        `whole_from` are not counted here.
        """
        self.days, self._whole_from = other.days.copy(), whole_from
        self._tallies = {at: x for at, x in other._tallies.items() if at < whole_from}

    def _keep(self, block: Block, tallies: tuple[Tally, ...]) -> None:
        if block.start >= self._whole_from or block.start not in self._tallies:
            self._tallies[block.start] = tallies

    def freeze_day(self, block: Block, sums: tuple[DaySum, ...]) -> None:
        """One more day is final, or one is counted again."""
        self.days.close(block, sums, anew=block.start >= self._whole_from)

    def day_sums(self, block: Block, ended: Sequence[tuple[Block, tuple[Tally, ...]]]) -> tuple[DaySum, ...]:
        """What the ended blocks of a day add up to, of every pollutant."""
        force = self.regimes.on(self.calendar.local_date(block.end))
        return tuple(
            DaySum.of(force, p.name, [(b, t[i]) for b, t in ended]) for i, p in enumerate(self.recipe.pollutants)
        )

    def year(self, today: Block) -> tuple[int, int]:
        """[start, end) of the calendar year's days before `today`."""
        return self.calendar.new_year(today.end), today.start

    def snapshot(self) -> dict[str, Any]:
        """What cannot be computed again from the sums. Plain JSON."""
        closed = self.closed
        blocks = {
            str(s): [t.to_json() for t in x] for s, x in self._tallies.items() if closed is not None and s < closed
        }
        return {
            "first": self.first,
            "newest": self.newest,
            "reach": self._reach,
            "begun": self._begun,
            "closed": closed,
            "opened": self.opened,
            "blocks": blocks,
            **self.days.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `snapshot`."""
        self.first, self.newest, self._reach = state["first"], state["newest"], state["reach"]
        self._begun = state["begun"]
        self.closed, self.opened = state["closed"], state["opened"]
        self._atoms, self._stirred, self._before = {}, set(), None
        self._stirred_until = self._reach + MINUTE
        self._tallies = {int(s): tuple(Tally.from_json(t) for t in x) for s, x in state["blocks"].items()}
        self.days.restore(state)
        self._known = 0 if self.first is None else (self.first - 1) // MINUTE * MINUTE
        if self.closed is not None:
            self._known = self.closed

    def _minutes(self, start: int, to: int) -> Iterator[tuple[Atom, ...]]:
        for end in range(start + MINUTE, to + 1, MINUTE):
            kept = self._atoms.get(end) if end <= self._known else None
            yield kept if kept is not None else self._compute(end)

    def _compute(self, end: int) -> tuple[Atom, ...]:
        if self._beyond(end - MINUTE, end):
            return self._nothing
        force = self.regimes.on(self.calendar.local_date(end))
        if self._before is not None:
            before, then, made = self._before
            if before == end - MINUTE and then is force and self._calm(before) and self._calm(end):
                self._before = end, force, made
                return made
        made = self._fresh(end)
        if end % MINUTE == 0:
            self._before = end, force, made
        return made

    def _fresh(self, end: int) -> tuple[Atom, ...]:
        if self._beyond(end - MINUTE, end):
            return self._nothing
        force, span = self.regimes.on(self.calendar.local_date(end)), self._spans.of(end - MINUTE, end)
        return atoms(self.recipe, span, force.frame, force.regime, self._spans.readings)

    def _calm(self, end: int) -> bool:
        """Whether nothing begins or stops in the minute that ends at `end`. Of what is closed nobody knows any more: a
        meter that says close ends the hour that is still shown.
        """
        if self.closed is not None and end < self.closed:
            return False
        return end > self._stirred_until and end not in self._stirred

    def _beyond(self, start: int, end: int) -> bool:
        """Whether no reading reaches (start, end]: before the first one or after all that they cover.

        Before the analysers' first one a line may be known to stand still: then they missed nothing.
        """
        return self.first is None or end <= self._begun or start >= self._reach

    def _fold(self, minutes: list[tuple[Atom, ...]]) -> tuple[Tally, ...]:
        made = quadrants.fold if self.regime.quadrants else Tally.of
        return tuple(made([m[i] for m in minutes]) for i in range(len(self.recipe.pollutants)))
