"""`Engine`: readings in; scores, emissions and alarms out. Time enters as readings, receive times and ticks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from devices.durations import HOUR, MINUTE, SECOND
from devices.plant.model import Plant
from devices.readings import I64, Readings
from scoring.agenda import Agenda, Moments
from scoring.channel_sums import channel_sums
from scoring.degrees import Degrees, coverage_groups
from scoring.degrees.board import Standing
from scoring.late import PATIENCE, Late
from scoring.restate.past import Touched
from scoring.results import Alarm, Changes, ChannelSum, Emission, Energy, Score, added
from scoring.shape import shape
from scoring.stacks import Stacks
from scoring.stamp import Stamp
from scoring.state import Buffer, pack, unpack
from scoring.steps import step_of, up
from scoring.teller import Teller
from scoring.watch import Watch
from scoring.watermarks import NEVER, Watermarks
from scoring.why import Why, why
from scoring.windows.rolling import Rolling
from scoring.windows.sliding import Slide

FORMAT = 17
"""Of the snapshot: goes up whenever an older one could not be read right."""


@dataclass(frozen=True, slots=True)
class LineClose:
    """The line (or stack) of this meter is closed after the rows before `row` of the same push."""

    row: int
    meter: int
    received: int


@dataclass(frozen=True, slots=True)
class Command:
    """An operator's command, as logged."""

    received: int
    scope: str
    id: str
    do: str  # acknowledge | shelve | unshelve
    user: str
    comment: str = ""
    for_ms: int = 0


UNCLOSED = HOUR
"""Stacks' blocks are closed when the newest reading has moved so far: what they are made of is not kept for longer."""


