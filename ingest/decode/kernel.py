"""The compiled twin of the definition: one pass over a record's PUBLISH frames, from bytes to columns.

    frame ──> fixed header, topic, packet id, properties ──> {…}, [{…}, …] or a bare number ──> rows
       └─────────── anything it does not recognise: the frame's place, for the definition ────> `slow`

It may accept only what the definition accepts, with the same result; whatever looks odd is left to the
definition: escapes, nesting, unknown keys, a key twice, `close`, more than 18 digits, every fault.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from devices.readings import I32, I64, U8, Mark
from ingest.decode.digits import LONGEST, count, number, skip
from ingest.decode.lookup import (
    AHEAD,
    BASE,
    FIRST,
    HIGH,
    KEY,
    KEY_SHAPE,
    KEY_SIZE,
    LARGE,
    LOW,
    NAME,
    NAME_SIZE,
    OFFSET,
    SHAPE,
    Tables,
    touch,
)
from ingest.decode.lookup import meter as meter_of
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
_RETAINED = int(Mark.RETAINED)
_DUP = int(Mark.REDELIVERED)
_QOS0 = int(Mark.UNGUARANTEED)
_UNTIMED = int(Mark.RECEIVE_TIME)
_OUTSIDE = int(Mark.OUT_OF_RANGE)


@inlined
def _row(
    body: U8, p: int, behind: int, mantissa: int, exponent: int,
    slot: int, base: int, mark: int, tables: Tables, out: Out, n: int, t: int,
) -> int:  # fmt: skip
    """The number at `body[p:behind]` as row n, its digits copied to `text[t:]`; the new t, -1: not for here."""
    value, known = count(mantissa, exponent, tables.slots, slot)
    if not known:
        return -1
    if value < tables.slots[slot, LOW] or value > tables.slots[slot, HIGH]:
        value, mark = 0, mark | _OUTSIDE
    out.channel[n] = base + tables.slots[slot, OFFSET]
    out.value[n] = value
    out.mark[n] = mark
    out.start[n] = t
    t = copy(body, p, behind - p, out.text, t)
    out.stop[n] = t
    return t


@inlined
def _object(
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
                t = _row(body, p, behind, mantissa, exponent, slot, base, mark, tables, out, n, t)
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
                if not mark & (_RETAINED | _DUP):
                    out.seq[s, 0], out.seq[s, 1] = meter, mantissa
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


@kernel
def decode(
    body: U8, level: int, body_at: int, received: int, first: int, last: int, tables: Tables, out: Out
) -> tuple[int, int, int, int, int]:
    """All frames of a record body. Returns the counts of rows, bytes of text, seqs, slow frames, frames.

    level     MQTT protocol level, 5 or 4
    body_at   log position of the body
    first, last   event times that are plausible at the receive time, both included
    """
    n, t, s, slow, frames, at, size = 0, 0, 0, 0, 0, 0, len(body)
    scratch = out.scratch
    while at < size:
        if frames % AHEAD == 0 and len(tables.topics) > LARGE:
            touch(body, at, tables, out.ahead)
        frames += 1
        p, remaining, whole = at + 1, 0, False
        for k in range(4):
            if p >= size:
                break
            remaining |= (body[p] & 127) << 7 * k
            p += 1
            if body[p - 1] < 128:
                whole = True
                break
        if not whole or body[at] & 0xF0 != 0x30 or p + remaining > size:
            end, good = size, False
        else:
            end = p + remaining
            good, n, t, s = _frame(
                body, at, p, end, level, body_at, received, first, last, tables, out, n, t, s, scratch
            )
        if not good:
            out.slow[slow, 0], out.slow[slow, 1], out.slow[slow, 2], out.slow[slow, 3] = at, end, n, s
            slow += 1
        at = end
    return n, t, s, slow, frames


@inlined
def _frame(
    body: U8, at: int, p: int, end: int, level: int, body_at: int, received: int, first: int, last: int,
    tables: Tables, out: Out, n: int, t: int, s: int, scratch: U8,
) -> tuple[bool, int, int, int]:  # fmt: skip
    """The frame at `at`, its variable header at p: whether it was taken, and the counts of rows, text and seqs."""
    qos = body[at] >> 1 & 3
    if p + 2 > end or qos == 3:
        return False, n, t, s
    topic, topic_size = p + 2, np.int64(body[p]) << 8 | body[p + 1]
    p = topic + topic_size + (2 if qos else 0)
    if level == 5:
        properties, whole = 0, False
        for k in range(4):
            if p >= end:
                return False, n, t, s
            properties |= (body[p] & 127) << 7 * k
            p += 1
            if body[p - 1] < 128:
                whole = True
                break
        if not whole:
            return False, n, t, s
        p += properties
    if end - p > tables.largest[0]:
        return False, n, t, s
    while p < end and (body[end - 1] == 32 or body[end - 1] == 10 or body[end - 1] == 13 or body[end - 1] == 9):
        end -= 1
    if p >= end:
        return False, n, t, s
    meter = meter_of(body, topic, topic_size, tables)
    mark = (_QOS0 if qos == 0 else 0) | (_RETAINED if body[at] & 1 else 0) | (_DUP if body[at] & 8 else 0)
    position = body_at + at
    if meter < 0:
        return _bare(body, topic, topic_size, p, end, mark, position, received, tables, out, n, t, s, scratch)
    if tables.meters[meter, FIRST] < 0:
        return False, n, t, s
    rows, texts, seqs = n, t, s
    ending = body[end - 1]
    if ending == 125:  # one object
        p = skip(body, p)
        if body[p] == 123:
            p, n, t, s = _object(body, p, end, meter, mark, position, first, last, tables, out, n, t, s)
            if p == end:
                return True, n, t, s
    elif ending == 93:  # an array of them
        p = skip(body, p)
        if body[p] == 91:
            p += 1
            while True:
                p = skip(body, p)
                if body[p] != 123:
                    break
                p, n, t, s = _object(body, p, end, meter, mark, position, first, last, tables, out, n, t, s)
                if p < 0 or p >= end:
                    break
                p = skip(body, p)
                if body[p] == 93 and p == end - 1:
                    return True, n, t, s
                if body[p] != 44:
                    break
                p += 1
    return False, rows, texts, seqs


@kernel
def _bare(
    body: U8, topic: int, size: int, p: int, end: int, mark: int, position: int, received: int,
    tables: Tables, out: Out, n: int, t: int, s: int, scratch: U8,
) -> tuple[bool, int, int, int]:  # fmt: skip
    """One number on a channel's own topic: the meter's, one level up, and the key behind it."""
    above = size - 1
    while above >= 0 and body[topic + above] != 47:
        above -= 1
    if above < 0 or mark & _RETAINED:
        return False, n, t, s
    meter = meter_of(body, topic, above, tables)
    if meter < 0 or tables.meters[meter, FIRST] < 0:
        return False, n, t, s
    slot = slot_of(body, topic + above + 1, size - above - 1, tables.meters[meter, SHAPE], tables)
    while p < end and (body[p] == 32 or body[p] == 10 or body[p] == 13 or body[p] == 9):
        p += 1
    length = end - p
    if slot < 0 or length > LONGEST:
        return False, n, t, s
    for k in range(length):  # a copy with an end of its own: what follows in the body may be a digit
        scratch[k] = body[p + k]
    scratch[length] = 0
    behind, mantissa, exponent, _ = number(scratch, 0)
    if behind != length:
        return False, n, t, s
    base = tables.meters[meter, BASE]
    text = _row(scratch, 0, length, mantissa, exponent, slot, base, mark | _UNTIMED, tables, out, n, t)
    if text < 0:
        return False, n, t, s
    out.ts[n], out.rev[n], out.letter[n], out.position[n] = received, 0, 78, position
    return True, n + 1, text, s
