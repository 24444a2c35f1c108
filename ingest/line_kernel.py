"""The compiled twin of `ReadingEncoder`: columns to line protocol, one buffer, the digits copied."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from devices.readings import I32, I64, U8, Readings
from ingest.kernels import inlined, kernel
from ingest.wide import copy


class Words(NamedTuple):
    """What a plant's lines are made of, ready to be copied."""

    text: U8  # heads of the meters' series and names of the channels' fields
    head: I32  # [meter, 2]: where `reading,…tags ` stands, and its size
    channel: I32  # [channel, 5]: meter; where `name=` stands, its size; where `name_q="` stands, its size


def build(heads: list[bytes], meters: list[int], fields: list[bytes], letters: list[bytes]) -> Words:
    """The words of a plant: a head a meter; meter, field and letter's field a channel, as `ReadingEncoder` has them."""
    known: dict[bytes, int] = {}
    end = 0
    for word in (*heads, *fields, *(letter + b'"' for letter in letters)):
        if word not in known:
            known[word] = end
            end += len(word)
    channel = [
        (meter, known[field], len(field), known[letter + b'"'], len(letter) + 1)
        for meter, field, letter in zip(meters, fields, letters, strict=True)
    ]
    return Words(
        np.frombuffer(b"".join(known) + bytes(72), np.uint8),
        np.array([(known[head], len(head)) for head in heads], np.int32).reshape(-1, 2),
        np.array(channel, np.int32).reshape(-1, 5),
    )


def encode(
    readings: Readings, says: np.ndarray[tuple[int], np.dtype[np.bool_]], words: Words
) -> tuple[bytes, I64, I64]:
    """Lines with a line end behind each, where each begins (one more: the end), the first row of each (one more: n).

    says  rows whose letter is written; each an ASCII letter. Times are not negative.
    """
    n = len(readings)
    size = int(words.head[words.channel[readings.channel, 0], 1].sum()) + int(
        (words.channel[readings.channel, 2] + words.channel[readings.channel, 4]).sum()
    )
    size += int((readings.stop - readings.start).sum()) + n * _REST
    out, begins, first = np.empty(size, np.uint8), np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
    lines, end = _lines(
        readings.channel, readings.ts, readings.letter, readings.start, readings.stop,
        np.frombuffer(readings.text, np.uint8), says, words, out, begins, first, np.empty(128, np.int64),
    )  # fmt: skip
    return out[:end].tobytes(), begins[: lines + 1].copy(), first[: lines + 1].copy()


_REST = 32
"""Bytes of a line besides words and digits: letter, quotes, commas, time, line end."""


@inlined
def _time(ts: int, out: U8, to: int) -> int:
    """` <ts>` and the line's end."""
    out[to] = 32
    digits, rest = 1, ts // 10
    while rest:
        digits, rest = digits + 1, rest // 10
    for k in range(to + digits, to, -1):
        out[k] = 48 + ts % 10
        ts //= 10
    out[to + digits + 1] = 10
    return to + digits + 2


_LARGE = 4096  # meters, from which on their words do not stay in the cache


@inlined
def _touch(channel: I32, row: int, words: Words, ahead: I64) -> None:
    """Read what the next rows need, many at once (see `ingest.decode.lookup.touch`)."""
    rows = min(len(ahead), len(channel) - row)
    for k in range(rows):
        ahead[k] = words.channel[channel[row + k], 0]
    for k in range(rows):
        ahead[k] = words.head[ahead[k], 0]
    for k in range(rows):
        ahead[k] = words.text[ahead[k]] + words.text[ahead[k] + 64]


@kernel
def _lines(
    channel: I32, ts: I64, letter: U8, start: I32, stop: I32, text: U8,
    says: np.ndarray[tuple[int], np.dtype[np.bool_]], words: Words, out: U8, begins: I64, first: I64, ahead: I64,
) -> tuple[int, int]:  # fmt: skip
    """Fill `out`, `begins` and `first`; the number of lines, and of bytes."""
    lines, to, meter, time, highest = 0, 0, -1, -1, -1
    for row in range(len(channel)):
        if row % len(ahead) == 0 and len(words.head) > _LARGE:
            _touch(channel, row, words, ahead)
        field = channel[row]
        again = field <= highest
        if again:  # a field never stands twice in a line
            again = False
            for k in range(first[lines - 1], row):
                again |= channel[k] == field
        owner = words.channel[field, 0]
        if owner != meter or ts[row] != time or again:
            if lines:
                to = _time(time, out, to)
            meter, time, highest = owner, ts[row], -1
            begins[lines], first[lines] = to, row
            lines += 1
            to = copy(words.text, words.head[meter, 0], words.head[meter, 1], out, to)
        else:
            out[to] = 44
            to += 1
        highest = max(highest, field)
        to = copy(words.text, words.channel[field, 1], words.channel[field, 2], out, to)
        to = copy(text, start[row], stop[row] - start[row], out, to)
        if says[row]:
            out[to] = 44
            to = copy(words.text, words.channel[field, 3], words.channel[field, 4], out, to + 1)
            out[to], out[to + 1] = letter[row], 34
            to += 2
    if lines:
        to = _time(time, out, to)
    begins[lines], first[lines] = to, len(channel)
    return lines, to
