"""The cells of minutes and hours, of channels and of coverage groups: a number and 32 bits each, packed by the hour.

Nearly every cell is a sum that fits 63 bits and the milliseconds that readings cover. An odd one (a longer sum,
or anything in the other columns) stands as a whole row of `odd`; its cell holds the number of that row. Of a group a
cell is in how many ms all of it is covered, and in how many its line runs.

How they lie in memory: scoring.windows.blocks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64
from scoring.windows.blocks import BLOCK, LARGEST, MINUTES, ODD, OWNERS, find, held_at, opened, sum_at, sweep
from scoring.windows.exact import MASK, carry, clear
from scoring.windows.kernel import COLUMNS, COVERED, ESTIMATED, HIGH, LOW, inner, kernel

_FIRST_ODD = 64


class Cells(NamedTuple):
    """The cells of all channels, then of all groups: each is an owner."""

    store: I64  # packed blocks
    used: I64  # words of it that are taken, of these dead, wanted beside them
    where: NDArray[np.uint32]  # [owner, block]: where in `store` it is; 0: nowhere
    opened: I64  # [owner, then one for all]: name of the open block; -1: none
    open_sums: I64  # [the same, cell]
    open_held: NDArray[np.uint32]
    odd: I64  # [row, column]
    free: I64  # how many rows of `odd` are free, then these
    gains: I64  # [channel, column]: what minutes that had a cell gained since the windows slid
    edges: I64  # ms, ascending: times inside an hour at which windows may be cut
    minutes: int  # of so many there are cells at least, whole hours of them
    hours: int
    labs: I64  # of `lab_table`
    weighs: I64

    @classmethod
    def empty(cls, channels: int, groups: int, minutes: int, hours: int, edges: I64, labs: tuple[I64, I64]) -> Cells:
        """Cells of nothing."""
        owners = channels + groups
        if owners > OWNERS:
            raise ValueError(f"{channels} channels and {groups} groups are more than {OWNERS}")
        none = cls(
            np.zeros(1, np.int64), np.asarray([1, 0, LARGEST], np.int64), np.zeros((owners, 0), np.uint32),
            np.full(owners + 1, -1, np.int64), np.zeros((owners + 1, BLOCK), np.int64),
            np.zeros((owners + 1, BLOCK), np.uint32), np.zeros((0, COLUMNS), np.int64), np.zeros(1, np.int64),
            np.zeros((channels, COLUMNS), np.int64), edges, minutes, hours, *labs,
        )  # fmt: skip
        return none.longer(minutes, hours).roomier()

    def roomier(self) -> Cells:
        """The same with room for the packed blocks that were wanted, and for another odd cell."""
        cells = self
        if int(self.used[1]) * 16 > len(self.store):
            cells = self.longer(self.minutes, self.hours)
        used, _, wanted = cells.used.tolist()
        if used + wanted > len(cells.store):
            store = np.zeros(used + used // 16 + 8 * LARGEST + wanted, np.int64)
            store[:used] = cells.store[:used]
            cells = cells._replace(store=store)
        return cells if cells.free[0] else cells.more_odd()

    def more_odd(self) -> Cells:
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

    def longer(self, minutes: int, hours: int) -> Cells:
        """The same with longer rings (or as long ones), swept."""
        columns = minutes // BLOCK + 1 + hours // BLOCK + 2 + -(-len(self.edges) // BLOCK)
        fresh = self._replace(where=np.zeros((len(self.where), columns), np.uint32), minutes=minutes, hours=hours)
        sweep(self, fresh)
        return fresh


@inner
def keep(cells: Any, c: int, ring: int, number: int, acc: Any) -> bool:
    """Write a cell; false where there is no room for it."""
    row = opened(cells, c, ring, number // BLOCK)
    if row < 0:
        return False
    i = number % BLOCK
    sums, held = cells.open_sums[row], cells.open_held[row]
    carry(acc)
    plain = -(1 << 31) <= acc[HIGH] < 1 << 31
    for k in range(ESTIMATED, COLUMNS):
        plain = plain and acc[k] == 0
    was_odd = held[i] & ODD != 0
    free = cells.free
    if plain:
        if was_odd:
            free[0] += 1
            free[free[0]] = sums[i]
        sums[i] = (acc[HIGH] << 32) + acc[LOW]
        held[i] = acc[COVERED]
        return True
    if not was_odd:
        if free[0] == 0:
            return False
        sums[i] = free[free[0]]
        free[0] -= 1
    at = sums[i]
    for k in range(COLUMNS):
        cells.odd[at, k] = acc[k]
    held[i] = acc[COVERED] | ODD
    return True


@inner
def keep_pair(cells: Any, owner: int, ring: int, number: int, covered: int, running: int) -> bool:
    """Write a group's cell; false where there is no room for it."""
    row = opened(cells, owner, ring, number // BLOCK)
    if row >= 0:
        cells.open_sums[row, number % BLOCK] = covered
        cells.open_held[row, number % BLOCK] = running
    return bool(row >= 0)


@inner
def add_cells(cells: Any, c: int, ring: int, first: int, stop: int, sign: int, acc: Any) -> None:
    """Add the cells [first, stop) to `acc` (not carried), or take them off."""
    while first < stop:
        block = first // BLOCK
        upto = min(BLOCK, stop - block * BLOCK)
        at = find(cells, c, ring, block)
        if at != 0:
            for i in range(first - block * BLOCK, upto):
                number = sum_at(cells, at, i)
                held = held_at(cells, at, i)
                if held & ODD:
                    for k in range(COLUMNS):
                        acc[k] += sign * cells.odd[number, k]
                else:
                    acc[HIGH] += sign * (number >> 32)
                    acc[LOW] += sign * (number & MASK)
                    acc[COVERED] += sign * held
        first = block * BLOCK + upto


@inner
def add_pairs(cells: Any, owner: int, ring: int, first: int, stop: int) -> tuple[int, int]:
    """A group's (covered, running) in the cells [first, stop)."""
    covered: Any = np.int64(0)
    running: Any = np.int64(0)
    while first < stop:
        block = first // BLOCK
        upto = min(BLOCK, stop - block * BLOCK)
        at = find(cells, owner, ring, block)
        if at != 0:
            for i in range(first - block * BLOCK, upto):
                covered += sum_at(cells, at, i)
                running += held_at(cells, at, i)
        first = block * BLOCK + upto
    return covered, running


@inner
def sure(cells: Any, c: int, minute: int) -> int:
    """Of a channel's minute the ms that are covered and not estimated."""
    at = find(cells, c, MINUTES, minute // BLOCK)
    if at == 0:
        return 0
    held = held_at(cells, at, minute % BLOCK)
    if held & ODD:
        row = sum_at(cells, at, minute % BLOCK)
        return int(cells.odd[row, COVERED] - cells.odd[row, ESTIMATED])
    return held


@kernel
def take_cells(mine: Any, theirs: Any, c: int, ring: int, first: int, stop: int, acc: Any) -> int:
    """Copy another's cells [first, stop) of channel c; up to which, before room is short."""
    while first < stop:
        clear(acc)
        add_cells(theirs, c, ring, first, first + 1, 1, acc)
        if not keep(mine, c, ring, first, acc):
            break
        first += 1
    return first


@kernel
def take_pairs(mine: Any, theirs: Any, owner: int, ring: int, first: int, stop: int) -> int:
    """The same of a group."""
    while first < stop:
        covered, running = add_pairs(theirs, owner, ring, first, first + 1)
        if not keep_pair(mine, owner, ring, first, covered, running):
            break
        first += 1
    return first
