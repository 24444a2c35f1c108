"""`Clock`: the receive time of what arrives, and whether it can be trusted.

Time in the log is what readings are judged by, so a wall clock that jumps must not write its jump into the log. The
clock therefore runs on the monotonic one from an anchor and follows the wall only while the two agree; a jump holds
decoding and alarms (whoever does those asks `jump`) until the wall comes back or somebody says that it is right now.
A machine may also start with a wrong clock, so it is held against the log's newest record too.

Receive times in the log never go back. Where the wall was found to be right though the log is ahead of it, time goes on
from the wall, and the log's own time (`stamp`) runs `ahead` of it from then on: `ClockShifts` takes that off again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

TOLERANCE_MS = 2_000
"""A second's leap, a slewing NTP and a stalled process stay below it."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock left the monotonic one."""

    since: int  # ms, of the time that goes on
    offset: int  # ms, wall minus that time
    at_start: bool = False  # the wall was behind the log when the program began: how long it was off is not known

    @property
    def text(self) -> str:
        """One line for people."""
        seconds = self.offset / 1000
        what = "is behind the newest record of the log:" if self.at_start else "jumped by"
        return f"the wall clock {what} {seconds:+.0f} s: decoding and alarms are held"


def _wall() -> int:
    return time.time_ns() // 1_000_000


def _steady() -> int:
    # BOOTTIME goes on while the machine sleeps, so waking up is no jump. Only Linux has it.
    which = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(which) // 1_000_000


class Clock:
    """Milliseconds since 1970 UTC that go back only where somebody says so."""

    def __init__(
        self,
        *,
        floor: int = 0,
        ahead: int = 0,
        wall: Callable[[], int] = _wall,
        steady: Callable[[], int] = _steady,
        tolerance_ms: int = TOLERANCE_MS,
    ) -> None:
        """`floor`: the newest time that is known to have been, ms; `ahead`: how far the log's own time runs before."""
        self._wall, self._steady, self._tolerance = wall, steady, tolerance_ms
        self.ahead = ahead
        behind = wall() - floor
        self._last = max(wall(), floor)
        self._offset = self._last - steady()
        self.jump: Jump | None = None  # set while the wall clock is not believed
        if behind < -tolerance_ms:
            self.jump = Jump(floor, behind, at_start=True)

    def now(self) -> int:
        """The time, ms."""
        steady, wall = self._steady(), self._wall()
        apart = wall - (steady + self._offset)
        if abs(apart) <= self._tolerance:
            self._offset += apart  # follow a clock that is being slewed
            self.jump = None
        elif self.jump is None:
            self.jump = Jump(steady + self._offset, apart)
        elif abs(apart - self.jump.offset) > self._tolerance:
            self.jump = replace(self.jump, offset=apart)
        self._last = max(self._last, steady + self._offset)
        return self._last

    def stamp(self) -> int:
        """The same in the log's own time: a receive time, ms."""
        return self.now() + self.ahead

    def accept(self, offset: int) -> None:
        """The wall clock is right, which is `offset` ms from the time that went on: go on from it."""
        self._offset += offset
        if offset < 0:
            self.ahead -= offset
            self._last += offset
        self.jump = None
