"""The compiled pass over one flat object of a payload: keys in any order, numbers to rows."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from devices.readings import I32, I64, U8, Mark
from ingest.decode.digits import count, number, skip
from ingest.decode.lookup import (
    BASE,
    FIRST,
    HIGH,
    KEY,
    KEY_SHAPE,
    KEY_SIZE,
    LOW,
    NAME,
    NAME_SIZE,
    OFFSET,
    SHAPE,
    Tables,
)
from ingest.decode.lookup import slot as slot_of
from ingest.decode.values import LAST_SEQ
from ingest.kernels import inlined, kernel
from ingest.wide import copy, same

# Reserved keys, bit by bit
TS: Final = 1
SEQ: Final = 2
REV: Final = 4
Q: Final = 8
NAMED: Final = 16


class Out(NamedTuple):
    """Columns that the pass fills: rows as in `Readings`, `seq`s, frames left to the definition."""

    channel: I32
    ts: I64
    value: I64
    rev: I64
    letter: U8
    mark: U8
    position: I64
    start: I32
    stop: I32
    text: U8
    seq: I64  # [n, 2]: meter, seq
    slow: I64  # [n, 4]: where the frame begins and ends, rows and seqs before it
    scratch: U8  # a bare number's text
    ahead: I64  # [AHEAD], for `touch`


METER = np.frombuffer(b"meter", np.uint8)
RETAINED = int(Mark.RETAINED)
DUP = int(Mark.REDELIVERED)
QOS0 = int(Mark.UNGUARANTEED)
UNTIMED = int(Mark.RECEIVE_TIME)
OUTSIDE = int(Mark.OUT_OF_RANGE)


@inlined
def row(
    body: U8, p: int, behind: int, mantissa: int, exponent: int,
    slot: int, base: int, mark: int, tables: Tables, out: Out, n: int, t: int,
) -> int:  # fmt: skip
    """The number at `body[p:behind]` as row n, its digits copied to `text[t:]`; the new t, -1: not for here."""
    value, known = count(mantissa, exponent, tables.slots, slot)
    if not known:
        return -1
    if value < tables.slots[slot, LOW] or value > tables.slots[slot, HIGH]:
        value, mark = 0, mark | OUTSIDE
    out.channel[n] = base + tables.slots[slot, OFFSET]
    out.value[n] = value
    out.mark[n] = mark
    out.start[n] = t
    t = copy(body, p, behind - p, out.text, t)
    out.stop[n] = t
    return t


@inlined
def flat(
    body: U8, p: int, end: int, meter: int, mark: int, position: int, first: int, last: int,
    tables: Tables, out: Out, n: int, t: int, s: int,
) -> tuple[int, int, int, int]:  # fmt: skip
    """The flat object at p; what stands behind it (-1: not for here), and the counts of rows, text and seqs."""
    shape, base = tables.meters[meter, SHAPE], tables.meters[meter, BASE]
    guess, highest, begun = tables.meters[meter, FIRST], -1, n
    ts, rev, letter, seen = 0, 0, np.uint8(78), 0  # N
    p = skip(body, p + 1)
    while True:
        if body[p] != 34:
            return -1, n, t, s
        p += 1
        slot, behind = -1, p + tables.slots[guess, KEY_SIZE]
        if (
            behind < end
            and body[behind] == 34
            and tables.slots[guess, KEY_SHAPE] == shape
            and same(body, p, tables.names, tables.slots[guess, KEY], tables.slots[guess, KEY_SIZE])
        ):
            slot = guess  # keys come in the registry's order more often than not
        reserved = 0
        if slot < 0:
            behind = p
            while behind < end and body[behind] != 34:
                behind += 1
            if behind >= end - 1:
                return -1, n, t, s
            reserved = _reserved(body, p, behind - p)
            if not reserved:
                slot = slot_of(body, p, behind - p, shape, tables)
                if slot < 0:
                    return -1, n, t, s
        p = skip(body, behind + 1)
        if body[p] != 58:
            return -1, n, t, s
        p = skip(body, p + 1)
        if body[p] == 34:  # a text
            p += 1
            if reserved == Q and p + 1 < end and body[p + 1] == 34 and _flag(body[p]):
                letter = body[p]
                p += 2
            elif reserved == NAMED:
                size = tables.meters[meter, NAME_SIZE]
                if p + size >= end or body[p + size] != 34:
                    return -1, n, t, s
                if not same(body, p, tables.names, tables.meters[meter, NAME], size):
                    return -1, n, t, s
                p += size + 1
            else:
                return -1, n, t, s
        else:
            behind, mantissa, exponent, whole = number(body, p)
            if behind < 0:
                return -1, n, t, s
            if slot >= 0:
                if slot <= highest:  # out of order: has it been here already?
                    for k in range(begun, n):
                        if out.channel[k] == base + tables.slots[slot, OFFSET]:
                            return -1, n, t, s
                highest = max(highest, slot)
                guess = slot + 1
                t = row(body, p, behind, mantissa, exponent, slot, base, mark, tables, out, n, t)
                if t < 0:
                    return -1, n, t, s
                n += 1
            elif not whole:
                return -1, n, t, s
            elif reserved == TS and first <= mantissa <= last:
                ts = mantissa
            elif reserved == REV:
                rev = mantissa
            elif reserved == SEQ and 0 <= mantissa <= LAST_SEQ:
                if not mark & RETAINED:
                    out.seq[s, 0], out.seq[s, 1] = meter, -1 - mantissa if mark & DUP else mantissa
                    s += 1
            else:
                return -1, n, t, s
            p = behind
        if seen & reserved or p >= end:
            return -1, n, t, s
        seen |= reserved
        p = skip(body, p)
        if body[p] == 125:
            break
        if body[p] != 44:
            return -1, n, t, s
        p = skip(body, p + 1)
    if n == begun or not seen & TS:
        return -1, n, t, s
    for k in range(begun, n):
        out.ts[k], out.rev[k], out.letter[k], out.position[k] = ts, rev, letter, position
    return p + 1, n, t, s


@inlined
def _reserved(body: U8, p: int, size: int) -> int:
    """Which reserved key it is; 0: none that is read here."""
    if size == 2 and body[p] == 116 and body[p + 1] == 115:
        return TS
    if size == 1 and body[p] == 113:
        return Q
    if size == 3 and body[p] == 115 and body[p + 1] == 101 and body[p + 2] == 113:
        return SEQ
    if size == 3 and body[p] == 114 and body[p + 1] == 101 and body[p + 2] == 118:
        return REV
    if size == 5 and same(body, p, METER, 0, 5):
        return NAMED
    return 0


@kernel
def _flag(letter: int) -> bool:
    """Whether it is one of HJ 212's letters: N F M S D C T B."""
    return letter == 78 or letter == 70 or letter == 77 or letter == 83 or (
        letter == 68 or letter == 67 or letter == 84 or letter == 66
    )  # fmt: skip
