"""Times as users write them: RFC 3339 with a zone, `2026-01-31T14:05:00+08:00`. Inside, UTC milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from devices.errors import ConfigurationError

_FORM = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?([Zz]|[+-]\d\d:\d\d)?", flags=re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MEND = "write it like `2026-01-31T14:05:00+08:00` or `…Z`"


def parse(text: str) -> int:
    """Milliseconds since 1970 UTC; ConfigurationError without a zone, or if it is no time of any day."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(f"`{text}` is not an RFC 3339 time", mend=_MEND)
    day, minute, second, fraction, zone = found.groups()
    if zone is None:
        raise ConfigurationError(f"`{text}` has no zone", mend="end it in `Z` or an offset like `+08:00`")
    if second == "60":
        raise ConfigurationError(
            f"`{text}` is a leap second, which event time does not have", mend="use :59 or the next minute"
        )
    digits = (fraction or "").rstrip("0")
    if len(digits) > 3:
        raise ConfigurationError(f"`{text}` is finer than a millisecond", mend="give at most three decimals")
    try:
        whole = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}{zone.upper()}")
        since = whole - _EPOCH
    except (ValueError, OverflowError) as problem:
        raise ConfigurationError(f"`{text}` is no time of any day: {problem}", mend=_MEND) from None
    return since // timedelta(milliseconds=1) + int(digits.ljust(3, "0") or 0)


def instant(text: str) -> int:
    """The same of RFC 3339 or of a whole number of milliseconds since 1970, as programs write it."""
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    try:
        return parse(text)
    except ConfigurationError as problem:
        raise ConfigurationError(problem.cause, mend=f"{problem.mend}, or milliseconds since 1970") from None


def format(ms: int, zone: tzinfo = UTC) -> str:  # noqa: A001 – `times.format`, twin of `times.parse`
    """RFC 3339 in that zone; milliseconds only where there are any. Years 1 to 9999."""
    when = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone)
    text = when.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
    return text.removesuffix("+00:00") + "Z" if zone is UTC else text
