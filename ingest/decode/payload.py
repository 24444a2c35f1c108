"""Payload bytes to JSON values, or the fault that keeps them out. Knows nothing of meters.

The checks that must come before parsing stand before it: size, encoding, nesting. Numbers stay text.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from devices.exact_json import loads
from devices.foreign import shown
from ingest.decode.faults import Fault

DEEPEST = 16
"""Levels of nesting that are still read."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_CUT_SHORT = re.compile(
    r"\s*|-|\.|[eE][+-]?|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|u[0-9a-fA-F]{0,3}"
)  # what may be left of JSON where it was cut
_DEPTH = np.zeros(256, np.int8)
_DEPTH[[ord("["), ord("{")]] = 1
_DEPTH[[ord("]"), ord("}")]] = -1
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_PLAIN = "publish plain JSON text in UTF-8"


def parse(payload: bytes, largest: int, cut_from: int = -1) -> Any:
    """The JSON value of a payload (see `devices.exact_json`). Raises `Fault`.

    cut_from  bytes of a payload that was too large for the wire, of which `payload` is the beginning
    """
    if cut_from >= 0 or len(payload) > largest:
        raise Fault(
            "too-large",
            f"the payload has {max(len(payload), cut_from):,} bytes, more than the {largest:,} that are accepted",
            f"payload byte {largest}",
            "send fewer readings in one message",
        )
    text = _text(payload)
    if payload.count(b"[") + payload.count(b"{") > DEEPEST:
        _refuse_deep(payload)
    try:
        return loads(text)
    except json.JSONDecodeError as error:
        raise _not_json(text, error) from None


def _text(payload: bytes) -> str:
    if payload.startswith(b"\xef\xbb\xbf"):
        raise Fault("bom", "the payload begins with a byte-order mark", "payload byte 0", "publish UTF-8 without a BOM")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        kind = next((name for magic, name in _MAGIC.items() if payload.startswith(magic)), None)
        raise Fault(
            "not-utf8",
            f"the payload is {kind}-compressed, not text" if kind else "the payload is not UTF-8 text",
            f"payload byte {error.start}",
            f"switch compression off in the meter: {_PLAIN}" if kind else _PLAIN,
        ) from None
    if not text or text.isspace():
        raise Fault("empty", "the payload is empty", "payload byte 0", 'publish {"ts": <ms>, "<field>": <number>}')
    return text


def _refuse_deep(payload: bytes) -> None:
    brackets = np.frombuffer(_STRING.sub(b"", payload), np.uint8)
    if np.cumsum(_DEPTH[brackets], dtype=np.int32).max() > DEEPEST:
        raise Fault(
            "too-deep",
            f"the payload is nested more than {DEEPEST} levels deep",
            "payload",
            "publish one flat object, or an array of flat objects",
        )


def _not_json(text: str, error: json.JSONDecodeError) -> Fault:
    at = len(text[: error.pos].encode("utf-8"))
    where, rest = f"payload byte {at}", text[error.pos :]
    if error.msg.startswith("Extra data"):
        return Fault(
            "trailing-bytes", f"after the JSON value comes {shown(rest)}", where, "publish one value a message"
        )
    if error.msg.startswith("Invalid control character"):
        return Fault("control-character", "a text contains a raw control character", where, "remove it from the text")
    if error.msg.startswith("Unterminated string") or _CUT_SHORT.fullmatch(rest):
        end = f"payload byte {len(text.encode('utf-8'))}"
        return Fault("truncated", "the JSON ends before it is complete", end, "check the meter's message buffer size")
    return Fault("not-json", f"the payload is not JSON at {shown(rest)}: {error.msg.lower()}", where, _PLAIN)
