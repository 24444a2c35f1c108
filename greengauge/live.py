"""`Live`: what is true now. Written by the scorer, read by the page, the API and MQTT.

Every item remembers the sequence number of its last change, so a reader that saw `n` asks for what
came after `n`: no queue per reader, nothing to overflow, and a slow tab skips what is outdated anyway.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from devices.plant.model import Plant
from scoring.alike import changing
from scoring.results import Alarm, Emission, Score


@dataclass(slots=True)
class _Item:
    seq: int  # of the last change that shows
    thing: Any
    told: int = 0  # of the last change of `last` alone


@dataclass(slots=True)
class _Age:
    """Of a scope's degree, the same over every window: its newest reading, and whether one is missing."""

    last: int | None
    stale: bool
    told: int  # sequence number of the last change of `last`


Key = tuple[str, str, str]
"""(scope, degree, window), or (scope, pollutant, average)."""


class Live:
    """The newest score, emission, alarm of each key, meters' ages and the service's own state."""

    def __init__(self, plant: Plant, *, simulated: bool) -> None:
        self.plant = plant
        self.simulated = simulated
        self.seq = 0
        self.clock = 0  # the engine's clock, ms
        self.progress: dict[str, Any] | None = None  # {"what", "done", "total"} while long work runs
        self._scores: defaultdict[str, dict[Key, _Item]] = defaultdict(dict)  # by scope
        self._emissions: defaultdict[str, dict[Key, _Item]] = defaultdict(dict)
        self._ages: dict[tuple[str, str], _Age] = {}  # (scope, degree)
        self._news: dict[str, int] = {}  # scope -> sequence number of its last change of any kind, oldest first
        self._came: dict[str, int] = {}  # scope -> … of the last that was more than windows that slid
        self._alarms: dict[tuple[str, str], _Item] = {}
        self._meters: dict[str, _Item] = {}
        self._system: dict[str, _Item] = {}
        self.told: dict[str, int] = {}
        """When each part of the service last told its state (ms by the wall): a part that stands still shows."""
        self._changed = asyncio.Event()

    # --- written by the service ---------------------------------------------------------------

    def put_scores(self, scores: Iterable[Score], emissions: Iterable[Emission], alarms: Iterable[Alarm]) -> None:
        """Take the newest state in; only what shows differently counts as a change.

        The newest reading behind a degree, and whether one is missing, is the same over every window: a score also
        tells it of the windows that were not looked at this time.
        """
        self.seq += 1
        for score in scores:
            self._show(self._scores[score.scope], (score.scope, score.degree, score.window), score, _SCORE)
            age = self._ages.get((score.scope, score.degree))
            if age is None:
                self._ages[score.scope, score.degree] = _Age(score.last, score.stale, self.seq)
                continue
            if age.last != score.last:
                age.last, age.told = score.last, self.seq
            if age.stale != score.stale:
                age.stale = score.stale
                self._show_stale(score)
        for emission in emissions:
            key = emission.scope, emission.pollutant, emission.average
            self._show(self._emissions[emission.scope], key, emission, _EMISSION)
        for alarm in alarms:
            self._put(self._alarms, (alarm.scope, alarm.id), alarm)
        self._wake()

    def put_alarms(self, alarms: Iterable[Alarm]) -> None:
        """Take the newest state of some alarms in."""
        self.seq += 1
        for alarm in alarms:
            self._put(self._alarms, (alarm.scope, alarm.id), alarm)
        self._wake()

    def put_meters(self, meters: Mapping[str, Mapping[str, Any]]) -> None:
        """State of each meter: {"last": ms | None, "silent": bool, "scope": …}."""
        self.seq += 1
        for name, state in meters.items():
            self._put(self._meters, name, state)
        self._wake()

    def put_system(self, part: str, state: Mapping[str, Any]) -> None:
        """State of one part of the service ("intake", "store", …), with a "text" for people."""
        self.seq += 1
        self._put(self._system, part, dict(state))
        self.told[part] = time.time_ns() // 1_000_000
        self._wake()

    # --- read by page, API, MQTT --------------------------------------------------------------

    def scores(self, scope: str | None = None) -> list[Score]:
        """The newest score of every degree and window, of one scope or of all."""
        tables = self._scores.values() if scope is None else [self._scores.get(scope, {})]
        return [self._now(item.thing) for items in tables for item in items.values()]

    def emissions(self, stack: str | None = None) -> list[Emission]:
        """The newest emission of every pollutant and average, of one stack or of all."""
        tables = self._emissions.values() if stack is None else [self._emissions.get(stack, {})]
        return [item.thing for items in tables for item in items.values()]

    def of_scope(self, scope: str) -> list[tuple[Score | Emission, int | None]]:
        """The newest of everything of one scope, and the `last` that makes its age now (its own may be older)."""
        scores = (item.thing for item in self._scores.get(scope, {}).values())
        emissions = (item.thing for item in self._emissions.get(scope, {}).values())
        return [*((s, self._ages[scope, s.degree].last) for s in scores), *((e, e.last) for e in emissions)]

    def changed(self, seq: int) -> tuple[dict[str, bool], list[Alarm]]:
        """The scopes of which something shows differently since `seq`, and the alarms that moved.

        True: a reading came, or one is missing; False: nothing but that windows slid.
        """
        scopes = {
            scope: self._came.get(scope, 0) > seq
            for scope in self._since(seq)
            if any(i.seq > seq for table in (self._scores, self._emissions) for i in table.get(scope, {}).values())
        }
        return scopes, [i.thing for i in self._alarms.values() if i.seq > seq]

    def alarms(self) -> list[Alarm]:
        """Every alarm's present state."""
        return [item.thing for item in self._alarms.values()]

    def meters(self) -> dict[str, dict[str, Any]]:
        """Every meter's last reading and silence."""
        return {name: item.thing for name, item in self._meters.items()}

    def system(self) -> dict[str, dict[str, Any]]:
        """The service's own state, part by part."""
        return {name: item.thing for name, item in self._system.items()}

    def since(
        self, seq: int, now: int, windows: Collection[str] | None = None, fresh: Collection[str] = ()
    ) -> dict[str, Any]:
        """All that changed after `seq` (0: everything) as one message.

        windows  scores of these only (None: of all)
        fresh    of them, those of which everything is told, changed or not: they were not asked for before
        """
        told: dict[str, Any] = {"now": now, "simulated": self.simulated}
        scopes = list(self._since(0 if fresh else seq))
        scores = [(key, i) for s in scopes for key, i in self._scores.get(s, {}).items()]
        scores = [(key, i) for key, i in scores if windows is None or key[2] in windows]
        emissions = [(key, i) for s in scopes for key, i in self._emissions.get(s, {}).items()]
        return {
            "seq": self.seq,
            "clock": self.clock,
            "now": now,
            "simulated": self.simulated,
            "progress": self.progress,
            "lasts": [  # what only grew younger: a gauge that stands still is not one that grows old
                (*key, last)
                for key, i, last, since in (
                    *((key, i, age.last, age.told) for key, i in scores for age in (self._ages[key[:2]],)),
                    *((key, i, i.thing.last, i.told) for key, i in emissions),
                )
                if since > seq >= i.seq and last is not None
            ],
            "scores": [self._now(i.thing).to_json(**told) for key, i in scores if i.seq > seq or key[2] in fresh],
            "emissions": [i.thing.to_json(**told) for _, i in emissions if i.seq > seq],
            "alarms": [i.thing.to_json() for i in self._alarms.values() if i.seq > seq],
            "meters": {name: i.thing for name, i in self._meters.items() if i.seq > seq},
            "system": {name: i.thing for name, i in self._system.items() if i.seq > seq},
        }

    async def wait(self, seq: int) -> None:
        """Return once something changed after `seq`."""
        while self.seq <= seq:
            await self._changed.wait()

    # --- inside -------------------------------------------------------------------------------

    def _since(self, seq: int) -> Iterator[str]:
        """The scopes that something came for after `seq`; all of them (0) in the order in which they first came."""
        if not seq:
            yield from dict.fromkeys((*self._scores, *self._emissions))
            return
        for scope in reversed(self._news):
            if self._news[scope] <= seq:
                return
            yield scope

    def _show(self, table: dict[Key, _Item], key: Key, thing: Score | Emission, shown: attrgetter[Any]) -> None:
        item = table.get(key)
        if item is None or (item.thing.last, item.thing.stale) != (thing.last, thing.stale):
            self._came[key[0]] = self.seq
        if item is None:
            table[key] = _Item(self.seq, thing)
        elif shown(item.thing) != shown(thing):
            item.seq, item.thing = self.seq, thing
        else:
            younger, item.thing = item.thing.last != thing.last, thing
            if not younger:
                return
            item.told = self.seq
        if self._news.get(key[0]) != self.seq:
            self._news.pop(key[0], None)
            self._news[key[0]] = self.seq

    def _show_stale(self, score: Score) -> None:
        """A reading is missing, or there again: that shows over all windows."""
        table = self._scores[score.scope]
        for window in self.plant.windows:
            item = table.get(key := (score.scope, score.degree, window))
            if item is not None and item.thing.stale != score.stale:
                self._show(table, key, _as_old(item.thing, score.last, score.stale), _SCORE)

    def _now(self, score: Score) -> Score:
        """It, as old as it is now."""
        last = self._ages[score.scope, score.degree].last
        return score if score.last == last else _as_old(score, last, score.stale)

    def _put(self, table: dict[Any, _Item], key: Any, thing: Any) -> None:
        item = table.get(key)
        if item is None:
            table[key] = _Item(self.seq, thing)
        elif item.thing != thing:
            item.seq, item.thing = self.seq, thing

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _shown(kind: type[Score] | type[Emission]) -> attrgetter[Any]:
    """What a person would see differently (a new `last` alone is told apart, in `lasts`)."""
    return attrgetter(*(field.name for field in fields(kind) if field.name not in ("ts", "known_at", "last", "detail")))


_as_old = changing(Score, "last", "stale")
_SCORE, _EMISSION = _shown(Score), _shown(Emission)
