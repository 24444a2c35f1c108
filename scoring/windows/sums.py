"""The seam between the rolling sums (numba) and what is made of them: exact sums of every channel over one span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from devices.readings import I64, Readings


@dataclass(frozen=True, slots=True)
class SpanSums:
    """Sums of all channels over (start, end]. Arrays have one row per `Plant.channels`.

    The exact total of channel c is `high[c] * 2**32 + low[c]` (see `total`): steps for amounts and
    counters, steps × ms for rates and levels. Two columns because thirty days of a fine step pass 2**63.
    """

    start: int
    end: int
    high: I64
    low: I64
    covered: I64  # ms covered by readings
    estimated: I64  # of these, ms inside a counter pair longer than max_gap
    flagged: I64  # readings left out or marked (spikes, resets, bad rises, out of range, bad letter)

    def total(self, channel: int) -> int:
        """The exact total of one channel as a Python integer."""
        return (int(self.high[channel]) << 32) + int(self.low[channel])


def whole(high: I64, low: I64) -> list[int]:
    """`high` · 2**32 + `low` as Python integers: at once where they fit 63 bits, as nearly all do."""
    high, low = high + (low >> 32), low & 0xFFFFFFFF
    found: list[int] = ((high << 32) + low).tolist()
    for row in np.flatnonzero((high < -(1 << 31)) | (high >= 1 << 31)).tolist():
        found[row] = (int(high[row]) << 32) + int(low[row])
    return found


class Seen(NamedTuple):
    """One winning reading."""

    ts: int
    value: int  # steps
    letter: str  # HJ 212
    outside: bool  # out of range: never scored


class Sums(Protocol):
    """The rolling-sum engine as degrees and stacks see it. Times are ms; spans are (start, end]."""

    def span(self, start: int, end: int, channels: I64 | None = None) -> SpanSums:
        """All channels' exact sums over (start, end]: ends on whole seconds within the last hour before the
        newest step, on whole minutes within the longest window up to 24 h plus grace, on whole hours (or on a
        local midnight at which a factor changes) before that. With `channels` (rows) all others are left at 0.
        """
        ...

    def coverages(self, groups: I64, start: int, end: int) -> I64:
        """[asked, 2]: ms in which every channel of the group is covered and not estimated and the line runs; ms in
        which the line runs. Groups are rows of the `CoverageGroup`s that the sums were built with.
        """
        ...

    def newest(self, channels: I64 | None = None) -> I64:
        """`last` of every channel, or of those rows; `NONE` where there is none."""
        ...

    def last(self, channel: int) -> int | None:
        """Event time of the channel's newest reading."""
        ...

    def readings(self, channel: int, start: int, end: int) -> list[Seen]:
        """The winning readings in [start, end), in order of time, as far back as they are kept."""
        ...

    def push(self, readings: Readings) -> None:
        """Take readings in; what they touch is summed anew, whatever their order."""
        ...


@dataclass(frozen=True, slots=True)
class CoverageGroup:
    """The channels that one line needs for one degree, and when the line runs."""

    line: int
    degree: str
    channels: tuple[int, ...]  # required channels, instant amounts excluded
    running: tuple[int, int] | None  # (channel, steps above which the line runs); None: always
