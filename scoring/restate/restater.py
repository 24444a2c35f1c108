"""`Restater`: restates one span through the past, in slices."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from devices.durations import DAY, HOUR, MINUTE
from devices.errors import EnvironmentFailure
from devices.plant.model import Kind as ChannelKind
from devices.plant.model import Plant
from devices.readings import Mark, Readings
from scoring.engine import Engine
from scoring.kinds import Kind
from scoring.restate.backward import ENOUGH, Backward
from scoring.restate.past import Past, Touched
from scoring.restate.reads import Thing
from scoring.restate.told import plain
from scoring.results import Changes, Emission, added
from scoring.stamp import Stamp
from scoring.steps import bits
from scoring.watch import ROLLING
from scoring.watermarks import NEVER
from scoring.windows.records import NONE
from scoring.windows.rules import root
from scoring.windows.sums import Seen

FIRST_LAG, LONGEST_LAG = 4 * DAY, 45 * DAY
"""How late a scratch engine tells, so that what comes after a gap is known: at first, and if a gap is longer."""
SPARSE = 1000
"""Readings in a slice of the past below which the next slice is twice as long."""
LONGEST_SLICE = 30 * DAY


class Restater:
    """A span restated from the readings of the past; then the live engine's cells are right too.

    A scratch engine reads the past in order of time, from a window before the span (what the live engine's cells
    still hold is taken over from them instead) to the newest reading, and tells the steps and blocks that the span
    touches and that were told. Not thread-safe; works on the live engine's owner's thread.
    """

    def __init__(self, engine: Engine, touched: Touched, past: Past) -> None:
        """Takes the span off `engine.pending()`; until done it stays in the engine's snapshot."""
        self._live, self._plant, self._past = engine, engine.plant, past
        self._given = self._span = touched
        self._longest = max(self._plant.window_ms, default=0)
        self._lag = self._since = 0
        self._from = self._at = self._until = touched.start
        self._slice = HOUR
        self._deadline: float | None = None  # of the slice of work
        before = touched.start - 1
        self._back = Backward(past, before, before, self._roots(touched.counters), self._limit())
        self._work: Callable[[], Changes] | None = self._find
        engine.late.take(touched)

    def step(self, budget_s: float | None = None) -> Changes:
        """Work for about so long; what became known, as "restated" with revision 0 (for `Told.settle`).

        Raises EnvironmentFailure while the past cannot be read; ask again later.
        """
        self._deadline = until = None if budget_s is None else time.perf_counter() + budget_s
        found: list[Changes] = []
        while self._work is not None:
            try:
                found.append(self._work())
            except EnvironmentFailure:
                if any(found):
                    break  # nothing of it is lost; the next step says why it waits
                raise
            if until is not None and time.perf_counter() >= until:
                break
        return added(found)

    @property
    def done(self) -> bool:
        """Whether all is told."""
        return self._work is None

    @property
    def progress(self) -> tuple[int, int]:
        """(ms of event time read, ms to read)."""
        return self._at - self._from, max(self._until - self._from, self._at - self._from)

    # --- what is read first -----------------------------------------------------------------------

    def _find(self) -> Changes:
        """Where the pairs of late counter readings began."""
        if self._back.step():
            firsts = [self._back.earliest(c) for c in self._roots(self._span.counters)]
            start = min([t for t in firsts if t is not None], default=self._span.start)
            self._span = replace(self._span, start=min(start, self._span.start))
            for stack in self._span.stacks:
                opened = self._live.stacks.opened(stack)
                if opened is not None and self._span.start < opened:  # blocks that were never told
                    self._span = replace(self._span, end=max(self._span.end, opened))
            self._plan()
        return Changes()

    def _plan(self) -> None:
        """From where to read, and what before it is needed to understand the first readings."""
        start, reach = self._span.start, self._live.rolling.reach()
        minutes = start - max([w for w in self._plant.window_ms if w <= DAY], default=0)
        hours = start - max([w for w in self._plant.window_ms if w > DAY], default=0)
        blocks = min([self._live.stacks.begin(s, start) for s in self._span.stacks], default=start)
        first = start if reach.minutes <= min(minutes, blocks) and not self._span.stacks else min(minutes, blocks)
        if reach.hours > hours:
            first = min(first, hours)
        first = first // HOUR * HOUR - HOUR
        known = frozenset(c for c in self._counters() if self._live.rolling.last(c) is not None)
        self._back = Backward(self._past, first - self._context(), first, known, self._limit())
        self._from = self._at = first
        self._lag = min(max(DAY, self._span.end - start + 2 * HOUR), FIRST_LAG)
        self._work = self._look_back

    def _look_back(self) -> Changes:
        if self._back.step():
            self._open()
            self._work = self._read
        return Changes()

    def _open(self) -> None:
        """A scratch engine that knows what came before."""
        live = self._live
        self._scratch = live.scratch(lag_ms=self._lag)
        self._scratch.agenda.wanted = self._wanted
        self._scratch.stacks.seed(live.stacks, self._from + HOUR)
        self._at = self._from
        live.late.missed()
        live.late.read_to(self._at)
        for batch in self._back.batches():
            self._scratch.push(batch)
        self._scratch.rolling.push(self._tails())
        self._scratch.rolling.seed(live.rolling, self._from)
        for kind, own in zip(live.agenda.moments, self._scratch.agenda.moments, strict=True):
            for end, rows in kind.steps.told_between(self._span.start, self._span.end + max(kind.lengths, default=0)):
                own.steps.ask(end, rows)
        self._scratch.advance()

    def _tails(self) -> Readings:
        """The last readings of what has been quiet since before the past that is read: no cell has their minute yet."""
        live, newest = self._live.rolling, self._live.rolling.newest()
        quiet = (newest > NONE) & (newest <= self._from) & (self._scratch.rolling.newest() == NONE)
        quiet[[c.index for c in self._plant.channels if c.source is not None]] = False  # they come with their source
        rows: list[tuple[int, Seen]] = []
        for channel in np.flatnonzero(quiet).tolist():
            kept = live.readings(channel, NONE, int(newest[channel]) + 1)
            inside = sum(one.ts > newest[channel] - MINUTE for one in kept)
            rows += [(channel, one) for one in kept[-inside - ENOUGH :]]
        rows.sort(key=lambda row: row[1].ts)
        seen = [one for _, one in rows]
        return Readings.of(
            [channel for channel, _ in rows],
            [one.ts for one in seen],
            [one.value for one in seen],
            letter=[ord(one.letter) for one in seen],
            mark=[Mark.OUT_OF_RANGE * one.outside for one in seen],
        )

    # --- the way through the past -----------------------------------------------------------------

    def _hear(self) -> bool:
        """What came to the live engine meanwhile and lies in what was read already, whether late or in time: without
        it older numbers would be told after newer ones, and taken over. Whether there was any.
        """
        missed = self._live.late.missed()
        if missed is None:
            self._work = self._again
            return True
        heard = [piece.take(piece.ts > self._from) for piece in missed]
        for piece in heard:
            self._scratch.push(piece)
        return any(map(len, heard))

    def _again(self) -> Changes:
        self._open()
        self._work = self._read
        return Changes()

    def _read(self) -> Changes:
        if self._hear() or self._scratch.behind():  # first what is due of what is read
            return added([self._told(), self._widen()])
        newest = self._live.marks.newest
        far = self._span.end + self._longest + LONGEST_LAG
        self._until = max(min(newest, far), self._at)
        if self._at >= self._until:
            marks = [m for kind in self._live.agenda.kinds for m in kind.marks() if m > NEVER]
            self._since = min(marks, default=NEVER)
            self._work = self._end
            return Changes()
        to = min(self._at + self._slice, self._until)
        rows = 0
        for piece in self._past.read(self._at, to):
            rows += len(piece)
            self._scratch.push(piece)
        self._at = to
        self._live.late.read_to(to)
        self._slice = HOUR if rows >= SPARSE else min(2 * self._slice, LONGEST_SLICE)
        return added([self._told(), self._widen()])

    def _told(self) -> Changes:
        """What the scratch engine tells until the slice of work is over."""
        left = None if self._deadline is None else max(1e-6, self._deadline - time.perf_counter())
        return self._restamped(self._scratch.advance(left))

    def _widen(self) -> Changes:
        """Begin anew with wider cells if a gap turned out to be longer than they reach."""
        gaps = [span.end - span.start + 2 * HOUR for span in self._scratch.pending()]
        self._scratch.late.pending.clear()
        if max(gaps, default=0) > self._lag and self._lag < LONGEST_LAG:
            self._lag = min(max(gaps), LONGEST_LAG)
            self._open()
        return Changes()

    def _end(self) -> Changes:
        """What is left in the scratch engine; then its cells are the live engine's."""
        if self._hear():
            return self._told()
        scratch, span = self._scratch, self._span
        stamp = Stamp("final", 0, self._live.clock)
        if (due := scratch.agenda.next(1 << 62)) is not None:
            return self._restamped(scratch.agenda.tell(*due, stamp))
        blocks = [e for s in sorted(span.stacks) for e in scratch.stacks.close(s, self._live.stacks.closed(s), stamp)]
        channels = [
            c.index for c in self._plant.channels
            if self._plant.meters[c.meter].line in span.lines or self._plant.meters[c.meter].stack in span.stacks
        ]  # fmt: skip
        groups = [row for row, group in enumerate(self._live.groups) if group.line in span.lines]
        self._live.rolling.adopt(scratch.rolling, channels, groups, span.start, span.end)
        for stack in span.stacks:
            self._live.stacks.adopt(scratch.stacks, stack, span.start)
        self._live.late.settle(self._given, span, self._since)
        self._work = None
        return self._restamped(Changes(emissions=tuple(blocks)))

    # --- what is told -----------------------------------------------------------------------------

    def _wanted(self, kind: Kind, end: int, rows: Sequence[int]) -> tuple[list[int], list[int]]:
        """Of a step what the span touches and the live engine has told."""
        span = self._span
        windows = [w for w, ms in enumerate(kind.lengths) if span.start <= end < span.end + ms]
        if not windows:
            return [], []
        twin = self._live.agenda.kinds[self._scratch.agenda.kinds.index(kind)]
        marks, mine, due = twin.marks(), kind.rows(span), bits(twin.steps.touched(end))
        return [r for r in rows if mine >> r & 1 and end <= marks[r] and not due >> r & 1], windows

    def _touches(self, emission: Emission) -> bool:
        """Whether a closed block lies in the span and the live engine has told it."""
        if emission.average == ROLLING:
            return True  # the agenda has looked
        inside = self._live.stacks.span(emission)[1] >= self._span.start  # later days and months may count earlier ones
        wanted = self._plant.stacks[self._live.stacks.row(emission.scope)].index in self._span.stacks
        return inside and wanted and self._live.stacks.told(emission)

    def _restamped(self, changes: Changes) -> Changes:
        def stamped(things: tuple[Thing, ...]) -> tuple[Thing, ...]:
            return tuple(
                replace(
                    thing,
                    lifecycle="restated",
                    revision=0,
                    known_at=self._live.clock,
                    reason=plain(thing.reason),
                )
                for thing in things
            )

        told = Changes(
            scores=stamped(changes.scores),
            emissions=stamped(tuple(e for e in changes.emissions if self._touches(e))),
            sums=stamped(changes.sums),
            energies=stamped(changes.energies),
        )
        return self._live.teller.reads.because(told, self._span.causes)

    # --- of the plant -----------------------------------------------------------------------------

    def _counters(self) -> frozenset[int]:
        """Channels whose last reading before a time is needed however old it is: counters and laboratories'."""
        channels = self._plant.channels
        counters = {c.index for c in channels if c.source is None and c.kind is ChannelKind.COUNTER}
        return frozenset(counters | {one.channel for c in channels for one in c.labs})

    def _roots(self, channels: frozenset[int]) -> frozenset[int]:
        return frozenset(root(self._plant, c)[0] for c in channels)

    def _limit(self) -> int:
        """How far back a counter's reading before is looked for, ms."""
        return self._longest + DAY

    def _context(self) -> int:
        """How far back a reading can count at most that is no counter's, ms."""
        return HOUR + max(_back(self._plant, c.index) for c in self._plant.channels) // HOUR * HOUR


def _back(plant: Plant, channel: int) -> int:
    measured, delay = root(plant, channel)
    own = plant.channels[measured]
    gap = 0 if own.kind in (ChannelKind.COUNTER, ChannelKind.AMOUNT) else own.max_gap_ms
    return HOUR + delay + max(gap, own.period_ms)
