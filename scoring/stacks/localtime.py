"""Legal hours and days: blocks (start, end] in the site's time zone, daylight saving included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Block:
    """A legal span (start, end], ms UTC, stamped with its start."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        """Its length in minutes."""
        return (self.end - self.start) // MINUTE


class Calendar:
    """The hours and days of one time zone.

    A day runs from local midnight (or the first instant of a date that has none) to the next: 23, 24 or
    25 h. An hour runs between whole local hours; where clocks change by less than an hour (Lord Howe) the
    change itself is a boundary too, so the two parts are short hours of their own.
    """

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        # every boundary is a whole UTC minute, so one cache entry serves all instants of a minute
        self._hour = lru_cache(maxsize=1024)(self._find_hour)
        self._day = lru_cache(maxsize=128)(self._find_day)

    def hour(self, ts: int) -> Block:
        """The hour that `ts` lies in; a whole hour belongs to the block that it ends."""
        return self._hour((ts - 1) // MINUTE)

    def day(self, ts: int) -> Block:
        """The day that `ts` lies in; a midnight belongs to the day that it ends."""
        return self._day(self.local_date(ts))

    def block(self, ts: int, length: int) -> Block:
        """The hour that `ts` lies in, or its half where blocks are half as long."""
        hour = self.hour(ts)
        middle = hour.start + length
        if length >= HOUR or middle >= hour.end:
            return hour
        return Block(hour.start, middle) if ts <= middle else Block(middle, hour.end)

    def month(self, ts: int) -> Block:
        """The month that `ts` lies in; its last midnight belongs to it."""
        first = self.local_date(ts).replace(day=1)
        return Block(self._midnight(first), self._midnight((first + timedelta(days=31)).replace(day=1)))

    def new_year(self, ts: int) -> int:
        """When the local calendar year began that `ts` lies in."""
        return self._midnight(self.local_date(ts).replace(month=1, day=1))

    def local_date(self, ts: int) -> date:
        """The local date of the day that `ts` lies in."""
        return datetime.fromtimestamp((ts - 1) // 1000, self._zone).date()

    def _find_hour(self, minute: int) -> Block:
        inside = minute * MINUTE
        offset = self._offset(inside)
        start = (inside + offset) // HOUR * HOUR - offset
        end = start + HOUR
        if self._offset(start) != offset:
            start = self._change(start, inside)
        if self._offset(end - 1) != offset:
            end = self._change(inside, end - 1)
        return Block(start, end)

    def _find_day(self, local: date) -> Block:
        return Block(self._midnight(local), self._midnight(local + timedelta(days=1)))

    def _midnight(self, local: date) -> int:
        # fold=0: the first of two midnights; in a gap the offset before it, which is the instant of change
        return int(datetime(local.year, local.month, local.day, tzinfo=self._zone).timestamp()) * 1000

    def _offset(self, ts: int) -> int:
        shift = datetime.fromtimestamp(ts // 1000, UTC).astimezone(self._zone).utcoffset()
        return 0 if shift is None else int(shift.total_seconds()) * 1000

    def _change(self, low: int, high: int) -> int:
        """The first whole minute in (low, high] with the offset of `high`."""
        target = self._offset(high)
        first, last = low // MINUTE, high // MINUTE
        while last - first > 1:
            middle = (first + last) // 2
            if self._offset(middle * MINUTE) == target:
                last = middle
            else:
                first = middle
        return last * MINUTE
