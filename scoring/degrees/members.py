"""What the lines of a scope say together of each degree: how complete and how good it is, and how old."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64
from scoring.degrees.coverage import DEGREES
from scoring.degrees.ragged import Ragged
from scoring.degrees.scopes import ScopePlan
from scoring.degrees.window import ORDER, Looked
from scoring.results import Quality
from scoring.windows.records import NONE

_QUALITY = np.asarray(ORDER, object)
_ROW = len(DEGREES)


class Moment(NamedTuple):
    """What is the same for every window that ends at one moment: [scope][row of `DEGREES`]."""

    last: list[list[int]]  # ts of the newest reading behind it; NONE where there is none
    stale: list[list[bool]]  # whether a channel that it requires is silent


class Together(NamedTuple):
    """Of one window: [scope][row of `DEGREES`], of the lines of the scope that count in the degree."""

    completeness: list[list[float]]
    quality: list[list[Quality]]  # the worst; bad where there is none
    unheard: list[list[bool]]  # some line runs, and at no time all was read that counts
    unsure: list[list[bool]]  # of some line it is not always known whether it runs


class Members:
    """Compiled once for some scopes, which are its rows; one whose lines were not looked at is told nothing of use."""

    def __init__(self, plans: Iterable[ScopePlan], lines: Sequence[int]) -> None:
        """`lines`: those of the scopes at least, in order; what is looked at is of some or all of them."""
        self._place = {line: place for place, line in enumerate(lines)}
        self._counting = Ragged(
            [self._place[line] * _ROW + row for line in counting]
            for plan in plans
            for row, counting in enumerate(plan.counting)
        )

    def moment(self, lines: Sequence[int], newest: I64, stale: Callable[[int, str], bool]) -> Moment:
        """`newest` [line, row of `ROWS`] as `Ages` tells it, of all lines here; `stale(line, degree)` is asked of
        `lines`.
        """
        silent = self._spread(lines, [[stale(line, name) for name in DEGREES] for line in lines], np.bool_)
        return Moment(
            _by_scope(self._counting.most(newest[:, :_ROW].ravel(), NONE)),
            _by_scope(self._counting.most(silent, False)),
        )

    def together(self, looked: Looked, length: int) -> Together:
        """Completeness: known running time / running time; of lines that stand still, time known to stand still / time.

        `length` of the window, ms.
        """
        lines, each = looked.lines, (len(looked.lines), _ROW)
        covered = self._spread(lines, looked.covered[:, :_ROW], np.int64)
        running = self._spread(lines, np.broadcast_to(looked.running[:, None], each), np.int64)
        watched = self._spread(lines, np.broadcast_to(looked.watched[:, None], each), np.int64)
        rank = self._spread(lines, looked.rank[:, :_ROW], np.int64)
        unsure = self._spread(lines, np.broadcast_to(looked.unsure[:, None], each), np.bool_)
        runs, stands = self._counting.sum(running), np.maximum(self._counting.lengths, 1) * length
        known = np.where(runs > 0, self._counting.sum(covered), self._counting.sum(watched))
        worst = self._counting.most(rank, len(ORDER) - 1)
        return Together(
            _by_scope(known / np.where(runs > 0, runs, stands)),
            _by_scope(_QUALITY[worst]),
            _by_scope(self._counting.most((running > 0) & (covered == 0), False)),
            _by_scope(self._counting.most(unsure, False)),
        )

    def _spread(self, lines: Sequence[int], values: Any, kind: Any) -> NDArray[Any]:
        """The values of some lines, by row of `DEGREES`, where all lines have their places; else 0."""
        given = np.asarray(values, kind).reshape(-1, _ROW)
        if len(lines) == len(self._place):
            return given.ravel()
        found = np.zeros((len(self._place), _ROW), kind)
        found[[self._place[line] for line in lines]] = given
        return found.ravel()


def _by_scope(values: NDArray[Any]) -> list[list[Any]]:
    found: list[list[Any]] = values.reshape(-1, _ROW).tolist()
    return found
