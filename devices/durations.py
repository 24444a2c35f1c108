"""Durations as users write them: `250ms 90s 15min 8h 30d`, one number and one unit, exact to the millisecond."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from devices.errors import ConfigurationError

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {"ms": 1, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
_FORM = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*([A-Za-z]+)", flags=re.ASCII)
_MEANT = {
    "m": "min", "mins": "min", "minute": "min", "minutes": "min", "sec": "s", "secs": "s", "seconds": "s",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d",
}  # fmt: skip


@lru_cache(maxsize=4096)
def parse(text: str) -> int:
    """Milliseconds of `90s`, `15min`, `1.5h`; ConfigurationError if it cannot be read or is finer than 1 ms."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(
            f"`{text}` is not a duration", mend="write one number and one of ms, s, min, h, d, like `15min`"
        )
    number, symbol = found.groups()
    if symbol not in _UNITS:
        meant = _MEANT.get(symbol.lower())
        mend = f"did you mean `{number}{meant}`?" if meant else "use ms, s, min, h or d, like `15min`"
        raise ConfigurationError(f"`{symbol}` is not a unit of time here", mend=mend)
    ms = Fraction(number) * _UNITS[symbol]
    if ms.denominator != 1:
        raise ConfigurationError(f"`{text}` is not a whole number of milliseconds", mend="use a coarser value")
    return int(ms)


def format(ms: int) -> str:  # noqa: A001 – `durations.format`, twin of `durations.parse`
    """The shortest way to write it: the largest unit that divides it."""
    for symbol, size in reversed(_UNITS.items()):
        if ms % size == 0 and (ms or symbol == "s"):
            return f"{ms // size}{symbol}"
    return f"{ms}ms"
