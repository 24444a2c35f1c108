"""`replay`: a readings file through the engine, as the JSON objects of contracts.md, "Readings file".

The clock is event time: the greatest ts so far. By default the closed blocks, as they become final or are
restated, and at the end every rolling window's last step. With a period D also what the screens showed when
the clock reached each multiple of D, and once more where the final value turned out different: the last
object of a key is the final one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from devices.durations import DAY, HOUR, MINUTE, SECOND
from devices.plant.model import Plant
from devices.readings import Readings
from scoring.degrees import DEGREES
from scoring.engine import Engine
from scoring.results import Changes, ChannelSum, Emission, Score
from scoring.steps import step_of, up
from scoring.watch import ROLLING

Thing = dict[str, Any]
_TOLD_APART = frozenset(("lifecycle", "revision", "known_at", "stale", "age"))  # differ while the value stands


def replay(
    plant: Plant,
    batches: Iterable[Readings],
    *,
    every_ms: int | None = None,
    final: bool = False,
    sums: bool = False,
    why: str | None = None,
    engine: Engine | None = None,
) -> Iterator[Thing]:
    """Score the readings in their order of arrival.

    `every_ms`  also rolling windows, 1-minute emissions and open blocks at its multiples
    `final`     at the end one object a key, its latest revision; nothing live
    `sums`      channel sums instead: at the last step, or final ones at the multiples of `every_ms`
    `why`       why each degree over this window moved, at the end: its last step against one window before
    """
    run = _Replay(plant, engine or Engine(plant, event_clock=True, steps=False))
    closed: dict[tuple[Any, ...], Thing] = {}
    for things in run.pass_through(batches, every_ms, sums=sums):
        for thing in things:
            if final and "pollutant" in thing:
                closed[thing["scope"], thing["pollutant"], thing["average"], thing["ts"]] = thing
            elif not final:
                yield thing
    yield from sorted(closed.values(), key=lambda thing: int(thing["ts"]))
    if run.newest is None or (sums and every_ms is not None):
        return
    yield from run.last_sums(run.newest) if sums else run.last_steps(run.newest)
    if why is not None and not sums:
        yield from run.why(why)


@dataclass(slots=True)
class _Shown:
    """A moment that was shown live and is looked at again when it is final."""

    ts: int
    things: dict[tuple[str, ...], str]  # key → what was shown


class _Replay:
    def __init__(self, plant: Plant, engine: Engine) -> None:
        self._plant, self._engine, self._simulated = plant, engine, plant.intake.simulated
        self._steps = dict(zip(plant.windows, map(step_of, plant.window_ms), strict=True))
        self._shown: tuple[deque[_Shown], ...] = (deque(), deque())  # on the minute, and off it
        slowest = max([SECOND, *(meter.every_ms for meter in plant.meters)])
        self._settled = plant.intake.grace_ms + max(10 * SECOND, 3 * slowest)  # by then every watermark has passed
        self.newest: int | None = None
        self._first: int | None = None  # the earliest multiple so far

    def pass_through(self, batches: Iterable[Readings], every: int | None, *, sums: bool) -> Iterator[Iterable[Thing]]:
        """Push everything; what became known, step by step."""
        for item in marked(hourly(batches), every):
            if isinstance(item, Readings):
                self.newest = max(int(item.ts.max()), self.newest or int(item.ts[0]))
                self._engine.push(item)
                self._earlier(item, every)
                yield self._closed(self._engine.advance(), sums=sums)
            else:
                yield self._live(item, sums=sums)
                yield from self._again(item, sums=sums, end=False)
        if self.newest is not None:
            yield self._closed(self._engine.finish(), sums=sums)
            yield from self._again(self.newest, sums=sums, end=True)

    def last_steps(self, newest: int) -> Iterator[Thing]:
        """Every rolling window at its last step: the smallest that holds the newest reading."""
        for ts in sorted({up(newest, step) for step in (SECOND, *self._steps.values())}):
            for thing in self._rolling(ts):
                if ts == up(newest, self._step(thing)):
                    yield self._json(thing, self._engine.clock)

    def last_sums(self, newest: int) -> Iterator[Thing]:
        """The same of the channels' sums."""
        return (s.to_json() for s in self._engine.sums(newest))

    def why(self, window: str) -> Iterator[Thing]:
        """Every degree's change between its last step and one window before."""
        for scope in self._plant.scopes:
            for degree in DEGREES:
                yield self._engine.why(scope.id, degree, window).to_json(self._plant, simulated=self._simulated)

    def _earlier(self, item: Readings, every: int | None) -> None:
        """Multiples before the first so far, which a late reading reached: not shown, yet each has a final value."""
        if every is None:
            return
        if self._first is None:
            self._first = up(int(item.ts[0]), every)
        low = up(max(int(item.ts.min()), self._first - self._plant.intake.past_ms), every)  # a stray 1970 asks for none
        for ts in range(self._first - every, low - 1, -every):
            self._shown[ts % MINUTE != 0].appendleft(_Shown(ts, {}))
        self._first = min(self._first, low)

    # --- what became known ------------------------------------------------------------------------

    def _closed(self, changes: Changes, *, sums: bool) -> Iterator[Thing]:
        """The blocks that became final or were restated."""
        for emission in () if sums else changes.emissions:
            if emission.average != ROLLING and emission.lifecycle != "live":
                yield self._json(emission, self._engine.clock)

    def _live(self, ts: int, *, sums: bool) -> Iterator[Thing]:
        """What the screens show at `ts`."""
        shown = _Shown(ts, {})
        self._shown[ts % MINUTE != 0].append(shown)
        if sums:
            return
        for thing in self._at(ts):
            body = self._json(thing, ts)
            if _is_rolling(thing):
                shown.things[_key(thing)] = _text(body)
            yield body

    def _again(self, now: int, *, sums: bool, end: bool) -> Iterator[Iterator[Thing]]:
        """Moments that are final by now: a day later, so that late readings are in; off the minute, after grace."""
        for waiting, wait in zip(self._shown, (max(DAY, self._settled), self._settled), strict=True):
            while waiting and (end or now >= waiting[0].ts + wait):
                shown = waiting.popleft()
                yield self._final_sums(shown.ts) if sums else self._final(shown)

    def _final(self, shown: _Shown) -> Iterator[Thing]:
        for thing in self._rolling(shown.ts):
            body = self._json(thing, self._engine.clock)
            if shown.things.get(_key(thing)) != _text(body):
                yield body

    def _final_sums(self, ts: int) -> Iterator[Thing]:
        return (s.to_json() for s in self._engine.sums(ts) if ts % self._step(s) == 0)

    # --- one moment -------------------------------------------------------------------------------

    def _at(self, ts: int) -> Iterator[Score | Emission]:
        scores, emissions = self._engine.at(ts)
        things: list[Score | Emission] = [*scores, *emissions]
        for thing in things:
            if not _is_rolling(thing) or ts % self._step(thing) == 0:
                yield thing

    def _rolling(self, ts: int) -> Iterator[Score | Emission]:
        return (thing for thing in self._at(ts) if _is_rolling(thing))

    def _step(self, thing: Score | Emission | ChannelSum) -> int:
        return SECOND if isinstance(thing, Emission) else self._steps[thing.window]

    def _json(self, thing: Score | Emission, now: int) -> Thing:
        return thing.to_json(now, simulated=self._simulated)


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


def _is_rolling(thing: Score | Emission) -> bool:
    return isinstance(thing, Score) or thing.average == ROLLING


def _key(thing: Score | Emission) -> tuple[str, ...]:
    if isinstance(thing, Score):
        return thing.scope, thing.degree, thing.window
    return thing.scope, thing.pollutant, thing.average


def _text(body: Thing) -> str:
    return repr([value for name, value in body.items() if name not in _TOLD_APART])
