"""A retry: messages of the quarantine, decoded once more under the registry in force when somebody asked for it.

It is a command of the log that carries the messages themselves, so a replay repeats it and it outlives the segments
they came in. Each keeps the log position and the receive time it had: its readings are as late as they are.

What waited for approval has no rival from before it (nobody stored its channel then), so a reading without `rev` goes
in with `rev` -1: whatever else came for its key came later in the log, and wins.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from devices.exact_json import Real, Whole, loads, spans
from devices.readings import Readings
from ingest.decode.definition import Decoder
from ingest.decode.result import Decoded
from ingest.log.record import Record, RecordKind

_HEAD = b'{"do": "retry"'
BODY_BYTES = 256 << 10
"""Of one command."""
_KEPT = ("ts", "rev", "q", "meter")
"""Reserved keys that a retried object keeps; `seq` was counted and `close` was done when it came."""


@dataclass(frozen=True, slots=True)
class Again:
    """One reject, as it is tried again."""

    position: int
    item: int
    reason: str
    received: int  # ms, when it first came
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


def is_retry(record: Record) -> bool:
    """Whether a record is such a command."""
    return record.entry.kind is RecordKind.COMMAND and record.entry.body.startswith(_HEAD)


def bodies(messages: Sequence[Again]) -> Iterator[bytes]:
    """The commands that retry these, each of about `BODY_BYTES` at most."""
    part: list[Again] = []
    size = 0
    for one in messages:
        if part and size + len(one.payload) > BODY_BYTES:
            yield body(part)
            part, size = [], 0
        part.append(one)
        size += len(one.payload) * 4 // 3 + 300
    if part:
        yield body(part)


def body(messages: Sequence[Again]) -> bytes:
    """One command."""
    rows = [
        [m.position, m.item, m.reason, m.received, m.topic, b64encode(m.payload).decode(), m.qos, m.retain]
        for m in messages
    ]
    return json.dumps({"do": "retry", "messages": rows}).encode()


def messages_of(record: Record) -> list[Again]:
    """What a command retries."""
    rows = json.loads(record.entry.body)["messages"]
    return [
        Again(position, item, reason, received, topic, b64decode(payload), qos, retain)
        for position, item, reason, received, topic, payload, qos, retain in rows
    ]


def let_in(one: Again, decoder: Decoder) -> tuple[Readings, tuple[str, ...], str]:
    """(the readings it gives now, names that go on waiting, why nothing else came in: the first reject's reason)."""
    told = decoder.message(one.topic.encode(), one.payload, one.received, qos=one.qos, retain=one.retain)
    readings = replace(told.readings, position=np.full(len(told.readings), one.position, np.int64))
    left = tuple(name for reject in told.rejects for name in reject.names)
    return readings, left, told.rejects[0].reason if told.rejects else ""


def decode(record: Record, decoder: Decoder) -> Decoded:
    """What a retry lets in. What is still at fault stays where it is: in the quarantine, under its first reason."""
    return Decoded(Readings.concat([let_in(one, decoder)[0] for one in messages_of(record)]))


# --- what is tried again of a message ------------------------------------------------------------


def again(payload: bytes, *, item: int, whole: bool, waiting: Collection[str] | None) -> bytes | None:
    """The text to try: of an array the object `item` unless `whole`; of what waits for approval the fields `waiting`
    (None: everything). None where the payload holds no such thing.
    """
    try:
        text = payload.decode()
        content = loads(text)
        if isinstance(content, list) and not whole:
            start, stop = spans(text)[item]
            text = text[start:stop]
            content = loads(text)
    except (ValueError, IndexError, RecursionError):
        return None
    if waiting is None:
        return text.encode()
    objects = content if isinstance(content, list) else [content]
    if not all(type(one) is dict for one in objects):
        return text.encode() if isinstance(content, Whole | Real) else None
    told = [_object(one, waiting) for one in objects]
    return (f"[{','.join(told)}]" if isinstance(content, list) else told[0]).encode()


def _object(content: dict[str, Any], waiting: Collection[str]) -> str:
    """The object with the reserved keys and those fields that wait (none named: all), its numbers digit for digit."""
    chosen = {k: v for k, v in content.items() if k in _KEPT or (k not in ("seq", "close") and _waits(k, waiting))}
    chosen.setdefault("rev", Whole("-1"))
    return "{" + ",".join(f"{json.dumps(k)}:{_value(v)}" for k, v in chosen.items()) + "}"


def _waits(key: str, waiting: Collection[str]) -> bool:
    return not waiting or key[:128] in waiting


def _value(value: Any) -> str:
    return str(value) if isinstance(value, Whole | Real) else json.dumps(value)
