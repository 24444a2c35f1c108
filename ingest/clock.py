"""`Clock`: the receive time of what arrives, and whether it can be trusted.

Time in the log is what readings are judged by, so a wall clock that jumps must not write its jump into the log. The
clock therefore runs on the monotonic one from an anchor and follows the wall only while the two agree; a jump holds
decoding and alarms (whoever does those asks `jump`) until the wall comes back or somebody says that it is right now.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

TOLERANCE_MS = 2_000
"""A second's leap, a slewing NTP and a stalled process stay below it."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock left the monotonic one."""

    since: int  # ms, of the time that goes on
    offset: int  # ms, wall minus that time


def _wall() -> int:
    return time.time_ns() // 1_000_000


def _steady() -> int:
    # BOOTTIME goes on while the machine sleeps, so waking up is no jump. Only Linux has it.
    which = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(which) // 1_000_000


class Clock:
    """Milliseconds since 1970 UTC that never go back."""

    def __init__(
        self, *, wall: Callable[[], int] = _wall, steady: Callable[[], int] = _steady, tolerance_ms: int = TOLERANCE_MS
    ) -> None:
        self._wall, self._steady, self._tolerance = wall, steady, tolerance_ms
        self._offset = wall() - steady()
        self._last = wall()
        self.jump: Jump | None = None  # set while the wall clock is not believed

    def now(self) -> int:
        """The receive time of this moment, ms."""
        steady, wall = self._steady(), self._wall()
        apart = wall - (steady + self._offset)
        if abs(apart) <= self._tolerance:
            self._offset += apart  # follow a clock that is being slewed
            self.jump = None
        elif self.jump is None:
            self.jump = Jump(steady + self._offset, apart)
        elif abs(apart - self.jump.offset) > self._tolerance:
            self.jump = Jump(self.jump.since, apart)
        self._last = max(self._last, steady + self._offset)
        return self._last

    def accept(self) -> None:
        """The wall clock is right: go on from it. After a step back time stands still until it is caught up."""
        self._offset = self._wall() - self._steady()
        self.jump = None
