"""`Live`: what is true now. Written by the scorer, read by the page, the API and MQTT.

Every item remembers the sequence number of its last change, so a reader that saw `n` asks for what
came after `n`: no queue per reader, nothing to overflow, and a slow tab skips what is outdated anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.plant.model import Plant
from scoring.results import Alarm, Emission, Score


@dataclass(slots=True)
class _Item:
    seq: int  # of the last change that shows
    thing: Any
    told: int = 0  # of the last change of `last` alone


class Live:
    """The newest score, emission, alarm of each key, meters' ages and the service's own state."""

    def __init__(self, plant: Plant, *, simulated: bool) -> None:
        self.plant = plant
        self.simulated = simulated
        self.seq = 0
        self.clock = 0  # the engine's clock, ms
        self.progress: dict[str, Any] | None = None  # {"what", "done", "total"} while long work runs
        self._scores: dict[tuple[str, str, str], _Item] = {}
        self._emissions: dict[tuple[str, str, str], _Item] = {}
        self._alarms: dict[tuple[str, str], _Item] = {}
        self._meters: dict[str, _Item] = {}
        self._system: dict[str, _Item] = {}
        self._changed = asyncio.Event()

    # --- written by the service ---------------------------------------------------------------

    def put_scores(self, scores: Iterable[Score], emissions: Iterable[Emission], alarms: Iterable[Alarm]) -> None:
        """Take the newest state in; only what shows differently counts as a change."""
        self.seq += 1
        for score in scores:
            self._put(self._scores, (score.scope, score.degree, score.window), score, _shown)
        for emission in emissions:
            self._put(self._emissions, (emission.scope, emission.pollutant, emission.average), emission, _shown)
        for alarm in alarms:
            self._put(self._alarms, (alarm.scope, alarm.id), alarm, _same)
        self._wake()

    def put_alarms(self, alarms: Iterable[Alarm]) -> None:
        """Take the newest state of some alarms in."""
        self.seq += 1
        for alarm in alarms:
            self._put(self._alarms, (alarm.scope, alarm.id), alarm, _same)
        self._wake()

    def put_meters(self, meters: Mapping[str, Mapping[str, Any]]) -> None:
        """State of each meter: {"last": ms | None, "silent": bool, "scope": …}."""
        self.seq += 1
        for name, state in meters.items():
            self._put(self._meters, name, dict(state), _same)
        self._wake()

    def put_system(self, part: str, state: Mapping[str, Any]) -> None:
        """State of one part of the service ("intake", "store", …), with a "text" for people."""
        self.seq += 1
        self._put(self._system, part, dict(state), _same)
        self._wake()

    # --- read by page, API, MQTT --------------------------------------------------------------

    def scores(self) -> list[Score]:
        """The newest score of every scope, degree and window."""
        return [item.thing for item in self._scores.values()]

    def emissions(self) -> list[Emission]:
        """The newest emission of every stack, pollutant and average."""
        return [item.thing for item in self._emissions.values()]

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
        told = {"now": now, "simulated": self.simulated}
        return {
            "seq": self.seq,
            "clock": self.clock,
            "now": now,
            "simulated": self.simulated,
            "progress": self.progress,
            "lasts": self._lasts(seq, windows),
            "scores": [
                i.thing.to_json(**told)
                for (_, _, window), i in self._scores.items()
                if (i.seq > seq or window in fresh) and (windows is None or window in windows)
            ],
            "emissions": [i.thing.to_json(**told) for i in self._emissions.values() if i.seq > seq],
            "alarms": [i.thing.to_json() for i in self._alarms.values() if i.seq > seq],
            "meters": {name: i.thing for name, i in self._meters.items() if i.seq > seq},
            "system": {name: i.thing for name, i in self._system.items() if i.seq > seq},
        }

    async def wait(self, seq: int) -> None:
        """Return once something changed after `seq`."""
        while self.seq <= seq:
            await self._changed.wait()

    # --- inside -------------------------------------------------------------------------------

    def _lasts(self, seq: int, windows: Collection[str] | None) -> list[tuple[str, str, str, int]]:
        """What only grew younger after `seq`: a gauge that stands still is not one that grows old."""
        return [
            (*key, i.thing.last)
            for table in (self._scores, self._emissions)
            for key, i in table.items()
            if i.told > seq >= i.seq and i.thing.last is not None
            if windows is None or table is self._emissions or key[2] in windows
        ]

    def _put(self, table: dict[Any, _Item], key: Any, thing: Any, shown: Any) -> None:
        item = table.get(key)
        if item is None:
            table[key] = _Item(self.seq, thing)
            return
        if shown(item.thing) != shown(thing):
            item.seq = self.seq
        elif getattr(item.thing, "last", None) != getattr(thing, "last", None):
            item.told = self.seq
        item.thing = thing

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _shown(thing: Score | Emission) -> tuple[Any, ...]:
    """What a person would see differently (a new `last` alone is told apart, in `lasts`)."""
    return tuple(
        getattr(thing, name)
        for name in type(thing).__dataclass_fields__
        if name not in ("ts", "known_at", "last", "detail")
    )


def _same(thing: Any) -> Any:
    return thing
