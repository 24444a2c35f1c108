"""`Kind`: steps of one kind and how they are told; `Begun`: a step that is told in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scoring.restate.past import Touched
from scoring.results import Changes
from scoring.stamp import Stamp
from scoring.steps import Steps

PIECE = 100
"""So many rows of a step (a scope over a window) are told at a time; a whole window at least, whose scopes share work.
A hundred lines' step is a tenth of a second of work, in which nobody else would be heard."""


@dataclass(slots=True)
class Again:
    """A told step that has to be told again: of whom, and over which windows, as bits."""

    rows: int = 0
    windows: int = 0


@dataclass(slots=True)
class Kind:
    """Steps of one kind."""

    steps: Steps
    lengths: tuple[int, ...]  # of its windows, ms; a window is a position in here
    tell: Callable[[int, Sequence[int], Sequence[int], Stamp], Changes]  # (end, rows, windows, stamp)
    marks: Callable[[], list[int]]  # watermark of each row
    rows: Callable[[Touched], int]  # the rows that a span touches, as bits
    again: dict[int, Again] = field(default_factory=dict)


@dataclass(slots=True)
class Begun:
    """A step that counts as told, and the windows (positions in `Kind.lengths`) that are still to be told of it."""

    end: int
    kind: Kind
    rows: list[int]
    windows: list[int]


def go_on(begun: list[Begun], stamp: Stamp, *, whole: bool) -> Changes:
    """Tell all that is left of the first, or a piece more; it leaves when it is done."""
    one = begun[0]
    stop = len(one.windows) if whole else piece(one.rows)
    windows, one.windows = one.windows[:stop], one.windows[stop:]
    if not one.windows:
        del begun[0]
    return one.kind.tell(one.end, one.rows, windows, stamp) if one.rows and windows else Changes()


def piece(rows: Sequence[int]) -> int:
    """Over how many windows these rows are told at a time."""
    return max(1, PIECE // max(1, len(rows)))
