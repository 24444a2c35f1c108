"""Integers in as few bits as they need: base + scale × k, each k in `width` bits, one behind another in 64-bit words.

`scale` is what all differences from the least are a multiple of: decimals that were never sent, a meter's beat. So
sixty sums of a minute take 13 bits each where one of them alone takes 40; what has no such form takes 64.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from scoring.windows.exact import common
from scoring.windows.kernel import inner

RAW: Final = 64
"""Width of what stands as it is: base 0, scale 1."""
_FAR: Final = 1 << 61
_LARGEST: Final = 1 << 31
"""Scales are below."""
_MOST: Final = 62
"""Bits of a k that is no whole word."""


@inner
def size(count: int, width: int) -> int:
    """How many words so many integers take."""
    return count * width + 63 >> 6


@inner
def bits(words: Any, at: int, i: int, width: int) -> int:
    """The number i of those that stand from word `at` on."""
    if width == RAW:
        return words[at + i]  # type: ignore[no-any-return] # numba's int64
    if width == 0:
        return 0
    place = i * width
    at += place >> 6
    place &= 63
    value = words[at] >> place
    if place + width > 64:
        value = value & ((1 << (64 - place)) - 1) | words[at + 1] << (64 - place)
    return value & ((1 << width) - 1)  # type: ignore[no-any-return] # numba's int64


@inner
def put_bits(words: Any, at: int, i: int, width: int, value: int) -> None:
    """Write it where there are zeros."""
    if width == RAW:
        words[at + i] = value
        return
    if width == 0:
        return
    place = i * width
    at += place >> 6
    place &= 63
    words[at] |= value << place
    if place + width > 64:
        words[at + 1] |= value >> (64 - place)


@inner
def form(values: Any, scaled: bool) -> tuple[int, int, int]:
    """(base, scale, width) of some integers; scale 1 where it is not to be looked for."""
    least: Any = np.int64(values[0])  # of one type, or what follows is done in doubles
    most = least
    for one in values:
        value = np.int64(one)
        least = min(least, value)
        most = max(most, value)
    if least < -_FAR or most >= _FAR:
        return 0, 1, RAW
    scale = _divisor(values, least) if scaled and most > least else 1
    width: Any = np.int64(0)
    while (most - least) // scale >> width:
        width += 1
    if width > _MOST:
        return 0, 1, RAW
    return int(least), scale, width


@inner
def _divisor(values: Any, least: int) -> int:
    """The greatest common divisor of the values' differences from the least, or a part of it that is small enough."""
    divisor: Any = np.int64(0)
    for value in values:
        divisor = common(int(value) - least, divisor)
        if divisor == 1:
            return 1
    while divisor >= _LARGEST:
        if divisor % 2 == 0:
            divisor //= 2
        elif divisor % 5 == 0:
            divisor //= 5
        else:
            return 1
    return int(divisor)
