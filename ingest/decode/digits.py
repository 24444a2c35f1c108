"""JSON's numbers in a compiled pass: decimal text to an exact count of steps, never through a float."""

from __future__ import annotations

import numpy as np

from devices.readings import I64, U8
from ingest.decode.lookup import PLACES, ROOM, UNITS
from ingest.kernels import inlined

LONGEST = 60
"""Characters of a number that is read here."""
_POWERS = 10 ** np.arange(19, dtype=np.int64)
_FITS = (2**63 - 1) // _POWERS  # times the power it fits 64 bits
_MOST = 10**17 - 1  # a mantissa that may take another digit


@inlined
def skip(body: U8, p: int) -> int:
    """Behind JSON's white space. It ends before the payload does: a bracket stands there."""
    while body[p] <= 32 and (body[p] == 32 or body[p] == 10 or body[p] == 13 or body[p] == 9):
        p += 1
    return p


@inlined
def number(body: U8, p: int) -> tuple[int, int, int, bool]:
    """The JSON number at p: what stands behind it (-1: none, or not for here), mantissa, exponent, whole or not."""
    begun, mantissa, exponent, whole = p, 0, 0, True
    minus = body[p] == 45
    if minus:
        p += 1
    first = p
    if body[p] == 48:
        p += 1  # a digit behind a leading zero is no JSON: whoever called finds it instead of a comma
    else:
        while 48 <= body[p] <= 57:
            if mantissa > _MOST:
                return -1, 0, 0, False
            mantissa = mantissa * 10 + (body[p] - 48)
            p += 1
    if p == first:
        return -1, 0, 0, False
    if body[p] == 46:
        whole = False
        p += 1
        first = p
        while 48 <= body[p] <= 57:
            if mantissa > _MOST:
                return -1, 0, 0, False
            mantissa = mantissa * 10 + (body[p] - 48)
            p += 1
        exponent = first - p
        if exponent == 0:
            return -1, 0, 0, False
    if body[p] == 101 or body[p] == 69:
        whole = False
        p += 1
        down = body[p] == 45
        if down or body[p] == 43:
            p += 1
        first, power = p, 0
        while 48 <= body[p] <= 57 and p - first < 4:
            power = power * 10 + (body[p] - 48)
            p += 1
        if p == first or p - first == 4:
            return -1, 0, 0, False
        exponent += -power if down else power
    if p - begun > LONGEST:
        return -1, 0, 0, False
    return p, -mantissa if minus else mantissa, exponent, whole


@inlined
def count(mantissa: int, exponent: int, slots: I64, slot: int) -> tuple[int, bool]:
    """Steps nearest to mantissa * 10**exponent, half to even, and whether 64 bits were enough to tell."""
    shift = exponent + slots[slot, PLACES]
    top, divisor = abs(mantissa), slots[slot, UNITS]
    if shift > 0:
        if shift > 18 or top > _FITS[shift]:
            return 0, False
        top *= _POWERS[shift]
    elif shift < 0:
        if -shift > slots[slot, ROOM]:
            return 0, False
        divisor *= _POWERS[-shift]
    if divisor != 1:
        quotient = top // divisor
        twice = 2 * (top - quotient * divisor)
        top = quotient + (1 if twice > divisor or (twice == divisor and quotient & 1) else 0)
    return -top if mantissa < 0 else top, True
