"""`Engine`: readings in; scores, emissions and alarms out. Time enters as readings, receive times and ticks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from devices.durations import DAY, HOUR, MINUTE, SECOND
from devices.plant.model import Plant
from devices.readings import I64, Readings
from scoring.channel_sums import channel_sums
from scoring.degrees import Degrees, coverage_groups
from scoring.results import Alarm, AlarmEvent, Changes, ChannelSum, Emission, Score
from scoring.stacks import Stacks
from scoring.stamp import Stamp
from scoring.state import pack, unpack
from scoring.steps import Steps, step_of, stored_step_of, up
from scoring.watch import ROLLING, Watch
from scoring.watermarks import Watermarks
from scoring.why import Why, why
from scoring.windows.rolling import Rolling

FORMAT = 2
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


class Engine:
    """The scoring engine behind every output. Not thread-safe: one owner at a time.

    `event_clock`  the clock is the greatest event time (default: where the plant says `history`), not the receive time
    `steps`        tell closed steps of the rolling windows; without them alarms are not watched either
    """

    def __init__(self, plant: Plant, *, event_clock: bool | None = None, steps: bool = True) -> None:
        self._plant = plant
        groups = coverage_groups(plant)
        self._rolling = Rolling(plant, groups)
        self._degrees = Degrees(plant, self._rolling, groups)
        self._stacks = Stacks(plant, self._rolling)
        self._watch = Watch(plant, self._degrees, self._stacks)
        self._marks = Watermarks(plant, event_clock=plant.intake.history if event_clock is None else event_clock)
        self._told_steps = steps
        self._watched = steps and not self._watch.idle
        self._second = 0  # the second of the clock that the alarms will look at when it is over
        self._shown = 0  # newest step told live
        self._minutes, self._hours, self._stack_minutes = Steps(MINUTE), Steps(HOUR), Steps(MINUTE)
        self._out = _Outbox()

        self._windows = {
            step: [w for w, ms in enumerate(plant.window_ms) if stored_step_of(ms) == step] for step in (MINUTE, HOUR)
        }
        self._scopes_of_line = [[s.index for s in plant.scopes if line.index in s.lines] for line in plant.lines]
        self._delays = _delays(plant)
        meters = self._marks.meter_of_channel
        self._needs = {(g.line, g.degree): sorted({int(meters[c]) for c in g.channels}) for g in groups}

    # --- what comes in ----------------------------------------------------------------------------

    def push(self, readings: Readings, closes: Iterable[LineClose] = ()) -> None:
        """Take a batch in log order: readings, then what their receive times make due (alarms)."""
        start = 0
        for close in sorted(closes, key=lambda c: c.row):
            self._take(readings.take(slice(start, close.row)))
            start = close.row
            self.tick(close.received)
            self._marks.close(close.meter)
        self._take(readings.take(slice(start, len(readings))) if start else readings)

    def tick(self, received: int) -> None:
        """Time passed without readings."""
        self._marks.pass_time(received)
        self._look()

    def command(self, command: Command) -> None:
        """Apply an operator's command; ValueError with a sentence for people if it does not fit the alarm's state."""
        self.tick(command.received)
        c = command
        self._out.alarms += self._watch.book.command(c.received, c.scope, c.id, c.do, c.user, c.comment, c.for_ms)

    # --- what becomes known -----------------------------------------------------------------------

    def advance(self, budget_s: float | None = None) -> Changes:
        """Close the steps and blocks that are due, oldest first, for at most `budget_s`; what became known."""
        until = None if budget_s is None else time.perf_counter() + budget_s
        self._close(self._marks.scopes(), self._marks.stacks(), until)
        self._show_closed()
        return self._out.empty()

    def behind(self) -> int:
        """Closed steps not yet evaluated (0 when caught up)."""
        scopes, stacks = self._marks.scopes(), self._marks.stacks()
        return self._minutes.count(scopes) + self._hours.count(scopes) + self._stack_minutes.count(stacks)

    def finish(self) -> Changes:
        """The clock passes every grace: everything becomes final (the end of a readings file)."""
        if self._watched and self._second:
            self._observe(self._second)
        ever = 1 << 62
        self._close([ever] * len(self._plant.scopes), [ever] * len(self._plant.stacks), None, blocks=False)
        for stack in range(len(self._plant.stacks)):
            self._out.emissions += self._stacks.finish(stack, Stamp("final", 0, self.clock))
        self._marks.finish()
        return self._out.empty()

    # --- what is asked for ------------------------------------------------------------------------

    def at(self, ts: int) -> tuple[list[Score], list[Emission]]:
        """The rolling windows that have a step at `ts`, the rolling minute, and the open blocks as they stood then."""
        windows = [w for w, ms in enumerate(self._plant.window_ms) if ts % step_of(ms) == 0]
        scores: list[Score] = []
        marks = self._marks.scopes()
        for lifecycle in ("final", "live"):
            scopes = [s for s, mark in enumerate(marks) if (mark >= ts) == (lifecycle == "final")]
            if scopes:
                scores += self._scores(ts, scopes, windows, Stamp(lifecycle, 0, self.clock))
        stamp = Stamp("live", 0, self.clock)
        passed = {
            f"stack:{s.id}" for s, mark in zip(self._plant.stacks, self._marks.stacks(), strict=True) if mark >= ts
        }
        minutes = self._stacks.minute(up(ts, SECOND), stamp)
        minutes = [replace(m, lifecycle="final") if m.scope in passed else m for m in minutes]
        return scores, [*minutes, *self._stacks.blocks(ts, stamp)]

    def live(self) -> tuple[list[Score], list[Emission]]:
        """The open step: what gauges show now."""
        now = self.clock
        if not now:
            return [], []
        stamp = Stamp("live", 0, now)
        everything = range(len(self._plant.scopes))
        scores: list[Score] = []
        for step in (SECOND, MINUTE, HOUR):
            windows = [w for w, ms in enumerate(self._plant.window_ms) if step_of(ms) == step]
            if windows:
                scores += self._scores(up(now, step), everything, windows, stamp)
        return scores, [*self._stacks.minute(up(now, SECOND), stamp), *self._stacks.blocks(now, stamp)]

    def sums(self, ts: int) -> list[ChannelSum]:
        """Every channel over every window, each at the end of its step that `ts` lies in."""
        found: list[ChannelSum] = []
        for window, length in enumerate(self._plant.window_ms):
            found += channel_sums(self._plant, self._rolling, window, up(ts, step_of(length)))
        return found

    def why(self, scope: str, degree: str, window: str, at: int | None = None, before: int | None = None) -> Why:
        """The exact split of the degree's change between the windows that end at `before` (default: one window
        earlier) and `at` (default: now). ConfigurationError where there is no such thing, or it is not kept.
        """
        marks = self._marks.scopes()

        def scores(ts: int, row: int, over: int) -> list[Score]:
            return self._scores(ts, [row], [over], Stamp("final" if marks[row] >= ts else "live", 0, self.clock))

        return why(self._plant, self._degrees, scope, degree, window, (self.clock, at, before), scores)

    def alarms(self) -> list[Alarm]:
        """Every alarm's present state."""
        return self._watch.book.alarms()

    def meters(self) -> list[tuple[int | None, bool]]:
        """Of each meter: event time of its newest reading, and whether it is silent now."""
        silent = self._marks.silent_meters(self.clock)
        sent = [
            [self._rolling.last(c) for c in meter.channels if self._plant.channels[c].source is None]
            for meter in self._plant.meters
        ]
        return [
            (max((ts for ts in times if ts is not None), default=None), silent[meter])
            for meter, times in enumerate(sent)
        ]

    @property
    def clock(self) -> int:
        """The newest receive time (history: the greatest event time) seen; 0 before the first."""
        return self._marks.clock

    @property
    def counts(self) -> dict[str, int]:
        """Readings that changed nothing or came too late, since the beginning."""
        return {
            "duplicates": self._rolling.duplicates,
            "beyond_grace": self._marks.beyond_grace,
            "beyond_horizon": self._rolling.late,
        }

    # --- state ------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Everything needed to go on from here, bit-identical; versioned and checksummed by the caller.

        Ask `advance` for what became known before: it is not part of the state.
        """
        meta = {
            "format": FORMAT,
            "plant": self._plant.version,
            "second": self._second,
            "shown": self._shown,
            "marks": self._marks.snapshot(),
            "minutes": self._minutes.snapshot(),
            "hours": self._hours.snapshot(),
            "stack_minutes": self._stack_minutes.snapshot(),
            "stacks": self._stacks.snapshot(),
            "alarms": self._watch.book.snapshot(),
        }
        return pack(meta, self._rolling.snapshot())

    @classmethod
    def restore(cls, plant: Plant, state: bytes, *, event_clock: bool | None = None, steps: bool = True) -> Engine:
        """An engine that goes on from `snapshot`; ValueError if the state is of another plant version or format."""
        meta, arrays = unpack(state)
        if (meta.get("format"), meta.get("plant")) != (FORMAT, plant.version):
            raise ValueError("the state is of another version of the registry or of the program")
        engine = cls(plant, event_clock=event_clock, steps=steps)
        engine._rolling.restore(arrays)
        engine._second, engine._shown = meta["second"], meta["shown"]
        engine._marks.restore(meta["marks"])
        engine._minutes.restore(meta["minutes"])
        engine._hours.restore(meta["hours"])
        engine._stack_minutes.restore(meta["stack_minutes"])
        engine._stacks.restore(meta["stacks"])
        engine._watch.book.restore(meta["alarms"])
        return engine

    # --- inside -----------------------------------------------------------------------------------

    def _take(self, readings: Readings) -> None:
        """Rows in pieces in which the newest event time moves an hour at most: closing keeps up with them."""
        if not len(readings):
            return
        clocks = self._marks.clocks(readings)
        reached = np.maximum.accumulate(readings.ts) // HOUR
        for start, stop in _pieces(reached):
            piece, times = readings.take(slice(start, stop)), clocks[start:stop]
            if self._watched:
                self._take_by_second(piece, times)
            else:
                self._sum(piece)
            if self._told_steps:
                self._touch(piece)
            self._marks.hear(piece, times)
            scopes, stacks = self._marks.scopes(), self._marks.stacks()
            if self._lags(scopes, stacks):
                self._close(scopes, stacks, None)
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
        self._rolling.push(readings)
        self._stacks.push(readings)

    def _look(self) -> None:
        """Let the alarms look at the second that is over, if one is."""
        second = self.clock // SECOND * SECOND
        if self._watched and second > self._second:
            if self._second:
                self._observe(self._second)
            self._second = second

    def _observe(self, ts: int) -> None:
        self._out.alarms += self._watch.look(ts, self._stale(ts))

    def _touch(self, readings: Readings) -> None:
        """Remember in which steps readings came, for which scopes and stacks; what is derived from them comes later."""
        scopes, stacks = self._marks.scopes(), self._marks.stacks()
        places = self._marks.place_of_meter[self._marks.meter_of_channel[readings.channel]]
        for place in np.unique(places).tolist():
            ts = readings.ts[places == place]
            if place >= len(self._plant.lines):
                self._stack_minutes.touch(ts, [place - len(self._plant.lines)], stacks)
                continue
            for delay in self._delays[place]:
                for steps in (self._minutes, self._hours):
                    steps.touch(ts + delay, self._scopes_of_line[place], scopes)

    def _lags(self, scopes: Sequence[int], stacks: Sequence[int]) -> bool:
        """Whether a step that is due is a day behind: cells are not kept for ever."""
        for steps, marks in ((self._minutes, scopes), (self._stack_minutes, stacks)):
            due = steps.due(marks)
            if due and max(marks) - due[0] > DAY:
                return True
        return False

    def _close(self, scopes: Sequence[int], stacks: Sequence[int], until: float | None, *, blocks: bool = True) -> None:
        """Tell what is final at these watermarks, oldest first, until it is late."""
        known = self.clock
        while until is None or time.perf_counter() < until:
            due = [
                (found[0], kind, found[1])
                for kind, (steps, marks) in enumerate(
                    ((self._stack_minutes, stacks), (self._minutes, scopes), (self._hours, scopes))
                )
                if (found := steps.due(marks)) is not None
            ]
            if not due:
                break
            ts, kind, rows = min(due)
            stamp = Stamp("final", 0, known)
            if kind == 0:
                self._out.emissions += self._stack_minute(ts, rows, stamp)
                self._stack_minutes.told(ts, rows)
            else:
                steps = self._minutes if kind == 1 else self._hours
                self._out.scores += self._scores(ts, rows, self._windows[steps.step], stamp, stored=True)
                steps.told(ts, rows)
        for stack, mark in enumerate(stacks if blocks else ()):
            self._out.emissions += self._stacks.close(stack, mark, Stamp("final", 0, known))

    def _show_closed(self) -> None:
        """In live running, the newest step that the clock has closed and the watermarks have not."""
        ts = self.clock // MINUTE * MINUTE
        if self._marks.event_clock or not self._told_steps or ts <= self._shown:
            return
        self._shown = ts
        stamp = Stamp("live", 0, self.clock)
        for steps in (self._minutes, self._hours):
            if rows := steps.touched(ts):
                self._out.scores += self._scores(ts, rows, self._windows[steps.step], stamp, stored=True)
        if rows := self._stack_minutes.touched(ts):
            self._out.emissions += self._stack_minute(ts, rows, stamp)

    def _scores(
        self, ts: int, scopes: Sequence[int], windows: Sequence[int], stamp: Stamp, *, stored: bool = False
    ) -> list[Score]:
        return self._degrees.scores(ts, scopes, windows, stamp, self._stale(ts), stored=stored)

    def _stack_minute(self, ts: int, stacks: Sequence[int], stamp: Stamp) -> list[Emission]:
        wanted = {f"stack:{self._plant.stacks[s].id}" for s in stacks}
        return [e for e in self._stacks.minute(ts, stamp) if e.scope in wanted and e.average == ROLLING]

    def _stale(self, ts: int) -> Callable[[int, str], bool]:
        """Whether a channel that a line's degree requires is silent at `ts`."""
        silent = self._marks.silent_meters(ts)
        table = {need: any(silent[meter] for meter in meters) for need, meters in self._needs.items()}
        return lambda line, degree: table[line, degree]


@dataclass(slots=True)
class _Outbox:
    """What became known and was not asked for yet."""

    scores: list[Score] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    alarms: list[AlarmEvent] = field(default_factory=list)

    def empty(self) -> Changes:
        changes = Changes(tuple(self.scores), tuple(self.emissions), tuple(self.alarms))
        self.scores, self.emissions, self.alarms = [], [], []
        return changes


def _pieces(labels: I64) -> Iterator[tuple[int, int]]:
    """(start, stop) of each run of equal labels."""
    cuts = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return pairwise(cuts)


def _delays(plant: Plant) -> list[list[int]]:
    """For each line, by how much its readings and what is derived from them count later."""
    found = []
    for line in plant.lines:
        channels = (plant.channels[c] for m in line.meters for c in plant.meters[m].channels)
        found.append(sorted({0} | {c.delay_ms for c in channels if c.source is not None}))
    return found
