"""`Late`: what late readings touch, and telling it again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from devices.durations import MINUTE, SECOND
from devices.plant.model import Plant
from devices.readings import I64, Readings
from scoring.agenda import Agenda
from scoring.restate.past import Touched, merged
from scoring.restate.touches import Touches
from scoring.results import Changes
from scoring.stacks import Stacks
from scoring.stamp import Stamp
from scoring.teller import Teller
from scoring.watermarks import NEVER, Watermarks
from scoring.windows.rolling import Rolling
from scoring.windows.sums import CoverageGroup

PATIENCE = 5 * SECOND
_LONGEST = 12
"""So many times the patience at most, while late readings go on coming."""
_MOST_MISSED = 200_000
"""Readings that are kept for a restater which waits for its past."""


class Late:
    """Keeps what is to be told again: from the sums where they reach, else `pending` until the past is read."""

    def __init__(
        self,
        plant: Plant,
        rolling: Rolling,
        stacks: Stacks,
        marks: Watermarks,
        agenda: Agenda,
        teller: Teller,
        groups: tuple[CoverageGroup, ...],
        patience_ms: int,
    ) -> None:
        self._rolling, self._stacks, self._marks, self._agenda = rolling, stacks, marks, agenda
        self._reads = teller.reads
        self._touches = Touches(plant, rolling, groups)
        self._patience = patience_ms
        self._since = self._newest = 0  # clock when the first and the last of what waits was touched
        self._known = self._watermark()  # before the newest rows: nothing after it was told before they came
        self._looked = 0  # minute of the clock
        self._heard, self._rests = 0, False  # when the last rows were received; whether none came for long since
        self._blocks: list[Touched] = []  # closed blocks to tell again, each span of one stack
        self.pending: list[Touched] = []
        self.running: list[Touched] = []  # taken by a restater that is not done
        self._read_to = NEVER  # event time to which that has read the past
        self._missed: list[Readings] | None = []  # what came since and is no later; None: too much of it

    def note(self, readings: Readings, clocks: I64) -> None:
        """Rows are about to come in."""
        self._known = self._watermark()
        self._heard, self._rests = max(self._heard, int(readings.received[-1])), False
        if int(readings.ts.min()) <= self._marks.furthest:
            self._touches.note(readings, clocks, self._marks.of_rows(readings))
        if self.running and self._missed is not None and (rows := readings.ts <= self._read_to).any():
            self._missed.append(readings.take(rows))
            if sum(map(len, self._missed)) > _MOST_MISSED:
                self._missed = None

    def pass_time(self, received: int) -> None:
        """No rows came up to then. A clock of the readings' own times stands still meanwhile: nothing else would ever
        tell what the last of them touched.
        """
        self._rests = received - self._heard >= self._patience

    def look(self, *, due: bool) -> None:
        """See what changed since the last time, before anything that is `due` is told.

        To see it all cells are brought up to date. So where nothing is due and no row came late it is put off, to the
        clock's next minute at most: a slow counter's reading changes sums that were told, and is not late itself.
        """
        minute = self._marks.clock // MINUTE
        if not due and minute == self._looked and not self._touches.any_late:
            return
        self._looked = minute
        sure, lost = self._touches.take(self._rolling.changed(), self._known, self._watermark())
        again = False
        for span in merged(sure, near=0):
            reach = self._rolling.reach()
            if all(self._stacks.reopenable(s, span.start, reach) for s in span.stacks) and self._agenda.reachable(
                span, reach
            ):
                again |= self._agenda.mark(span)
                for stack in sorted(span.stacks):
                    again |= self._reopen(span, stack)
            else:
                lost.append(span)
        if lost:
            self.pending = merged([*self.pending, *lost])
        if again:
            clock = self._marks.clock
            self._since, self._newest = self._since or clock, clock

    def ready(self) -> bool:
        """Whether it is time to tell it again: no more late readings came for a while, or it has waited long."""
        if not self._since:
            return False
        clock, most = self._marks.clock, _LONGEST * self._patience
        return self._rests or clock - self._newest >= self._patience or clock - self._since >= most

    def soon(self, clock: int) -> bool:
        """Whether closed blocks are to be told again by the time the clock shows that."""
        return bool(self._blocks) and clock - self._newest >= self._patience

    def behind(self) -> int:
        """What is to be told again now."""
        return sum(len(kind.again) for kind in self._agenda.kinds) + len(self._blocks) if self.ready() else 0

    def tell(self, stamp: Stamp, *, whole: bool) -> Changes | None:
        """Tell the next of it again, of a step (not `whole`) a piece; None if there is nothing more."""
        if self._blocks:
            span = self._blocks.pop(0)
            reach = self._rolling.reach()  # single readings are not kept for long: they may be gone since it was marked
            if not all(self._stacks.reopenable(s, span.start, reach) for s in span.stacks):
                self.pending = merged([*self.pending, span])
                return Changes()
            found = [e for s in sorted(span.stacks) for e in self._stacks.reopen(s, span.start, span.end, stamp)]
            return self._reads.because(Changes(emissions=tuple(found)), span.causes)
        told = self._agenda.tell_again(stamp, whole=whole)
        if told is None:
            self._since = self._newest = 0
        return told

    def take(self, span: Touched) -> None:
        """A restater begins with this span."""
        if span in self.pending:
            self.pending.remove(span)
        self.running.append(span)

    def read_to(self, ts: int) -> None:
        """A restater has read the past up to this event time; what comes from now on and is no later it has missed."""
        self._read_to = ts

    def missed(self) -> list[Readings] | None:
        """What the restater missed since it asked before; None: so much that it has to begin anew."""
        found, self._missed = self._missed, []
        return found

    def settle(self, given: Touched, span: Touched, since: int) -> None:
        """A restater has made the sums of the span right, and told what had been told before `since` (event time)."""
        self.running.remove(given)
        self._read_to = NEVER
        if self._agenda.mark(replace(span, start=max(span.start, since))):
            self._since = self._newest = max(1, self._marks.clock - self._patience)

    def snapshot(self) -> dict[str, Any]:
        """Plain JSON; what a restater has in hand is pending again."""
        return {
            "touches": self._touches.snapshot(),
            "looked": self._looked,
            "heard": self._heard,
            "since": self._since,
            "newest": self._newest,
            "blocks": [span.to_json() for span in self._blocks],
            "pending": [span.to_json() for span in merged([*self.pending, *self.running])],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `snapshot`."""
        self._touches.restore(state["touches"])
        self._known = self._watermark()
        self._looked, self._since, self._newest = state["looked"], state["since"], state["newest"]
        self._heard = state["heard"]
        self._blocks = [Touched.from_json(span) for span in state["blocks"]]
        self.pending = [Touched.from_json(span) for span in state["pending"]]

    def _reopen(self, span: Touched, stack: int) -> bool:
        """Closed blocks of a stack that the span touches are to be told again; whether there are any. Those that are
        closed after this are right when they are told.
        """
        closed = self._stacks.closed(stack)
        if span.start > closed:
            return False
        touched = replace(span, end=min(span.end, closed), lines=frozenset(), stacks=frozenset((stack,)))
        mine = [block for block in self._blocks if stack in block.stacks]
        others = [block for block in self._blocks if stack not in block.stacks]
        self._blocks = [*others, *merged([*mine, touched], near=0)]
        return True

    def _watermark(self) -> int:
        return max([*self._marks.scopes(), *self._marks.places()], default=0)
