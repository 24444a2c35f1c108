"""The keys of one object: its reserved keys and its numbers, each taken or refused with a `Fault`."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from devices.exact_json import Odd, Real, Twice, Whole
from devices.foreign import shown
from devices.quantise import LONGEST
from devices.readings import NORMAL
from ingest.decode.faults import Fault

RESERVED = frozenset(("ts", "seq", "rev", "q", "meter", "close"))

FLAGS = {
    "N": "normal",
    "F": "stopped",
    "M": "maintenance",
    "S": "manual",
    "D": "fault",
    "C": "calibration",
    "T": "over range",
    "B": "communication lost",
}
"""HJ 212's letters."""

LAST_SEQ: Final = (1 << 53) - 1
_INT64 = 2**63
_QUOTES = "publish the number without quotes"


def number(key: str, value: Any) -> str:
    """The text of a number, as it stood in the payload."""
    if type(value) is Real:
        if len(value) <= LONGEST and math.isfinite(float(value)):  # a test only: the amount never is a float
            return value
    elif type(value) is Whole and (len(value) < 20 or (len(value) <= LONGEST and abs(int(value)) < 2**64)):
        return value
    raise _not_a_number(key, value)


def _not_a_number(key: str, value: Any) -> Fault:
    where = f"key {shown(key)}" if key else "payload"
    if isinstance(value, (Whole, Real)):
        if len(value) > LONGEST:
            cause, mend = f"the number has {len(value):,} characters", f"publish at most {LONGEST} characters a number"
            return Fault("number-too-long", cause, where, mend)
        if isinstance(value, Whole):
            cause = (
                f"the whole number {shown(value)} is 2^64 or more: a counter has overflowed or two were run together"
            )
            return Fault("integer-too-large", cause, where, "check the register's width and byte order")
        cause = f"{shown(value)} is greater than any number that can be stored (1.8e308)"
        return Fault("not-finite", cause, where, "leave the key out while the sensor gives no value")
    if isinstance(value, Odd):
        cause = f"{value} is not a number: the sensor gave no value"
        return Fault("not-finite", cause, where, "leave the key out while the sensor gives no value")
    if isinstance(value, bool):
        cause = f"the value is {str(value).lower()}, not a number"
        return Fault("boolean", cause, where, "publish 1 and 0, or leave the key out")
    if value is None:
        return Fault("null", "the value is null", where, "leave the key out while the sensor gives no value")
    if isinstance(value, (dict, list, Twice)):
        mend = "publish each number under a key of its own, not inside another object or array"
        return Fault("nested", "the value is an object or array, not a number", where, mend)
    return Fault("text", f"the value {shown(value)} is text, not a number", where, _QUOTES)


def whole(key: str, value: Any) -> int:
    """A reserved key that holds a 64-bit whole number: `seq`, `rev`."""
    if type(value) is Whole and len(value) <= 20 and -_INT64 <= (count := int(value)) < _INT64:
        return count
    kind = shown(value) if isinstance(value, str) else "of another kind"
    raise Fault(
        f"bad-{key}",
        f"{key} is {kind}, not a whole number of 64 bits",
        f'key "{key}"',
        f"count {key} up from 0 by ones",
    )


def sequence(value: Any) -> int:
    """The key `seq`: a count of messages, which no meter brings beyond what every language counts exactly."""
    if 0 <= (count := whole("seq", value)) <= LAST_SEQ:
        return count
    raise Fault("bad-seq", f"seq is {shown(value)}, no count of messages", 'key "seq"', "count seq up from 0 by ones")


def event_time(found: dict[str, Any]) -> int:
    """The key `ts`: any whole number; whether it is plausible is judged elsewhere."""
    value = found.get("ts")
    where, mend = 'key "ts"', "send ts as a whole number of milliseconds since 1970-01-01 UTC"
    if type(value) is Whole and len(value) <= LONGEST:
        return int(value)
    if "ts" not in found:
        raise Fault("no-time", "the reading has no ts", where, mend)
    if isinstance(value, Real):
        raise Fault("bad-time", f"ts is {shown(value)}, not a whole number of milliseconds", where, mend)
    kind = f"the text {shown(value)}" if type(value) is str else "not a number"
    raise Fault("bad-time", f"ts is {kind}", where, mend)


def letter(value: Any) -> int:
    """The key `q`: an HJ 212 letter, as ASCII."""
    if value == "N":
        return NORMAL
    if type(value) is str and value in FLAGS:
        return ord(value)
    known = ", ".join(f"{flag} {meaning}" for flag, meaning in FLAGS.items())
    given = shown(value) if isinstance(value, str) else "not a letter"
    raise Fault("bad-flag", f"the quality flag is {given}", 'key "q"', f"HJ 212 has {known}")


def refuse_identity(value: Any, meter: str) -> None:
    """The key `meter` must name the meter whose topic this is."""
    if value != meter or type(value) is not str:
        given = shown(value) if isinstance(value, str) else "not a name"
        raise Fault(
            "identity",
            f"the payload says it is meter {given}, its topic belongs to {shown(meter)} (security event)",
            'key "meter"',
            "check which device publishes here, its credentials and the broker's access rules",
        )


def refuse_name(name: str) -> None:
    """A name with control characters is nobody's, and not to be shown to anybody."""
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in name):
        raise Fault(
            "control-character",
            f"the name {shown(name)} contains a control character",
            f"key {shown(name)}",
            "check the meter's configuration and its byte order",
        )


def refuse_surrogates(found: Any) -> None:
    r"""Half of a character (`\\ud800` alone) can't be written as UTF-8, so nothing could store it."""
    try:
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise Fault(
            "lone-surrogate",
            r"a text contains half a character (a lone \ud800 to \udfff)",
            "payload",
            "check how the meter escapes its texts",
        ) from None
