"""What would become of a message? The definition itself is asked; nothing is stored."""

from __future__ import annotations

import time
from typing import Any

from devices.plant.model import Plant
from devices.readings import NORMAL, Mark, Readings
from ingest.decode.definition import Decoder
from ingest.decode.result import Reject

_NAMES = {
    Mark.OUT_OF_RANGE: "out-of-range",
    Mark.RECEIVE_TIME: "receive-time",
    Mark.RETAINED: "retained",
    Mark.UNGUARANTEED: "unguaranteed",
    Mark.REDELIVERED: "redelivered",
}


def explain(plant: Plant, topic: str, payload: bytes | str, received: int | None = None) -> dict[str, Any]:
    """The outcome of one message, as the JSON object of contracts.md; keys never differ.

    received  ms since 1970 UTC; now, if not given

    `outcome` is the worst that happens to any part of it: quarantined, pending, stored. `readings` are those
    that would be stored all the same; `reason`, `cause`, `where`, `mend` are the first reject's, else null;
    `rejects` has them all.
    """
    raw = payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogateescape")
    now = time.time_ns() // 1_000_000 if received is None else received
    decoded = Decoder(plant).message(topic.encode("utf-8", "surrogateescape"), raw, now)
    rejects = sorted(decoded.rejects, key=lambda reject: (reject.outcome == "pending", reject.item))
    first = rejects[0] if rejects else None
    return {
        "outcome": first.outcome if first else "stored",
        "readings": [_reading(plant, decoded.readings, row) for row in range(len(decoded.readings))],
        "reason": first.reason if first else None,
        "cause": first.cause if first else None,
        "where": first.where if first else None,
        "mend": first.mend if first else None,
        "closes": bool(decoded.closes),
        "rejects": [_words(reject) for reject in rejects],
    }


def _words(reject: Reject) -> dict[str, Any]:
    return {name: getattr(reject, name) for name in ("item", "outcome", "reason", "cause", "where", "mend")}


def _reading(plant: Plant, readings: Readings, row: int) -> dict[str, Any]:
    channel = plant.channels[int(readings.channel[row])]
    mark, letter = int(readings.mark[row]), int(readings.letter[row])
    return {
        "meter": plant.meters[channel.meter].name,
        "channel": channel.name,
        "ts": int(readings.ts[row]),
        "value": readings.number(row).decode(),
        "unit": channel.unit.symbol,
        "flags": [name for bit, name in _NAMES.items() if mark & bit] + ([chr(letter)] if letter != NORMAL else []),
    }
