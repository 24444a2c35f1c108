"""Taking over another engine's cells: what a scratch engine restated, or what it is seeded with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from devices.readings import I64
from scoring.windows.blocks import EDGES, HOURS, MINUTES
from scoring.windows.kernel import HOUR, MINUTE
from scoring.windows.records import NONE
from scoring.windows.rows import Cells, take_cells, take_pairs

Span = tuple[int, int, int]
"""Of a ring the cells [first, stop)."""


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
    edges = np.flatnonzero((mine.edges > hours[0]) & (mine.edges <= hours[1]))
    cut = [(int(EDGES), int(edges[0]), int(edges[-1]) + 1)] if len(edges) else []
    for c in channels:
        spans = list(_same(mine, theirs, int(sealed[c]), int(sealed_there[c]), int(gone_there[c]), *hours))
        for ring, first, stop in spans + (cut if spans else []):
            while (first := take_cells(mine, theirs, c, ring, first, stop, acc)) < stop:
                mine = mine.roomier()
    return mine


def with_pairs_of(
    mine: Cells,
    theirs: Cells,
    groups: Iterable[int],
    sealed: I64,
    sealed_there: I64,
    gone_there: I64,
    hours: tuple[int, int],
) -> Cells:
    """The same of groups; `sealed`, `gone` by group."""
    channels = len(mine.gains)
    for g in groups:
        for ring, first, stop in _same(mine, theirs, int(sealed[g]), int(sealed_there[g]), int(gone_there[g]), *hours):
            while (first := take_pairs(mine, theirs, channels + g, ring, first, stop)) < stop:
                mine = mine.roomier()
    return mine


def _same(
    mine: Cells, theirs: Cells, sealed: int, theirs_sealed: int, theirs_gone: int, start: int, end: int
) -> Iterator[Span]:
    """The minutes, then the hours in (start, end] that both rings hold; none where one of them holds nothing."""
    if NONE in (sealed, theirs_sealed):
        return
    first = max(start // MINUTE, sealed - mine.minutes, theirs_sealed - theirs.minutes, theirs_gone)
    yield int(MINUTES), first, min(end // MINUTE, sealed, theirs_sealed)
    first = max(start // HOUR, sealed // 60 - mine.hours, theirs_sealed // 60 - theirs.hours)
    yield int(HOURS), first, min(end // HOUR, sealed // 60, theirs_sealed // 60)
