"""`Showing`: which gauges are made anew, and when.

A reading of a quiet line is shown at once, with every scope above it. What is busy is shown in *rounds*, one a second:
all scopes together, because what they share is then asked once, and one window after another between two slices of
other work. Windows slide while nothing comes, so a round takes in whatever was not shown for a while.

Neither way takes more than one part in `SHARE` of a core, however large the plant or long the backlog.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from devices.plant.model import Plant
from devices.readings import I32, I64, Readings
from scoring.engine import Engine
from scoring.results import Alarm, Emission, Score
from scoring.windows.rules import root

ROUND_S = 1.0
QUIET_S = 1.2
"""Silent for so long, a scope is shown at once. A little more than a second: lines that report each second keep to the
rounds."""
SLIDE_S = 5.0
"""What nothing came for is shown again after so long."""
FEW = 12
"""No more scopes are shown at once."""
SHARE = 10
"""… of which one goes into showing."""
PIECE_S = 0.02
"""So long is a round gone on with at a time: a small plant's is done at once, whatever else is worked at."""


@dataclass(slots=True)
class Shown:
    """What is true now of some scopes."""

    clock: int
    scores: list[Score] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    meters: Sequence[tuple[int | None, bool]] | None = None  # as `Engine.meters`; at the end of a round
    unread: int = 0  # bytes of log that had still to be read when the round began


@dataclass(slots=True)
class _Round:
    """A round that is on its way: what is still to be looked at."""

    begun: float
    scopes: list[int]
    stacks: list[int]
    windows: list[int]
    unread: int
    scores: list[Score] = field(default_factory=list)
    took: float = 0.0


class Showing:
    """Belongs to the engine's thread, all of it."""

    def __init__(
        self,
        plant: Plant,
        engine: Engine,
        *,
        now: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] = time.thread_time,
    ) -> None:
        """`now` and `spent` are clocks in s: the time, and what this thread took of it."""
        self._plant, self._engine, self._now, self._spent = plant, engine, now, spent
        self._links = _Links(plant, engine)
        self._scopes = len(plant.scopes)
        rows = self._scopes + len(plant.stacks)  # scopes, then stacks
        self._shown = np.full(rows, -np.inf)
        self._heard = np.full(rows, -np.inf)
        self._waits = np.zeros(rows, np.bool_)  # something came since it was last shown
        self._quiet = np.zeros(rows, np.bool_)  # … after a silence
        self._first = True  # alarms that stand are there with the first gauge
        self._round: _Round | None = None
        self._next_round = self._next_few = 0.0

    def hear(self, readings: Readings) -> None:
        """These readings were pushed."""
        now = self._now()
        rows = self._links.rows(readings.channel)
        self._quiet[rows] |= now - self._heard[rows] >= QUIET_S
        self._heard[rows] = now
        self._waits[rows] = True

    def look(self, *, alarmed: bool, unread: int = 0) -> Shown | None:
        """What is to be shown now, if anything is: one piece of the work that is due. Alarms that moved are shown.

        `unread`: bytes of log that are still to be read.
        """
        now, begun = self._now(), self._spent()
        if self._round is None and now >= self._next_round:
            self._begin(now, unread)
        shown = None
        if now >= self._next_few and len(few := self._few()):
            shown = self._take(few, now)
            self._next_few = now + SHARE * (self._spent() - begun)
        elif (round_ := self._round) is not None:
            while shown is None and self._spent() - begun < PIECE_S:
                shown = self._go_on(round_)
            round_.took += self._spent() - begun
            self._next_round = round_.begun + max(ROUND_S, SHARE * round_.took)
        first, self._first = self._first and shown is not None, self._first and shown is None
        if (alarmed or first) and (shown is None or not shown.alarms):
            shown = shown or Shown(self._engine.clock)
            shown.alarms = self._engine.alarms()
        return shown

    def rest(self) -> float:
        """For how many seconds there is nothing to be looked at, if nothing comes."""
        if self._round is not None:
            return 0.0
        due = self._next_round
        if self._quiet.any():
            due = min(due, self._next_few)
        return max(0.0, due - self._now())

    # --- inside -----------------------------------------------------------------------------------

    def _few(self) -> I64:
        """The quiet ones that something came for, those not shown for longest."""
        rows = np.flatnonzero(self._quiet)
        return rows[np.argsort(self._shown[rows], kind="stable")][:FEW]

    def _take(self, rows: I64, now: float) -> Shown:
        scopes, stacks = self._told(rows, now)
        scores, emissions = self._engine.live(scopes=scopes, stacks=stacks)
        self._waits[rows] = self._round is not None  # whose end may bring an older look
        return Shown(self._engine.clock, scores, emissions)

    def _begin(self, now: float, unread: int) -> None:
        scopes, stacks = self._told(np.flatnonzero(self._waits | (now - self._shown >= SLIDE_S)), now)
        self._round = _Round(now, scopes, stacks, list(range(len(self._plant.windows))) if scopes else [], unread)

    def _go_on(self, round_: _Round) -> Shown | None:
        """One window more; at the end all of it, with what is looked at once a second."""
        engine = self._engine
        if round_.windows:
            window = round_.windows.pop()
            round_.scores += engine.live(scopes=round_.scopes, windows=[window], stacks=[])[0]
            return None
        self._round = None
        _, emissions = engine.live(scopes=[], stacks=round_.stacks)
        return Shown(engine.clock, round_.scores, emissions, engine.alarms(), engine.meters(), round_.unread)

    def _told(self, rows: I64, now: float) -> tuple[list[int], list[int]]:
        """Note that these are shown; which of them are scopes, and which stacks."""
        self._shown[rows] = now
        self._waits[rows] = self._quiet[rows] = False
        stacks = rows[rows >= self._scopes] - self._scopes
        return rows[rows < self._scopes].tolist(), stacks.tolist()


class _Links:
    """Which rows (scopes, then stacks) a channel's readings touch."""

    def __init__(self, plant: Plant, engine: Engine) -> None:
        self._place = place = engine.marks.place_of_meter[engine.marks.meter_of_channel]
        stacks = len(plant.scopes) + np.arange(len(plant.stacks))
        self._rows: list[list[int]] = [*([] for _ in plant.lines), *([stack] for stack in stacks.tolist())]
        for scope in plant.scopes:
            for line in scope.lines:
                self._rows[line].append(scope.index)
        self._more: dict[int, set[int]] = {}  # of channels that touch more than their own line or stack
        for channel, touched in engine.stacks.touching().items():
            self._add(channel, place[channel], stacks[touched].tolist())
        for c in plant.channels:
            if c.source is not None:
                measured, _ = root(plant, c.index)
                self._add(measured, place[measured], self._rows[place[c.index]])
        self._special = np.zeros(len(plant.channels), np.bool_)
        self._special[list(self._more)] = True

    def rows(self, channels: I32) -> I64:
        """All that readings of these channels touch."""
        found: set[int] = set()
        for place in np.unique(self._place[channels]).tolist():
            found.update(self._rows[place])
        for channel in np.unique(channels[self._special[channels]]).tolist():
            found.update(self._more[channel])
        return np.fromiter(found, np.int64, len(found))

    def _add(self, channel: int, place: int, rows: list[int]) -> None:
        if more := set(rows).difference(self._rows[place]):
            self._more.setdefault(channel, set()).update(more)
