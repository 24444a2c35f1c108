"""The compiled twin of the definition: one pass over a record's PUBLISH frames, from bytes to columns.

    frame ──> fixed header, topic, packet id, properties ──> {…}, [{…}, …] or a bare number ──> rows
       └─────────── anything it does not recognise: the frame's place, for the definition ────> `slow`

It may accept only what the definition accepts, with the same result; whatever looks odd is left to the
definition: escapes, nesting, unknown keys, a key twice, `close`, more than 18 digits, every fault.
"""

from __future__ import annotations

import numpy as np

from devices.readings import U8
from ingest.decode.digits import LONGEST, number, skip
from ingest.decode.lookup import AHEAD, BASE, FIRST, LARGE, SHAPE, Tables, touch
from ingest.decode.lookup import meter as meter_of
from ingest.decode.lookup import slot as slot_of
from ingest.decode.object_kernel import DUP, QOS0, RETAINED, UNTIMED, Out, flat, row
from ingest.kernels import inlined, kernel


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
    mark = (QOS0 if qos == 0 else 0) | (RETAINED if body[at] & 1 else 0) | (DUP if body[at] & 8 else 0)
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
            p, n, t, s = flat(body, p, end, meter, mark, position, first, last, tables, out, n, t, s)
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
                p, n, t, s = flat(body, p, end, meter, mark, position, first, last, tables, out, n, t, s)
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
    if above < 0 or mark & RETAINED:
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
    text = row(scratch, 0, length, mantissa, exponent, slot, base, mark | UNTIMED, tables, out, n, t)
    if text < 0:
        return False, n, t, s
    out.ts[n], out.rev[n], out.letter[n], out.position[n] = received, 0, 78, position
    return True, n + 1, text, s
