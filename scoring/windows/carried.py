"""Where the windows that slide stand: what `span` and `coverages` of these would give, as long as nothing comes."""

from __future__ import annotations

import numpy as np

from devices.durations import SECOND
from devices.readings import I64
from scoring.windows.sliding import Slide
from scoring.windows.sums import SpanSums


class Carried:
    """Which windows they are, and of which coverage groups the joint coverage is there."""

    def __init__(self, clock: int, ends: I64, lengths: I64, groups: I64, of: int) -> None:
        """As `slide` was asked: windows in ascending order of their lengths; `groups` are rows of `of`."""
        self._when = clock // SECOND, *ends.tolist()
        spans = zip((ends - lengths).tolist(), ends.tolist(), strict=True)
        self._rows = {span: row for row, span in enumerate(spans)}
        self._joint = np.zeros(of, np.bool_)
        self._joint[groups] = True

    def at(self, clock: int, ends: I64) -> bool:
        """Whether to slide to there would change nothing."""
        return (clock // SECOND, *ends.tolist()) == self._when

    def has(self, start: int, end: int) -> bool:
        """Whether (start, end] is one of the windows."""
        return (start, end) in self._rows

    def sums(self, slide: Slide, start: int, end: int) -> SpanSums:
        """Of all channels over a window."""
        return SpanSums(start, end, *slide.now[:, self._rows[start, end]].T.copy())

    def coverages(self, slide: Slide, groups: I64, start: int, end: int, found: I64) -> I64:
        """Put what is there of the groups into `found` [asked, 2]; which of those asked are not."""
        row = self._rows.get((start, end))
        if row is None:
            return np.arange(len(groups))
        known = self._joint[groups]
        found[known] = slide.joint_now[groups[known], row]
        return np.flatnonzero(~known)


_NONE = np.zeros(0, np.int64)
NOTHING = Carried(0, _NONE, _NONE, _NONE, 0)
"""No windows."""
