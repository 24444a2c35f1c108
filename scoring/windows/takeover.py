"""Taking over another engine's cells: what a scratch engine restated, or what it is seeded with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64
from scoring.windows.kernel import HOUR, MINUTE
from scoring.windows.records import NONE
from scoring.windows.rows import Cells, take_cells


def with_cells_of(
    mine: Cells,
    theirs: Cells,
    channels: Iterable[int],
    sealed: I64,
    sealed_there: I64,
    gone_there: I64,
    hours: tuple[int, int],
    acc: I64,
) -> Cells:
    """`mine` with those of `theirs` in (start, end], whole hours, of some channels; `sealed`, `gone` by channel."""
    start, end = hours
    for c in channels:
        known = int(sealed[c]), int(sealed_there[c])
        if NONE in known:
            continue
        gone = int(gone_there[c])
        for to, at in same_rows(mine, theirs, *known, gone, start, end):
            mine = _taken(mine, theirs, c, to, at, acc)
        cut = np.flatnonzero((mine.edges > start) & (mine.edges <= end))
        mine = _taken(mine, theirs, c, mine.minutes + mine.hours + cut, theirs.minutes + theirs.hours + cut, acc)
    return mine


def _taken(mine: Cells, theirs: Cells, c: int, to: I64, at: I64, acc: I64) -> Cells:
    while (taken := take_cells(mine, theirs, c, to, at, acc)) < len(to):
        mine, to, at = mine.roomier(), to[taken:], at[taken:]
    return mine


def same_rows(
    mine: Cells, theirs: Cells, sealed: int, theirs_sealed: int, theirs_gone: int, start: int, end: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows of the minutes, then of the hours in (start, end] that both rings hold: (here, there).

    None where one of them holds nothing.
    """
    if NONE in (sealed, theirs_sealed):
        return
    first = max(start // MINUTE, sealed - mine.minutes, theirs_sealed - theirs.minutes, theirs_gone)
    minutes = np.arange(first, min(end // MINUTE, sealed, theirs_sealed))
    yield minutes % mine.minutes, minutes % theirs.minutes
    first = max(start // HOUR, sealed // 60 - mine.hours, theirs_sealed // 60 - theirs.hours)
    hours = np.arange(first, min(end // HOUR, sealed // 60, theirs_sealed // 60))
    yield mine.minutes + hours % mine.hours, theirs.minutes + hours % theirs.hours
