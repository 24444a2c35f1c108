"""The averages of stacks as a registry writes them: `1min`, `30min`, `1h`, `1d`, `1mo`, `30-operating-days`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from devices import durations
from devices.errors import ConfigurationError

Kind = Literal["minute", "half-hour", "hour", "day", "month", "operating-days"]

MINUTE = "1min"
WITHIN = "-within"
"""Behind the name of an average: the share of its blocks within their limit, in %."""

_LENGTHS: dict[int, Kind] = {
    durations.MINUTE: "minute",
    30 * durations.MINUTE: "half-hour",
    durations.HOUR: "hour",
    durations.DAY: "day",
}
NAMES: dict[Kind, str] = {"minute": MINUTE, "half-hour": "30min", "hour": "1h", "day": "1d", "month": "1mo"}
"""What each is called unless the regime writes it otherwise."""
_OPERATING = re.compile(r"([1-9][0-9]{0,2})-operating-days")
_MEND = "use `1min`, `30min`, `1h`, `1d`, `1mo`, or like `30-operating-days`"


@dataclass(frozen=True, slots=True)
class Average:
    """One average: what is averaged over, and how it is written."""

    kind: Kind
    name: str
    days: int = 0  # operating days only: over how many

    @property
    def rank(self) -> tuple[int, int]:
        """For ordering: the shorter first."""
        return (*_LENGTHS.values(), "month", "operating-days").index(self.kind), self.days


@lru_cache(maxsize=256)
def average(text: str) -> Average:
    """The average of that name; ConfigurationError if it is none that is made."""
    text = text.strip()
    if found := _OPERATING.fullmatch(text):
        return Average("operating-days", text, int(found[1]))
    if text == NAMES["month"]:
        return Average("month", text)
    try:
        kind = _LENGTHS.get(durations.parse(text))
    except ConfigurationError as problem:
        raise ConfigurationError(f"`{text}` is not an average", mend=_MEND) from problem
    if kind is None:
        raise ConfigurationError(f"there is no average over `{text}`", mend=_MEND)
    return Average(kind, text)
