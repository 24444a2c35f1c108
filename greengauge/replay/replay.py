"""`replay`: a readings file through the engine, as the JSON objects of contracts.md, "Readings file".

Time is the file's: receive times where it has them, else the greatest event time so far. By default the closed blocks,
as they become final, and at the end every rolling window's last step. With a period D also what the screens showed
when the clock reached each multiple of D, and once more when the watermark has passed it. Whatever a later row changes
of a final object is said again, restated, with the next revision: the last object of a key is the one that holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from devices.durations import HOUR, SECOND
from devices.plant.model import Plant
from devices.readings import Readings
from greengauge.replay.past import ReplayPast
from scoring.agenda import Moments
from scoring.degrees import DEGREES
from scoring.engine import Engine
from scoring.restate import MemoryTold
from scoring.restate.restater import Restater
from scoring.results import Changes, Energy
from scoring.steps import step_of, up
from scoring.watch import ROLLING

Thing = dict[str, Any]
Key = tuple[Any, ...]

_LATE_RUNS = 200
"""Late rows are taken apart from the others around them, so that they are known when they came; so often in a batch."""


def replay(
    plant: Plant,
    batches: Iterable[Readings],
    *,
    every_ms: int | None = None,
    final: bool = False,
    sums: bool = False,
    known_at: int | None = None,
    why: str | None = None,
    energy: bool = False,
) -> Iterator[Thing]:
    """Score the readings in their order of arrival.

    `every_ms`  also rolling windows, 1-minute emissions and open blocks at its multiples
    `final`     at the end one object a key, its latest revision; nothing live
    `sums`      channel sums instead: at the last step, or final ones at the multiples of `every_ms`
    `known_at`  at the end one object a key, the latest revision that was known by then (ms)
    `energy`    specific energies too
    `why`       why each degree over this window moved, at the end: its last step against one window before
    """
    run = _Replay(plant, every_ms, sums=sums, energy=energy)
    if known_at is None and not final:
        yield from run.things(batches)
    else:
        kept: dict[Key, Thing] = {}
        for thing in run.things(batches):
            if known_at is None or thing.get("known_at", run.clock) <= known_at:
                kept[_key(thing)] = thing
        yield from sorted(kept.values(), key=lambda thing: int(thing["ts"]))
    if why is not None and not sums and run.clock:
        yield from run.why(why)


class _Replay:
    def __init__(self, plant: Plant, every: int | None, *, sums: bool, energy: bool) -> None:
        self._plant, self._every, self._sums, self._energy = plant, every, sums, energy
        moments: Moments | None = None if every is None else "sums" if sums else "scores"
        self._engine = Engine(plant, steps=False, moments=moments, patience_ms=0)
        self._past, self._told = ReplayPast(), MemoryTold()
        self._steps = dict(zip(plant.windows, map(step_of, plant.window_ms), strict=True))
        self._newest: int | None = None
        self._first: int | None = None  # the earliest multiple so far
        self._restated = -(1 << 62)  # the clock when the past was last read

    @property
    def clock(self) -> int:
        """The engine's."""
        return self._engine.clock

    def things(self, batches: Iterable[Readings]) -> Iterator[Thing]:
        """Push everything; what became known, in that order."""
        grace = self._plant.intake.grace_ms
        rows = late_apart(hourly(batches), grace)
        for period in ([HOUR] if self._plant.stacks else []) + ([self._every] if self._every else []):
            rows = closing(rows, period, grace)
        for item in marked(rows, self._every):
            if isinstance(item, int):
                yield from self._moment(item)
                continue
            moves = self._newest is not None and int(item.ts.max()) > self._newest
            if moves and self._engine.pending() and self._engine.clock >= self._restated + HOUR:
                yield from self._restate()
            self._newest = max(int(item.ts.max()), self._newest or int(item.ts[0]))
            self._past.add(item)
            self._engine.push(item)
            self._earlier(item)
            yield from self._said(self._engine.advance())
        if self._newest is None:
            return
        yield from self._restate()
        yield from self._said(self._engine.finish())
        yield from self._restate()
        yield from self._last(self._newest)

    def _restate(self) -> Iterator[Thing]:
        """Read the past for what late rows touched beyond the reach of the sums."""
        while pending := self._engine.pending():
            self._restated = self._engine.clock
            job = Restater(self._engine, pending[0], self._past)
            yield from self._said(job.step())
            yield from self._said(self._engine.advance())

    def _said(self, changes: Changes) -> Iterator[Thing]:
        """What became final or was restated and was not said just so before."""
        new = self._told.settle(changes)
        for one in new.sums:
            yield one.to_json()
        yield from () if self._sums else self._shown(new, self._engine.clock)

    def why(self, window: str) -> Iterator[Thing]:
        """Every degree's change between its last step and one window before."""
        for scope in self._plant.scopes:
            for degree in DEGREES:
                found = self._engine.why(scope.id, degree, window)
                yield found.to_json(self._plant, simulated=self._plant.intake.simulated)

    # --- moments ----------------------------------------------------------------------------------

    def _moment(self, ts: int) -> Iterator[Thing]:
        """What the screens show at `ts`; it is told again when it is final."""
        if not self._sums:
            energies: list[Energy] = []
            scores, emissions = self._engine.at(ts, energies)
            live = Changes(
                scores=tuple(s for s in scores if ts % self._steps[s.window] == 0),
                emissions=tuple(e for e in emissions if e.average != ROLLING or ts % SECOND == 0),
                energies=tuple(e for e in energies if ts % self._steps[e.window] == 0),
            )
            yield from self._shown(self._told.settle(live), ts)
        self._engine.ask(ts)

    def _earlier(self, item: Readings) -> None:
        """Multiples before the first so far, which a late reading reached: not shown, yet each has a final value."""
        every = self._every
        if every is None:
            return
        if self._first is None:
            self._first = up(int(item.ts[0]), every)
        low = up(max(int(item.ts.min()), self._first - self._plant.intake.past_ms), every)  # a stray 1970 asks for none
        for ts in range(self._first - every, low - 1, -every):
            self._engine.ask(ts)
        self._first = min(self._first, low)

    def _last(self, newest: int) -> Iterator[Thing]:
        """Every rolling window at its last step, the smallest that holds the newest reading; or the sums there."""
        if self._sums:
            if self._every is None:
                for one in self._engine.sums(newest):
                    yield one.to_json()
            return
        for ts in sorted({up(newest, step) for step in (SECOND, *self._steps.values())}):
            energies: list[Energy] = []
            scores, emissions = self._engine.at(ts, energies)
            at_end = [s for s in scores if ts == up(newest, self._steps[s.window])]
            minutes = [e for e in emissions if e.average == ROLLING and ts == up(newest, SECOND)]
            yield from self._said(
                Changes(
                    scores=tuple(replace(s, lifecycle="final") for s in at_end),
                    emissions=tuple(replace(e, lifecycle="final") for e in minutes),
                    energies=tuple(
                        replace(e, lifecycle="final") for e in energies if ts == up(newest, self._steps[e.window])
                    ),
                )
            )

    def _shown(self, changes: Changes, now: int) -> Iterator[Thing]:
        simulated = self._plant.intake.simulated
        for score in changes.scores:
            yield score.to_json(now, simulated=simulated)
        for energy in changes.energies if self._energy else ():
            yield energy.to_json(now, simulated=simulated)
        for emission in changes.emissions:
            yield emission.to_json(now, simulated=simulated)


