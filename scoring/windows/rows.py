"""How the cells of minutes and hours are written: twelve bytes each, what is remarkable apart.

Nearly every cell is a sum that fits 63 bits and the milliseconds that readings cover. An odd one (a longer sum,
or anything in the other columns) stands as a whole row of `odd`; its cell holds the number of that row.

There are no more rows than the past that was seen needs: rings are as long as the engine is old, up to what the
windows ask for. They grow for all channels at once, which are read alike.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64
from scoring.windows.exact import MASK, carry, clear
from scoring.windows.kernel import COLUMNS, COVERED, ESTIMATED, HIGH, LOW, inner, kernel

_ODD: Final = 1 << 31
"""In `held`: the cell is odd. The time covered stands below it."""
_FIRST_ODD = 64


class Cells(NamedTuple):
    """The cells of all channels."""

    sums: I64  # [channel, row]: the sum, or the odd cell's row
    held: NDArray[np.uint32]  # [channel, row]: ms covered
    odd: I64  # [row, column]
    free: I64  # how many rows of `odd` are free, then these
    gains: I64  # [channel, column]: what minutes that were there gained since windows slid; last: 1, not all is known
    edges: I64  # ms, ascending: times inside an hour at which windows may be cut
    minutes: int  # rows of the ring of minutes, whole hours of them
    hours: int  # rows of the ring of hours
    labs: I64  # of `lab_table`
    weighs: I64

    @classmethod
    def empty(cls, channels: int, minutes: int, hours: int, edges: I64, labs: tuple[I64, I64]) -> Cells:
        """Cells of nothing."""
        shape = channels, minutes + hours + len(edges)
        none = cls(
            np.zeros(shape, np.int64), np.zeros(shape, np.uint32), np.zeros((0, COLUMNS), np.int64),
            np.zeros(1, np.int64), np.zeros((channels, COLUMNS + 1), np.int64), edges, minutes, hours, *labs,
        )  # fmt: skip
        return none.roomier()

    def roomier(self) -> Cells:
        """The same with twice the room for odd cells."""
        there = len(self.odd)
        odd = np.zeros((max(_FIRST_ODD, 2 * there), COLUMNS), np.int64)
        odd[:there] = self.odd
        free = np.zeros(len(odd) + 1, np.int64)
        left, more = int(self.free[0]), len(odd) - there
        free[0] = left + more
        free[1 : left + 1] = self.free[1 : left + 1]
        free[left + 1 : left + 1 + more] = np.arange(there, len(odd))
        return self._replace(odd=odd, free=free)

    def longer(self, minutes: int, hours: int, sealed: I64) -> Cells:
        """The same in longer rings; `sealed` by channel."""
        sums, held = (lengthen(a, sealed, self.minutes, self.hours, minutes, hours) for a in (self.sums, self.held))
        return self._replace(sums=sums, held=held, minutes=minutes, hours=hours)


def lengthen(
    rings: NDArray[Any], sealed: I64, minutes: int, hours: int, more_minutes: int, more_hours: int
) -> NDArray[Any]:
    """[which, row, …] with rings of minutes and hours that were so long in longer ones."""
    rest = rings.shape[1] - minutes - hours
    longer = np.zeros((len(rings), more_minutes + more_hours + rest, *rings.shape[2:]), rings.dtype)
    for i in range(len(rings)):
        minute = int(sealed[i]) - minutes + np.arange(minutes)
        hour = int(sealed[i]) // 60 - hours + np.arange(hours)
        longer[i, minute % more_minutes] = rings[i, minute % minutes]
        longer[i, more_minutes + hour % more_hours] = rings[i, minutes + hour % hours]
    longer[:, more_minutes + more_hours :] = rings[:, minutes + hours :]
    return longer


@inner
def keep(cells: Any, c: int, row: int, acc: Any) -> bool:
    """Write a cell; false where it is odd and there is no room for it."""
    carry(acc)
    plain = -(1 << 31) <= acc[HIGH] < 1 << 31
    for k in range(ESTIMATED, COLUMNS):
        plain = plain and acc[k] == 0
    was_odd = cells.held[c, row] & _ODD != 0
    free = cells.free
    if plain:
        if was_odd:
            free[0] += 1
            free[free[0]] = cells.sums[c, row]
        cells.sums[c, row] = (acc[HIGH] << 32) + acc[LOW]
        cells.held[c, row] = acc[COVERED]
        return True
    if not was_odd:
        if free[0] == 0:
            return False
        cells.sums[c, row] = free[free[0]]
        free[0] -= 1
    at = cells.sums[c, row]
    for k in range(COLUMNS):
        cells.odd[at, k] = acc[k]
    cells.held[c, row] = acc[COVERED] | _ODD
    return True


@inner
def add_cell(cells: Any, c: int, row: int, sign: int, acc: Any) -> None:
    """Add a cell to `acc` (not carried), or take it off."""
    word = cells.sums[c, row]
    held = np.int64(cells.held[c, row])
    if held & _ODD:
        for k in range(COLUMNS):
            acc[k] += sign * cells.odd[word, k]
    else:
        acc[HIGH] += sign * (word >> 32)
        acc[LOW] += sign * (word & MASK)
        acc[COVERED] += sign * held


@inner
def sure(cells: Any, c: int, row: int) -> int:
    """Of a cell the ms that are covered and not estimated."""
    held = np.int64(cells.held[c, row])
    if held & _ODD:
        at = cells.sums[c, row]
        return int(cells.odd[at, COVERED] - cells.odd[at, ESTIMATED])
    return int(held)


@kernel
def take_cells(mine: Any, theirs: Any, c: int, to: I64, at: I64, acc: Any) -> int:
    """Copy another's cells of channel c, those in the rows `at` to the rows `to`; how many, before room is short."""
    for k in range(len(to)):
        clear(acc)
        add_cell(theirs, c, at[k], 1, acc)
        if not keep(mine, c, to[k], acc):
            return k
    return len(to)
