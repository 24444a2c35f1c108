"""Sixty cells that stand together: the one that is written to lies open, the others are packed.

A cell is a number (a sum, or the row of an odd one) and what is held with it, 32 bits. Cells belong to an owner (a
channel, a group), to one of its rings (minutes, hours, cut edges) and have a number there; block n holds those from
60 n on. Of an owner's minutes the block that was written to last lies open, of all else one for all owners.

A packed block lies in the arena `store`: a word that tells whose it is and how wide, two of bases and scale, then the
bits of the sums, then those of what is held. It is never changed: to write to it it is opened, and what it took is
dead until the arena is swept.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from scoring.windows.exact import MASK
from scoring.windows.kernel import inner, kernel
from scoring.windows.packed import RAW, bits, form, put_bits, size

BLOCK: Final = 60
MINUTES: Any = np.int64(0)
"""The rings (of numpy's type, or the kernels are compiled twice)."""
HOURS: Any = np.int64(1)
EDGES: Any = np.int64(2)
ODD: Final = 1 << 31
"""In what is held: the cell is odd, its number is that of a row of `odd`."""
HEAD: Final = 3
LARGEST: Final = HEAD + BLOCK + BLOCK // 2
"""Words of a block that nothing makes smaller."""
OWNERS: Final = 1 << 22
_NUMBERS: Final = 1 << 24
"""Blocks before and after 1970: 1,900 years of hours."""
_SHAPE: Final = 14
"""Bits of a head below whose block it is: width of the sums (7), of what is held (6), whether any cell is odd."""


@inner
def _name(c: int, ring: int, block: int) -> int:
    return c << 27 | ring << 25 | (block + _NUMBERS)


@inner
def _row(cells: Any, c: int, ring: int) -> int:
    """Where a block of the ring lies if it is open."""
    return c if ring == MINUTES else len(cells.opened) - 1


@inner
def _place(cells: Any, ring: int, block: int) -> int:
    """The column of `where` that tells of a block."""
    if ring == MINUTES:
        return block % (cells.minutes // BLOCK + 1)  # type: ignore[no-any-return] # numba's int64
    block %= cells.hours // BLOCK + 2 if ring == HOURS else 1 << 40
    return cells.minutes // BLOCK + 1 + (0 if ring == HOURS else cells.hours // BLOCK + 2) + block  # type: ignore[no-any-return] # numba's int64


@inner
def find(cells: Any, c: int, ring: int, block: int) -> int:
    """Where a block stands: in `store`, or at −1 − row among the open ones; 0: nowhere."""
    row = _row(cells, c, ring)
    name = _name(c, ring, block)
    if cells.opened[row] == name:
        return -1 - row
    at: Any = np.int64(cells.where[c, _place(cells, ring, block)])
    return at if at > 0 and cells.store[at] >> _SHAPE == name else 0


@inner
def sum_at(cells: Any, at: int, i: int) -> int:
    """Cell i of a block: its number."""
    if at < 0:
        return cells.open_sums[-1 - at, i]  # type: ignore[no-any-return] # numba's int64
    store = cells.store
    return store[at + 1] + (store[at + 2] >> 32) * bits(store, at + HEAD, i, store[at] >> 7 & 127)  # type: ignore[no-any-return] # numba's int64


@inner
def held_at(cells: Any, at: int, i: int) -> int:
    """Cell i of a block: what is held with it."""
    if at < 0:
        return np.int64(cells.open_held[-1 - at, i])  # type: ignore[return-value] # numba's int64
    store = cells.store
    held = store[at + 2] & MASK
    width = store[at] >> 1 & 63
    if width:
        held += bits(store, at + HEAD + size(BLOCK, store[at] >> 7 & 127), i, width)
    return held  # type: ignore[no-any-return] # numba's int64


@inner
def opened(cells: Any, c: int, ring: int, block: int) -> int:
    """Lay a block open: the row in which it lies then; -1 where there is no room to put away what lies there.

    What stood in its place in the ring, a block of long ago, goes.
    """
    row = _row(cells, c, ring)
    name = _name(c, ring, block)
    if cells.opened[row] == name:
        return row
    if cells.opened[row] >= 0:
        if not room_for(cells, 1):
            return -1
        _put_away(cells, row)
    sums, held = cells.open_sums[row], cells.open_held[row]
    place = _place(cells, ring, block)
    at: Any = np.int64(cells.where[c, place])
    there = at > 0 and cells.store[at] >> _SHAPE == name
    for i in range(BLOCK):
        sums[i] = sum_at(cells, at, i) if there else 0
        held[i] = held_at(cells, at, i) if there else 0
    if at > 0:
        if not there:
            _forget(cells, at)
        cells.where[c, place] = 0
        cells.used[1] += _length(cells.store[at])
    cells.opened[row] = name
    return row


@inner
def room_for(cells: Any, blocks: int) -> bool:
    """Whether so many blocks find room, however large; else how much they want is noted.

    Asked before many cells are written: who runs out of room midway begins anew, and may never come to an end.
    """
    cells.used[2] = blocks * LARGEST
    return bool(cells.used[0] + cells.used[2] <= len(cells.store))


@inner
def blocks_of(first: int, stop: int) -> int:
    """In how many blocks the cells [first, stop) stand, and one more that may lie open now."""
    return (stop - 1) // BLOCK - first // BLOCK + 2 if first < stop else 0


@inner
def _length(head: int) -> int:
    """Words of a block."""
    return HEAD + size(BLOCK, head >> 7 & 127) + size(BLOCK, head >> 1 & 63)


@inner
def _forget(cells: Any, at: int) -> None:
    """The rows of a block's odd cells are free."""
    if cells.store[at] & 1:
        for i in range(BLOCK):
            if held_at(cells, at, i) & ODD:
                cells.free[0] += 1
                cells.free[cells.free[0]] = sum_at(cells, at, i)


@inner
def _put_away(cells: Any, row: int) -> None:
    """Pack the open block of a row; there is room for it."""
    store, sums, held = cells.store, cells.open_sums[row], cells.open_held[row]
    name = cells.opened[row]
    base, scale, width = form(sums, True)
    held_base, _, held_width = form(held, False)
    odd: Any = np.int64(0)
    for i in range(BLOCK):
        odd |= np.int64(held[i]) >> 31
    at = cells.used[0]
    more = at + HEAD + size(BLOCK, width)
    end = more + size(BLOCK, held_width)
    store[at] = name << _SHAPE | width << 7 | held_width << 1 | odd
    store[at + 1] = base
    store[at + 2] = scale << 32 | held_base
    for k in range(at + HEAD, end):
        store[k] = 0
    for i in range(BLOCK):
        put_bits(store, at + HEAD, i, width, sums[i] if width == RAW else (sums[i] - base) // scale)
        put_bits(store, more, i, held_width, int(held[i]) - held_base)
    c, ring, block = _named(name)
    cells.where[c, _place(cells, ring, block)] = at
    cells.used[0] = end
    cells.opened[row] = -1


@inner
def _named(name: int) -> tuple[int, int, int]:
    return name >> 27, name >> 25 & 3, (name & 2 * _NUMBERS - 1) - _NUMBERS


@kernel
def sweep(cells: Any, fresh: Any) -> None:
    """Close the gaps that dead blocks left in `store`; `fresh` are the same cells with rings that may be longer and
    nothing in `where`, which tells the places then.
    """
    store = cells.store
    at = 1
    to = 1
    while at < cells.used[0]:
        length = _length(store[at])
        c, ring, block = _named(store[at] >> _SHAPE)
        if cells.where[c, _place(cells, ring, block)] == at:
            fresh.where[c, _place(fresh, ring, block)] = to
            for k in range(length if to < at else 0):
                store[to + k] = store[at + k]
            to += length
        at += length
    cells.used[0] = to
    cells.used[1] = 0