class Engine:
    """The scoring engine behind every output. Not thread-safe: one owner at a time.

    `event_clock`  the clock is the greatest event time (default: where the plant says `history`), not the receive time
    `steps`        tell closed steps of the rolling windows; without them alarms are not watched either
    `moments`      what is told of the moments that are asked for
    `patience_ms`  how long the clock goes on after late readings before what they touch is told again, so that many
                   of them make one revision
    `lag_ms`       everything is told so much later, and the sums reach so much further back
    """

    def __init__(
        self,
        plant: Plant,
        *,
        event_clock: bool | None = None,
        steps: bool = True,
        moments: Moments | None = None,
        patience_ms: int = PATIENCE,
        lag_ms: int = 0,
    ) -> None:
        self._plant = plant
        groups = coverage_groups(plant)
        # its rooms, which a restater's scratch engine shares the ways of
        self.rolling = Rolling(plant, groups, lag_ms=lag_ms, moments=moments is not None)
        self._degrees = Degrees(plant, self.rolling, groups)
        self._board = self._degrees.board(groups)
        self.stacks = Stacks(plant, self.rolling)
        self._watch = Watch(plant, self._degrees, self.stacks)
        by_event = plant.intake.history if event_clock is None else event_clock
        self.marks = Watermarks(plant, event_clock=by_event, lag_ms=lag_ms)
        self.teller = Teller(plant, self.rolling, self._degrees, self.stacks, self.marks, groups)
        self.agenda = Agenda(plant, self.marks, self.teller, steps=steps, moments=moments)
        self.late = Late(plant, self.rolling, self.stacks, self.marks, self.agenda, self.teller, groups, patience_ms)
        self._measured = np.flatnonzero([c.source is None for c in plant.channels])  # not derived from others
        self._steps, self._moments, self.groups = steps, moments, groups
        self._watched = steps and lag_ms == 0 and not self._watch.idle
        self._second = 0  # the second of the clock that the alarms will look at when it is over
        self._shown = 0  # newest step told live
        self._out = Changes()

    # --- what comes in ----------------------------------------------------------------------------

    def push(self, readings: Readings, closes: Iterable[LineClose] = ()) -> None:
        """Take a batch in log order: readings, then what their receive times make due (alarms)."""
        start = 0
        for close in sorted(closes, key=lambda c: c.row):
            self._take(readings.take(slice(start, close.row)))
            start = close.row
            self.tick(close.received)
            self.marks.close(close.meter)
        self._take(readings.take(slice(start, len(readings))) if start else readings)

    def tick(self, received: int) -> None:
        """Time passed without readings."""
        self.marks.pass_time(received)
        self.late.pass_time(received)
        self._look()

    def command(self, command: Command) -> None:
        """Apply an operator's command; ValueError with a sentence for people if it does not fit the alarm's state."""
        self.tick(command.received)
        c = command
        events = self._watch.book.command(c.received, c.scope, c.id, c.do, c.user, c.comment, c.for_ms)
        self._out += Changes(alarms=tuple(events))

    def ask(self, ts: int) -> None:
        """Tell everything of the moment `ts` (a whole second) once it is final, and again whenever it changes."""
        self.agenda.ask(ts, self.rolling.reach())

    # --- what becomes known -----------------------------------------------------------------------

    def advance(self, budget_s: float | None = None) -> Changes:
        """Close the steps and blocks that are due, oldest first, for `budget_s`; what became known.

        With a budget steps are told in pieces, and go on where they were left: one piece at least, but none
        in no time at all (0): then blocks, and what is not final yet. What is told again is "restated", with revision
        0: who keeps what was told numbers it (`Told.settle`).
        """
        until = math.inf if budget_s is None else time.perf_counter() + budget_s
        self._close(budget_s)
        self._show_closed(until)
        return self._empty()

    def behind(self) -> int:
        """Closed steps not yet evaluated (0 when caught up)."""
        return self.agenda.behind() + self.late.behind()

    def pending(self) -> list[Touched]:
        """Spans that late readings touched beyond the reach of the sums, oldest first: a `Restater` restates them."""
        return list(self.late.pending)

    def finish(self) -> Changes:
        """The clock passes every grace: everything becomes final (the end of a readings file)."""
        if self._watched and self._second:
            self._observe(self._second)
        self._close(ever=1 << 62)
        stamp = Stamp("final", 0, self.clock)
        for stack in range(len(self._plant.stacks)):
            self._out += Changes(emissions=tuple(self.stacks.finish(stack, stamp)))
        self.marks.finish()
        return self._empty()

    def scratch(self, *, lag_ms: int) -> Engine:
        """An empty engine that tells the same kinds of things, later, by event time."""
        moments: Moments | None = self._moments
        return Engine(self._plant, event_clock=True, steps=self._steps, moments=moments, patience_ms=0, lag_ms=lag_ms)

    # --- what is asked for ------------------------------------------------------------------------

    def at(self, ts: int, energies: list[Energy] | None = None) -> tuple[list[Score], list[Emission]]:
        """The rolling windows that have a step at `ts`, the rolling minute, and the open blocks as they stood then.

        `energies` takes the specific energies of the same windows.
        """
        windows = self.teller.stepping(ts, range(len(self._plant.windows)))
        scores: list[Score] = []
        marks = self.marks.scopes()
        for lifecycle in ("final", "live"):
            scopes = [s for s, mark in enumerate(marks) if (mark >= ts) == (lifecycle == "final")]
            if scopes:
                scores += self.teller.scores(ts, scopes, windows, Stamp(lifecycle, 0, self.clock), energies=energies)
        stamp = Stamp("live", 0, self.clock)
        passed = {
            f"stack:{s.id}" for s, mark in zip(self._plant.stacks, self.marks.stacks(), strict=True) if mark >= ts
        }
        minutes = self.stacks.minute(up(ts, SECOND), stamp)
        minutes = [replace(m, lifecycle="final") if m.scope in passed else m for m in minutes]
        return scores, [*minutes, *self.stacks.blocks(ts, stamp)]

    def live(
        self,
        energies: list[Energy] | None = None,
        *,
        scopes: Sequence[int] | None = None,
        windows: Sequence[int] | None = None,
        stacks: Sequence[int] | None = None,
    ) -> tuple[list[Score], list[Emission]]:
        """The open step: what gauges show now; `energies` takes the specific energies of it.

        Of some `scopes`, `windows` and `stacks` alone (rows of the plant's); None: of all.
        """
        now, plant = self.clock, self._plant
        if not now:
            return [], []
        stamp = Stamp("live", 0, now)
        scopes = range(len(plant.scopes)) if scopes is None else scopes
        scores: list[Score] = []
        windows = range(len(plant.windows)) if windows is None else windows
        if self._degrees.many(scopes):
            self._slide()
        for step in (SECOND, MINUTE, HOUR) if scopes else ():
            here = [w for w in windows if step_of(plant.window_ms[w]) == step]
            if here:
                scores += self.teller.scores(up(now, step), scopes, here, stamp, energies=energies)
        if stacks is not None and not stacks:
            return scores, []
        minutes = self.stacks.minute(up(now, SECOND), stamp, stacks)
        return scores, [*minutes, *self.stacks.blocks(now, stamp, stacks)]

    def board(self) -> Standing:
        """The four degrees of every line over every window, open steps included, as arrays: cheap every second."""
        return self._board.standing(*self._slide(), self._line_scores)

    def sums(
        self, ts: int, windows: Iterable[int] | None = None, channels: Sequence[int] | None = None
    ) -> list[ChannelSum]:
        """Channels over windows (rows; default: all), each window at the end of its step that `ts` lies in."""
        found: list[ChannelSum] = []
        for window in range(len(self._plant.windows)) if windows is None else windows:
            end = up(ts, step_of(self._plant.window_ms[window]))
            found += channel_sums(self._plant, self.rolling, window, end, channels)
        return found

    def why(self, scope: str, degree: str, window: str, at: int | None = None, before: int | None = None) -> Why:
        """The exact split of the degree's change between the windows that end at `before` (default: one window
        earlier) and `at` (default: now). ConfigurationError where there is no such thing, or it is not kept.
        """
        marks = self.marks.scopes()

        def scores(ts: int, row: int, over: int) -> list[Score]:
            return self.teller.scores(ts, [row], [over], Stamp("final" if marks[row] >= ts else "live", 0, self.clock))

        return why(self._plant, self._degrees, scope, degree, window, (self.clock, at, before), scores)

    def alarms(self) -> list[Alarm]:
        """Every alarm's present state."""
        return self._watch.book.alarms()

    def meters(self) -> list[tuple[int | None, bool]]:
        """Of each meter: event time of its newest reading, and whether it is silent now."""
        newest = np.full(len(self._plant.meters), NEVER, np.int64)
        np.maximum.at(newest, self.marks.meter_of_channel[self._measured], self.rolling.newest()[self._measured])
        silent = self.marks.silent_meters(self.clock).tolist()
        return [(None if ts == NEVER else ts, quiet) for ts, quiet in zip(newest.tolist(), silent, strict=True)]

    @property
    def plant(self) -> Plant:
        """What it scores."""
        return self._plant

    @property
    def clock(self) -> int:
        """The newest receive time (history: the greatest event time) seen; 0 before the first."""
        return self.marks.clock

    @property
    def counts(self) -> dict[str, int]:
        """Readings that changed nothing or came too late, since the beginning."""
        return {
            "duplicates": self.rolling.duplicates,
            "beyond_grace": self.marks.beyond_grace,
            "beyond_horizon": self.rolling.late,
        }

    # --- state ------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Everything needed to go on from here, bit-identical; versioned and checksummed by the caller.

        Ask `advance` for what became known before: it is not part of the state. Moments asked for are not either.
        """
        return b"".join(self.state())

    def state(self) -> list[Buffer]:
        """`snapshot` in pieces that are the engine's own memory: to be used before anything else is asked of it."""
        meta = {
            "format": FORMAT,
            "version": self._plant.version,
            "shape": self._shape,
            "second": self._second,
            "shown": self._shown,
            "marks": self.marks.snapshot(),
            "agenda": self.agenda.snapshot(),
            "late": self.late.snapshot(),
            "stacks": self.stacks.snapshot(),
            "alarms": self._watch.book.snapshot(),
        }
        return pack(meta, self.rolling.state())

    @classmethod
    def restore(cls, plant: Plant, state: Buffer, **options: Any) -> Engine:
        """An engine that goes on from `snapshot`; ValueError if the state is of another format, or of a plant of
        another `shape`: a registry with other factors, benchmarks, heads or alarms goes on with the same state.
        """
        meta, arrays = unpack(state)
        if meta.get("format") != FORMAT:
            raise ValueError("the state is of another version of the program")
        if meta["version"] != plant.version and meta["shape"] != shape(plant):  # which takes a large plant seconds
            raise ValueError("the registry has other meters, channels, lines, stacks, windows or grace by now")
        engine = cls(plant, **options)
        engine._shape = meta["shape"]
        engine.rolling.restore(arrays)
        engine._second, engine._shown = meta["second"], meta["shown"]
        engine.marks.restore(meta["marks"])
        engine.agenda.restore(meta["agenda"])
        engine.late.restore(meta["late"])
        engine.stacks.restore(meta["stacks"])
        engine._watch.book.restore(meta["alarms"])
        return engine

    def adopt_alarms(self, state: Buffer) -> None:
        """Alarms as they stand in a snapshot of any plant, as far as they are here too. ValueError if it is none."""
        meta, _ = unpack(state)
        try:
            self._watch.book.restore(meta["alarms"])
        except (KeyError, TypeError) as odd:
            raise ValueError(f"its alarms are those of another version of the program: {odd}") from odd

    # --- inside -----------------------------------------------------------------------------------

    @cached_property
    def _shape(self) -> int:
        return shape(self._plant)  # of every channel: a large plant's takes seconds

    def _take(self, readings: Readings) -> None:
        """Rows in pieces in which the newest event time moves an hour at most: closing keeps up with them."""
        if not len(readings):
            return
        clocks = self.marks.clocks(readings)
        reached = np.maximum.accumulate(readings.ts) // HOUR
        if not self.marks.clock:
            reached[0] -= 1  # by itself: what is older than the first is late, like whatever is older than the clock
        closed = self.marks.newest
        for start, stop in _pieces(reached):
            piece, times = readings.take(slice(start, stop)), clocks[start:stop]
            if self.marks.clock and int(piece.ts[0]) > self.marks.newest + HOUR:
                self.marks.hear(piece.take(slice(0, 1)), times[:1])
                self._close()  # what this row makes due, with the sums as they are: behind a gap, cells are gone
            if self.late.soon(int(times[-1])):  # while what it is made of is kept
                self._close(again=True)
            self.late.note(piece, times)
            if self._watched:
                self._take_by_second(piece, times)
            else:
                self._sum(piece)
            self.agenda.touch(piece)
            self.marks.hear(piece, times)
            if (oldest := self.agenda.oldest()) is not None:
                self.rolling.hold(self.marks.newest - oldest)
            if self.agenda.lags() or (self._plant.stacks and self.marks.newest - closed >= UNCLOSED):
                self._close()
                closed = self.marks.newest
        self._look()

    def _take_by_second(self, readings: Readings, clocks: I64) -> None:
        """Rows second by second of the clock: when one is over, the alarms look at it."""
        for start, stop in _pieces(clocks // SECOND):
            second = int(clocks[start]) // SECOND * SECOND
            if second > self._second:
                if self._second:
                    self._observe(self._second)
                self._second = second
            self._sum(readings.take(slice(start, stop)))

    def _sum(self, readings: Readings) -> None:
        self.rolling.push(readings)
        self.stacks.push(readings)

    def _look(self) -> None:
        """Let the alarms look at the second that is over, if one is."""
        second = self.clock // SECOND * SECOND
        if self._watched and second > self._second:
            if self._second:
                self._observe(self._second)
            self._second = second

    def _observe(self, ts: int) -> None:
        self._out += Changes(alarms=tuple(self._watch.look(ts, self.teller.stale(ts))))

    def _close(self, budget_s: float | None = None, *, ever: int | None = None, again: bool = False) -> None:
        """Tell what is final at the watermarks (or at `ever`), oldest first, then what changed, for `budget_s`; with
        `again` whether or not more may come.
        """
        whole = budget_s is None
        until = math.inf if budget_s is None else time.perf_counter() + budget_s
        stamp = Stamp("final", 0, self.clock)
        found: list[Changes] = []
        self.late.look(due=bool(self._plant.stacks) or self.agenda.next(ever) is not None)
        while budget_s != 0 and (due := self.agenda.next(ever)):
            found.append(self.agenda.tell(*due, stamp, whole=whole))
            if time.perf_counter() >= until:
                break
        if ever is None:
            for stack, mark in enumerate(self.marks.stacks()):
                found.append(Changes(emissions=tuple(self.stacks.close(stack, mark, stamp))))
        if ever is not None or again or self.late.ready():
            restated = Stamp("restated", 0, self.clock)
            while time.perf_counter() < until and (told := self.late.tell(restated, whole=whole)) is not None:
                found.append(told)
        self._out = added([self._out, *found])

    def _slide(self) -> tuple[Slide, list[int]]:
        """The windows of the open step, brought to its ends."""
        ends = [up(self.clock, step_of(ms)) for ms in self._plant.window_ms]
        return self.rolling.slide(self.clock, ends, self._board.asked), ends

    def _line_scores(self, line: int, window: int, ts: int) -> list[Score]:
        scope = next(s.index for s in self._plant.scopes if s.level == "line" and s.lines == (line,))
        return self.teller.scores(ts, [scope], [window], Stamp("live", 0, self.clock))

    def _show_closed(self, until: float) -> None:
        """In live running, the newest step that the clock has closed and the watermarks have not."""
        ts = self.clock // MINUTE * MINUTE
        if not self.marks.event_clock and ts > self._shown and not self.agenda.live_begun:
            self._shown = ts
            self.agenda.begin_live(ts)
        stamp = Stamp("live", 0, self.clock)
        found: list[Changes] = []
        while (told := self.agenda.tell_live(stamp, whole=until == math.inf)) is not None:
            found.append(told)
            if time.perf_counter() >= until:
                break
        self._out = added([self._out, *found])

    def _empty(self) -> Changes:
        changes, self._out = self._out, Changes()
        return changes


def _pieces(labels: I64) -> Iterator[tuple[int, int]]:
    """(start, stop) of each run of equal labels, which ascend."""
    if labels[0] == labels[-1]:  # they ascend
        return iter([(0, len(labels))])
    cuts = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return pairwise(cuts)