def hourly(batches: Iterable[Readings]) -> Iterator[Readings]:
    """The readings in pieces during which the clock moves at most an hour, so that closing never lags behind."""
    clock = -(2**63)
    for batch in batches:
        if not len(batch):
            continue
        reached = np.maximum(np.maximum.accumulate(batch.ts), clock)
        cuts = [0, *(np.flatnonzero(np.diff(reached // HOUR)) + 1).tolist(), len(batch)]
        for start, stop in pairwise(cuts):
            yield batch.take(slice(start, stop))
        clock = int(reached[-1])


def marked(batches: Iterable[Readings], every: int | None) -> Iterator[Readings | int]:
    """The readings, and between them each multiple of `every` just before the clock passes it.

    From the first multiple at or after the first ts through the first at or after the greatest.
    """
    clock = due = None
    for batch in batches:
        reached = np.maximum.accumulate(batch.ts)
        if clock is not None:
            reached = np.maximum(reached, clock)
        start = 0
        if every is not None:
            due = up(int(reached[0]), every) if due is None else due
            while (cut := int(np.searchsorted(reached, due, side="right"))) < len(batch):
                if cut > start:
                    yield batch.take(slice(start, cut))
                    start = cut
                yield due
                due += every
        if start < len(batch):
            yield batch.take(slice(start, len(batch)))
        clock = int(reached[-1])
    if due is not None:
        yield due


def closing(batches: Iterable[Readings], period: int, grace_ms: int) -> Iterator[Readings]:
    """The readings in pieces that end where the clock less grace passes a multiple of a period: it is final then."""
    clock = -(2**63) + grace_ms
    for batch in batches:
        reached = np.maximum(np.maximum.accumulate(batch.ts), clock)
        passed = np.flatnonzero(np.diff((reached - grace_ms) // period, prepend=(clock - grace_ms) // period)) + 1
        clock = int(reached[-1])
        for start, stop in pairwise([0, *passed[passed < len(batch)].tolist(), len(batch)]):
            yield batch.take(slice(start, stop))


def late_apart(batches: Iterable[Readings], grace_ms: int) -> Iterator[Readings]:
    """The readings with rows later than grace in pieces of their own."""
    clock = -(1 << 62)
    for batch in batches:
        reached = np.maximum(np.maximum.accumulate(batch.ts), clock)
        clock = int(reached[-1])
        cuts = np.flatnonzero(np.diff((reached - batch.ts > grace_ms).astype(np.int8))) + 1
        if not 0 < len(cuts) <= _LATE_RUNS:
            yield batch
            continue
        for start, stop in pairwise([0, *cuts.tolist(), len(batch)]):
            yield batch.take(slice(start, stop))


def _key(thing: Thing) -> Key:
    names = ("meter", "channel", "scope", "degree", "energy", "product", "pollutant", "window", "average", "ts")
    return tuple(thing.get(name) for name in names)
