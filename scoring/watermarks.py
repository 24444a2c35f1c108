"""The engine's clock, who is heard, and how far each line, stack and scope is complete (semantics §3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.durations import HOUR, MINUTE, SECOND
from devices.plant.model import Plant
from devices.readings import I64, Readings
from scoring.hearing import hear

NEVER = -(1 << 62)
_LEAST_SILENCE = 10 * SECOND


class Watermarks:
    """Watermarks of places: the lines of the plant, then its stacks. They never move back.

    A place's watermark is its greatest ts minus grace; while it is silent (no reading for 3 × `every`, or closed)
    it keeps up with the clock minus grace. A scope's is the least of its lines that are not silent. Lines not
    heard of yet hold nothing back.
    """

    def __init__(self, plant: Plant, *, event_clock: bool, lag_ms: int = 0) -> None:
        """With `lag_ms` all watermarks lag so much more behind."""
        self.clock = 0
        self.event_clock = event_clock
        self.beyond_grace = 0  # readings that came after their time was final
        self._grace = plant.intake.grace_ms + lag_ms
        self._lines = lines = len(plant.lines)
        places = lines + len(plant.stacks)
        self.place_of_meter = np.asarray([_place(m.line, m.stack, lines) for m in plant.meters], np.int64)
        self.meter_of_channel = np.asarray([c.meter for c in plant.channels], np.int64)
        self.place_of_channel = self.place_of_meter[self.meter_of_channel]
        self._meter_silence = np.asarray([silence(m.every_ms) for m in plant.meters], np.int64)
        slowest = np.zeros(places, np.int64)
        np.maximum.at(slowest, self.place_of_meter, self._meter_silence)
        self._silence = slowest
        peopled = [s for s in plant.scopes if s.lines]  # a scope without lines has no watermark
        self._peopled = np.asarray([s.index for s in peopled], np.int64)
        self._members = np.asarray([line for s in peopled for line in s.lines], np.int64)  # scope after scope
        self._first_member = np.cumsum([0, *(len(s.lines) for s in peopled[:-1])])
        self._meter_heard = np.full(len(plant.meters), NEVER, np.int64)
        self._heard = np.full(places, NEVER, np.int64)
        self._newest = np.full(places, NEVER, np.int64)
        self._closed = np.zeros(places, np.bool_)
        self._mark = np.full(places, NEVER, np.int64)
        self._scope_mark = np.full(len(plant.scopes), NEVER, np.int64)

    def clocks(self, readings: Readings) -> I64:
        """What the clock shows as each row comes in."""
        return np.maximum(np.maximum.accumulate(readings.ts if self.event_clock else readings.received), self.clock)

    def hear(self, readings: Readings, clocks: I64) -> None:
        """Rows came in, at these times of the clock."""
        self.clock = int(clocks[-1])
        self.beyond_grace += hear(
            readings.channel,
            readings.ts,
            clocks,
            self.meter_of_channel,
            self.place_of_meter,
            self._mark,
            self._meter_heard,
            self._heard,
            self._newest,
            self._closed,
        )
        self._move()

    def pass_time(self, received: int) -> None:
        """Time passed without readings; with the clock of the readings' own times it does not."""
        if not self.event_clock:
            self.clock = max(self.clock, received)
            self._move()

    def close(self, meter: int) -> None:
        """All readings of the meter's place are in: its watermark passes them, and it counts as silent."""
        place = self.place_of_meter[meter]
        self._closed[place] = True
        if self._heard[place] > NEVER:
            step = HOUR if self.event_clock else MINUTE  # live, more may come within the hour
            self._mark[place] = max(self._mark[place], -(-self._newest[place] // step) * step)
        self._move()

    def finish(self) -> None:
        """Nothing more comes: every watermark passes the newest reading of all, of those never heard too."""
        end = -(-self._newest.max(initial=NEVER) // HOUR) * HOUR
        self._mark = np.maximum(self._mark, end)
        self._scope_mark = np.maximum(self._scope_mark, end)

    def scopes(self) -> list[int]:
        """The watermark of each scope."""
        marks: list[int] = self._scope_mark.tolist()
        return marks

    def stacks(self) -> list[int]:
        """The watermark of each stack."""
        marks: list[int] = self._mark[self._lines :].tolist()
        return marks

    def places(self) -> list[int]:
        """The watermark of each line, then of each stack."""
        return [int(mark) for mark in self._mark]

    @property
    def furthest(self) -> int:
        """The greatest watermark of a place: what is newer is late for nobody."""
        return int(self._mark.max(initial=NEVER))

    def of_rows(self, readings: Readings) -> I64:
        """The watermark of each row's place."""
        marks: I64 = self._mark[self.place_of_channel[readings.channel]]
        return marks

    @property
    def newest(self) -> int:
        """The greatest event time seen; very negative before the first."""
        return int(self._newest.max(initial=NEVER))

    def silent_meters(self, ts: int) -> NDArray[np.bool_]:
        """Which meters had not been heard for too long at `ts` (now, if that is earlier)."""
        silent: NDArray[np.bool_] = min(ts, self.clock) - self._meter_heard >= self._meter_silence
        return silent

    def snapshot(self) -> dict[str, Any]:
        """Plain JSON."""
        columns = ("_meter_heard", "_heard", "_newest", "_closed", "_mark", "_scope_mark")
        return {
            "clock": self.clock,
            "beyond_grace": self.beyond_grace,
            **{name: getattr(self, name).tolist() for name in columns},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `snapshot`."""
        for name, value in state.items():
            now = getattr(self, name)
            setattr(self, name, np.asarray(value, now.dtype) if isinstance(now, np.ndarray) else value)

    def _move(self) -> None:
        known = self._heard > NEVER
        silent = self._closed | (self.clock - self._heard >= self._silence)
        reached = np.where(silent, np.maximum(self._newest, self.clock), self._newest) - self._grace
        self._mark = np.where(known, np.maximum(self._mark, reached), NEVER)
        if len(self._peopled):
            awake = np.where(known & ~silent, self._mark, -NEVER)[self._members]
            least = np.minimum.reduceat(awake, self._first_member)
            most = np.maximum.reduceat(self._mark[self._members], self._first_member)  # of those heard: NEVER is less
            reached = np.where(least < -NEVER, least, most)
            self._scope_mark[self._peopled] = np.maximum(self._scope_mark[self._peopled], reached)


def silence(every_ms: int) -> int:
    """Ms without a reading after which a meter that reports every so often is silent (semantics §3)."""
    return max(_LEAST_SILENCE, 3 * every_ms)


def _place(line: int | None, stack: int | None, lines: int) -> int:
    return line if line is not None else lines + (stack or 0)
