"""`Showing`: which gauges are made anew, and when.

A reading of a quiet line is shown at once, with every scope above it. What is busy is shown in *rounds*, one a second:
all scopes together, because what they share is then asked once, and one window after another between two slices of
other work. Windows slide while nothing comes, so a round takes in whatever was not shown for a while.

**Each window as often as it can visibly move.** A second changes a sixtieth of the shortest window and nothing that a
person could see of a day. So the shortest is in each round, and a longer one in each `STILL`-th part of its length,
every `SLIDE_S` at the latest: a quarter of an hour each two seconds, an hour and more each five. Their rounds are apart
from each other, so that none is heavy. The first round after a backlog takes in every window: what was shown in the
midst of it is not true, and scoring says "ok" once that round is shown. How old a gauge is does not wait for rounds:
`Live` takes it from the newest look at any window. Alarms and stacks know nothing of it.

Neither way takes more than one part in `SHARE` of a core, however large the plant. While a backlog is worked off
nobody can read what flies by, and each round costs the pages, MQTT and `Live` as much again: then rounds take one part
in `SHARE_BEHIND`, but come each `BEHIND_S` (a small plant's each second all the same: they cost next to nothing).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from devices.plant.model import Plant
from devices.readings import I32, I64, Readings
from greengauge.scorer.log_work import READ_BYTES
from scoring.engine import Engine
from scoring.kinds import MOST
from scoring.results import Alarm, Emission, Score
from scoring.windows.rules import root

ROUND_S = 1.0
QUIET_S = 1.2
"""Silent for so long, a scope is shown at once. A little more than a second: lines that report each second keep to the
rounds. A line that reports so seldom on the whole is shown at once too where the disk or the network brought two of its
readings close together."""
SLIDE_S = 5.0
"""What nothing came for is shown again after so long; and what came is shown over each window within that."""
STILL = 600
"""A window that moved by less than one part of so many looks as it did."""
FEW = 12
"""No more scopes are shown at once."""
SHARE = 10
"""… of which one goes into showing."""
SAVED_S = 1.0
"""So much time that was not used for quiet scopes may be used later: one look that takes long holds up no others."""
SHARE_BEHIND = 100
BEHIND_S = 5.0
BEHIND = 512 << 10
"""Bytes of log still to be read that make a backlog."""
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
    looks: list[tuple[int, int, list[int]]]  # (chunk, window, scopes of that chunk), the next one last
    stacks: list[int]
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
        seconds = np.clip(np.array(plant.window_ms) / 1000 / STILL, ROUND_S, SLIDE_S)
        self._every: list[int] = np.ceil(seconds / ROUND_S).astype(int).tolist()  # rounds, by window
        self._often = int(np.argmin(plant.window_ms))  # stacks go with this window
        self._every[self._often] = 1
        self._due = np.full(len(plant.windows), -np.inf)
        # of each row over each window
        self._shown = np.full((rows, len(plant.windows)), -np.inf)
        self._waits = np.zeros((rows, len(plant.windows)), np.bool_)  # something came since it was last shown
        self._heard = np.full(rows, -np.inf)
        self._pace = np.zeros(rows)  # s between readings, on the whole
        self._quiet = np.zeros(rows, np.bool_)  # something came after a silence
        self._first = True  # alarms that stand are there with the first gauge
        self._round: _Round | None = None
        self._began, self._took = -np.inf, 0.0  # of the last round
        self._unread = 0  # bytes of log that had still to be read when it began
        self._next_few = 0.0

    def hear(self, readings: Readings) -> None:
        """These readings were pushed."""
        now = self._now()
        rows = self._links.rows(readings.channel)
        silent = np.minimum(now - self._heard[rows], 2 * QUIET_S)
        self._pace[rows] += (silent - self._pace[rows]) / 4
        self._quiet[rows] |= np.maximum(silent, self._pace[rows]) >= QUIET_S
        self._heard[rows] = now
        self._waits[rows] = True

    def look(self, *, alarmed: bool, unread: int = 0) -> Shown | None:
        """What is to be shown now, if anything is: one piece of the work that is due. Alarms that moved are shown.

        `unread`: bytes of log that are still to be read.
        """
        now, begun = self._now(), self._spent()
        if self._round is None and now >= self._next_round(unread):
            self._begin(now, unread)
        shown = None
        if now >= self._next_few and len(few := self._few()):
            shown = self._take(few, now)
            self._next_few = max(self._next_few, now - SAVED_S) + SHARE * (self._spent() - begun)
        elif (round_ := self._round) is not None:
            while shown is None and self._spent() - begun < PIECE_S:
                shown = self._go_on(round_)
            round_.took += self._spent() - begun
            self._began, self._took = round_.begun, round_.took
        first, self._first = self._first and shown is not None, self._first and shown is None
        if (alarmed or first) and (shown is None or not shown.alarms):
            shown = shown or Shown(self._engine.clock)
            shown.alarms = self._engine.alarms()
        return shown

    def rest(self) -> float:
        """For how many seconds there is nothing to be looked at, if nothing comes."""
        if self._round is not None:
            return 0.0
        due = self._next_round(unread=0)
        if self._quiet.any():
            due = min(due, self._next_few)
        return max(0.0, due - self._now())

    # --- inside -----------------------------------------------------------------------------------

    def _next_round(self, unread: int) -> float:
        pause = max(ROUND_S, SHARE * self._took)
        if unread >= BEHIND:
            pause = max(pause, min(SHARE_BEHIND * self._took, BEHIND_S))
        return self._began + pause

    def _few(self) -> I64:
        """The quiet ones that something came for, those not shown for longest."""
        rows = np.flatnonzero(self._quiet)
        return rows[np.argsort(self._shown[rows, self._often], kind="stable")][:FEW]

    def _take(self, rows: I64, now: float) -> Shown:
        self._shown[rows] = now
        self._waits[rows] = self._quiet[rows] = False
        scopes = rows[rows < self._scopes].tolist()
        scores, emissions = self._engine.live(scopes=scopes, stacks=self._stacks(rows))
        if self._round is not None:  # what it saw of these is older
            ids = {self._plant.scopes[scope].id for scope in scopes}
            self._round.scores = [score for score in self._round.scores if score.scope not in ids]
        return Shown(self._engine.clock, scores, emissions)

    def _begin(self, now: float, unread: int) -> None:
        looks: list[tuple[int, int, list[int]]] = []
        stacks: list[int] = []
        # Quiet ones are looked at by themselves, or, where they are many, here: over all windows.
        many = np.count_nonzero(self._quiet) > FEW
        quiet = self._quiet.copy()
        if self._unread > READ_BYTES >= unread:
            self._due[:] = -np.inf
        self._unread = unread
        for window in range(len(self._due)):
            due = now >= self._due[window]
            slid = now - self._shown[:, window] >= SLIDE_S - ROUND_S / 2
            here = (self._waits[:, window] | slid) & (due & ~quiet | many & quiet)
            rows = np.flatnonzero(here)
            if due:
                self._due[window] = now + self._pause(window)
            self._shown[rows, window] = now
            self._waits[rows, window] = False
            if window == self._often:
                self._quiet[rows] = False
                stacks = self._stacks(rows)
            scopes = rows[rows < self._scopes]
            looks += [(chunk, window, scopes[scopes // MOST == chunk].tolist()) for chunk in np.unique(scopes // MOST)]
        looks.sort()
        self._round = _Round(now, looks, stacks, unread)

    def _pause(self, window: int) -> float:
        """How long until the window's next round, less a half: rounds come a little early or late."""
        every = self._every[window]
        rounds = 1 + window % every if self._due[window] == -np.inf else every  # after the first each goes its own way
        return (rounds - 0.5) * ROUND_S

    def _go_on(self, round_: _Round) -> Shown | None:
        """One window of a chunk more; at the end all of it, with what is looked at once a second.

        A chunk that is done is shown: a large plant's scores are never there twice, nor taken over all at once.
        """
        engine = self._engine
        if round_.looks:
            chunk, window, scopes = round_.looks.pop()
            round_.scores += engine.live(scopes=scopes, windows=[window], stacks=[])[0]
            if not round_.looks or round_.looks[-1][0] == chunk:
                return None
            done, round_.scores = round_.scores, []
            return Shown(engine.clock, done)
        self._round = None
        _, emissions = engine.live(scopes=[], stacks=round_.stacks)
        return Shown(engine.clock, round_.scores, emissions, engine.alarms(), engine.meters(), round_.unread)

    def _stacks(self, rows: I64) -> list[int]:
        found: list[int] = (rows[rows >= self._scopes] - self._scopes).tolist()
        return found


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
        touched = np.zeros(len(self._rows), np.bool_)  # of a backlog's thousands of readings none is sorted
        touched[self._place[channels]] = True
        for place in np.flatnonzero(touched).tolist():
            found.update(self._rows[place])
        for channel in np.unique(channels[self._special[channels]]).tolist():
            found.update(self._more[channel])
        return np.fromiter(found, np.int64, len(found))

    def _add(self, channel: int, place: int, rows: list[int]) -> None:
        if more := set(rows).difference(self._rows[place]):
            self._more.setdefault(channel, set()).update(more)
