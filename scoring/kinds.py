"""`Kind`: steps of one kind and how they are told; `Begun`: a step that is told in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scoring.restate.past import Touched
from scoring.results import Changes
from scoring.stamp import Stamp
from scoring.steps import Steps

PIECE = 100
"""So many rows of a step (a scope over a window) are told at a time, or a whole window, whose scopes share work: a
hundred lines' step is a tenth of a second of work, in which nobody else would be heard."""
MOST = 500
"""… but of no more scopes: each has four scores, which are in memory until they are kept."""


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
    """A step that counts as told, and what is still to be told of it: `windows` are positions in `Kind.lengths`."""

    end: int
    kind: Kind
    rows: list[int]
    windows: list[int]
    done: int = 0  # so many of the rows are told over the first of the windows


def go_on(begun: list[Begun], stamp: Stamp, *, whole: bool) -> Changes:
    """Tell all that is left of the first, or a piece more; it leaves when it is done."""
    one = begun[0]
    rows, windows = one.rows[one.done :], one.windows[:1]
    if not whole and len(rows) > MOST:
        rows, one.done = rows[:MOST], one.done + MOST
    else:
        if not one.done:
            windows = one.windows if whole else one.windows[: together(rows)]
        one.windows, one.done = one.windows[len(windows) :], 0
    if not one.windows:
        del begun[0]
    found = one.kind.tell(one.end, rows, windows, stamp) if rows and windows else Changes()
    return found + go_on(begun, stamp, whole=True) if whole and begun and begun[0] is one else found


def together(rows: Sequence[int]) -> int:
    """Over how many windows these rows are told at a time."""
    return max(1, PIECE // max(1, len(rows)))
