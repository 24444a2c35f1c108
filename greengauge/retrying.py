"""`Retrying`: which messages of the quarantine the present registry lets in, from wherever they still are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from devices.plant.model import Plant
from greengauge.past.index import ReadableLog
from ingest.decode import retry
from ingest.decode.definition import Decoder
from ingest.decode.retry import Again
from ingest.log.record import Record, RecordKind
from ingest.quarantine import Quarantine
from ingest.session.frames import split

READ_BYTES = 1 << 20
NEVER = {
    "store-refused": "mend the store, then `greengauge rewind --to` a time before it",
    "bad-frame": "the broker sent it so",
    "too-many-faults": "publish it again",
    "identity": "a message under a false name is not let in; let its meter publish it again",
}
"""Reasons that no registry can mend."""


@dataclass(slots=True)
class Chosen:
    """What a retry would do."""

    messages: list[Again] = field(default_factory=list)
    values: int = 0  # that come in
    still: Counter[str] = field(default_factory=Counter)  # reason -> messages that stay


def choose(
    plant: Plant,
    quarantine: Quarantine,
    log: ReadableLog,
    positions: Collection[int] | None,
    apply: Callable[[Sequence[Record]], list[Record]],
) -> Chosen:
    """Those at `positions` (None: all) that would be let in now. `apply` sets receive times right. Blocking."""
    rejects = [r for r in quarantine.waiting() if positions is None or r["position"] in positions]
    chosen, decoder = Chosen(), Decoder(plant)
    for reject, one in zip(rejects, _texts(plant, rejects, log, apply), strict=True):
        reason = reject["reason"]
        if one is None or reason in NEVER:
            chosen.still[reason if reason in NEVER else "gone"] += 1
            continue
        readings, _, why = retry.let_in(one, decoder)
        if len(readings):
            chosen.messages.append(one)
            chosen.values += len(readings)
        else:
            chosen.still[why or reason] += 1
    return chosen


def _texts(
    plant: Plant,
    rejects: Sequence[dict[str, Any]],
    log: ReadableLog,
    apply: Callable[[Sequence[Record]], list[Record]],
) -> list[Again | None]:
    """Each reject's text: the quarantine's where it has all of it, else the log's; None where nobody has it."""
    missing = {r["position"] for r in rejects if r["payload"] is None or len(r["payload"]) < r["size"]}
    missing |= {r["position"] for r in rejects if r["reason"] == "retained-no-time"}  # the log knows the flags
    missing |= {r["position"] for r in rejects if r["reason"].startswith("time-")}  # and by which time it was judged
    frames = _frames(log, missing, min((r["received"] for r in rejects), default=0), apply) if missing else {}
    owners = {meter.topic: meter.name for meter in plant.meters}
    found: list[Again | None] = []
    for r in rejects:
        frame = frames.get(r["position"])
        payload, qos, retain, received = frame or (r["payload"], 1, False, r["received"])
        pending = r["outcome"] == "pending"
        # The quarantine keeps of an array the object at fault; the log has the whole message.
        whole = frame is None or r["reason"] == "unknown-meter"
        complete = payload is not None and (frame is not None or len(payload) == r["size"])
        text = None
        if complete:
            owner = f"{owners.get(r['topic'], '')}."
            fields = {name.removeprefix(owner) for name in r["names"] if name.startswith(owner)}
            waiting = fields if r["reason"] != "unknown-meter" else set()
            text = retry.again(payload, item=r["item"], whole=whole, waiting=waiting if pending else None)
        where = r["position"], r["item"], r["reason"], received, r["topic"]
        found.append(None if text is None else Again(*where, text, qos, retain))
    return found


def _frames(
    log: ReadableLog, positions: set[int], since: int, apply: Callable[[Sequence[Record]], list[Record]]
) -> dict[int, tuple[bytes, int, bool, int]]:
    """Position -> payload, QoS, RETAIN, receive time of frames that the log still has. One walk over it."""
    found: dict[int, tuple[bytes, int, bool, int]] = {}
    at, last = log.since(since), max(positions)
    if at > min(positions):
        at = log.first  # the clock was wrong then: receive times do not lead there
    while at <= last and (records := apply(log.read(at, READ_BYTES))):
        for record in records:
            if record.entry.kind is RecordKind.FRAMES and any(record.position < p < record.end for p in positions):
                for frame in split(record.entry.body, record.entry.mqtt):
                    if (position := record.body_at + frame.offset) in positions:
                        found[position] = bytes(frame.payload), frame.qos, frame.retain, record.entry.received
        at = records[-1].end
    return found
