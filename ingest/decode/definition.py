"""The definition of what a payload means: slow, readable, complete.

    frame ──> topic known? ──> JSON? ──> each object: identity, flag, time, numbers ──> readings
                  │              │                        │
                  └──────────────┴──── Fault ─────────────┴──> reject: quarantined, or pending

A function of (frame, logged receive time, registry). An object is all or nothing; only its unknown
channels wait alone. A faster decoder may only accept what this one accepts, with the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from devices.exact_json import Real, Twice, Whole, spans
from devices.foreign import shown
from devices.plant.model import Plant
from devices.readings import NORMAL, Mark
from devices.ruler import Ruler, rulers
from ingest.decode import internal, values
from ingest.decode.batch import Batch, Message, Row
from ingest.decode.faults import Fault
from ingest.decode.payload import parse
from ingest.decode.result import Close, Decoded
from ingest.decode.topic import Topics
from ingest.decode.window import refuse_time
from ingest.log.record import Entry, Record, RecordKind
from ingest.session.frames import split

LARGEST = 1 << 20
"""Default limit of a payload, bytes."""


class Slot(NamedTuple):
    """What a key of a meter's payload means."""

    channel: int
    ruler: Ruler


class Decoder:
    """Decodes records of the log under one plant.

    largest  payload limit, bytes
    """

    def __init__(self, plant: Plant, *, largest: int = LARGEST) -> None:
        self.plant, self.largest = plant, largest
        self._topics = Topics(plant)
        ruler = rulers(plant.channels)
        self.slots = [  # per meter: payload key -> channel; what is derived never arrives in a payload
            {
                c.field: Slot(c.index, ruler[c.index])
                for c in (plant.channels[i] for i in meter.channels)
                if c.source is None
            }
            for meter in plant.meters
        ]

    def decode(self, records: Sequence[Record]) -> Decoded:
        """Everything in the frames of these records, in log order. Never raises for what a frame holds.

        Gaps in `seq` are counted within these records; `ingest.decode.sequence.follow` counts those between calls.
        """
        batch = Batch()
        for record in records:
            entry = record.entry
            if entry.kind is not RecordKind.FRAMES:
                continue
            self._frames(entry.body, record.body_at, entry, batch)
        return batch.done()

    def frame(self, record: Record, start: int, end: int) -> Batch:
        """The one frame that stands at `body[start:end]` of a record."""
        batch = Batch()
        self._frames(record.entry.body[start:end], record.body_at + start, record.entry, batch)
        return batch

    def _frames(self, body: bytes, at: int, entry: Entry, batch: Batch) -> None:
        """Frames back to back, the first at log position `at`."""
        for frame in split(body, entry.mqtt):
            mark = _mark(frame.qos, frame.retain, frame.dup)
            message = Message(frame.topic, bytes(frame.payload), entry.received, at + frame.offset, mark, frame.size)
            self._take(message, batch, frame.fault)

    def message(
        self, topic: bytes, payload: bytes, received: int, *, qos: int = 1, retain: bool = False, dup: bool = False
    ) -> Decoded:
        """What one message would give: the same path, without a log."""
        batch = Batch()
        self._take(Message(topic, payload, received, 0, _mark(qos, retain, dup)), batch)
        return batch.done()

    def _take(self, message: Message, batch: Batch, broken: str = "") -> None:
        batch.frames += 1
        if broken:
            fault = Fault("bad-frame", f"the MQTT frame can't be read: {broken}", "frame", "check the broker's version")
            batch.rejects.append(message.reject(fault))
            return
        try:
            self._judge(message, batch)
        except Fault as fault:
            batch.rejects.append(message.reject(fault))
        except Exception as failure:
            if not internal.unexpected(failure):
                raise
            batch.rejects.append(message.reject(internal.fault(failure)))

    def _judge(self, message: Message, batch: Batch) -> None:
        """Let in what it holds. An object, or the one number, is in whole or not at all, whatever is raised."""
        try:
            meter, channel = self._topics.find(message.topic)
        except Fault as fault:
            if fault.reason == "unknown-meter":  # what waits is its values
                fault.lost = _waiting(message.payload)
            raise
        content = parse(message.payload, self.largest, message.cut_from)
        if channel is not None:
            self._bare(content, channel, message, batch)
        elif type(content) is list:
            self._array(content, meter, message, batch)
        else:
            self._object(content, meter, message, batch)

    def _array(self, items: list[Any], meter: int, message: Message, batch: Batch) -> None:
        """Each object stands for itself."""
        if not items:
            raise Fault("no-value", "the array is empty", "payload", "publish nothing while there is nothing to say")
        faults: list[tuple[int, Fault]] = []
        for item, content in enumerate(items):
            try:
                self._object(content, meter, message, batch)
            except Fault as fault:
                faults.append((item, fault))
        if faults:
            batch.refuse(message, faults, spans(message.payload.decode("utf-8")))

    def _bare(self, content: Any, channel: int, message: Message, batch: Batch) -> None:
        """One number at …/{meter}/{channel}: its time is the receive time."""
        if isinstance(content, (dict, list)):
            mend = "publish objects on the meter's own topic, one level up"
            raise Fault("not-a-number", "the payload is an object where one number is due", "payload", mend)
        text = values.number("", content)
        if message.mark & Mark.RETAINED.value:
            raise Fault(
                "retained-no-time",
                "a retained number without a time: nobody knows when it was measured",
                "payload",
                "publish it without the retain flag, or as an object with ts",
            )
        owner = self.plant.channels[channel]
        value, mark = self.slots[owner.meter][owner.field].ruler.read(text)
        mark |= message.mark | Mark.RECEIVE_TIME.value
        received, position = message.received, message.position
        batch.rows.append(Row(channel, received, value, 0, NORMAL, mark, received, position, text.encode()))

    def _object(self, content: Any, meter: int, message: Message, batch: Batch) -> None:
        """One flat object: its readings all go in, or none does."""
        try:
            unknown = self._readings(content, meter, message, batch)
        except Fault as fault:
            fault.lost = _numbers(content)
            raise
        except Exception as failure:
            if not internal.unexpected(failure):
                raise
            mistake = internal.fault(failure)
            mistake.lost = _numbers(content)
            raise mistake from failure
        if unknown:
            raise self._pending(unknown, meter)

    def _readings(self, content: Any, meter: int, message: Message, batch: Batch) -> list[str]:
        """Let the object's readings in; returns its keys that no channel has."""
        if type(content) is not dict:
            raise _not_an_object(content)
        if "meter" in content:
            values.refuse_identity(content["meter"], self.plant.meters[meter].name)
        if b"\\" in message.payload:
            values.refuse_surrogates(content)
        if "seq" in content:
            batch.count(values.sequence(content["seq"]), meter, message)
        close = "close" in content
        if close and content["close"] is not True:
            raise Fault("bad-close", "close is not true", 'key "close"', 'end a feed with {"close": true}')
        if close and content.keys() <= values.RESERVED:
            batch.closes.append(Close(len(batch.rows), meter, message.received))
            return []

        received, position, delivered = message.received, message.position, message.mark
        letter = values.letter(content["q"]) if "q" in content else NORMAL
        rev = values.whole("rev", content["rev"]) if "rev" in content else 0
        ts = values.event_time(content)
        refuse_time(ts, received, self.plant.intake)
        slots = self.slots[meter]
        rows: list[Row] = []
        unknown: list[str] = []
        for key, given in content.items():
            slot = slots.get(key)
            if slot is not None:
                text = values.number(key, given)
                value, mark = slot.ruler.read(text)
                rows.append(
                    Row(slot.channel, ts, value, rev, letter, mark | delivered, received, position, text.encode())
                )
            elif key not in values.RESERVED:
                values.refuse_name(key)
                unknown.append(key)
        if not rows and not unknown:
            raise Fault("no-value", "the object has a time and no value", "payload", "publish at least one channel")
        batch.rows += rows
        if close:
            batch.closes.append(Close(len(batch.rows), meter, received))
        return unknown

    def _pending(self, names: list[str], meter: int) -> Fault:
        """The fault of unknown channels. It does not keep out the rest of their object."""
        owner = self.plant.meters[meter]
        same = [c for c in (self.plant.channels[i] for i in owner.channels) if names[0] in (c.name, c.field)]
        reason, mend = "unknown-channel", f"add it to [meter.{owner.name}.channels], or leave it out of the payload"
        listed = ", ".join(shown(name) for name in names[:5]) + (", …" if len(names) > 5 else "")
        cause = f"meter {shown(owner.name)} has no channel {listed}"
        if same and same[0].source is not None:
            reason, mend = "derived-channel", "leave it out of the payload: it is computed from its source"
            cause = f"channel {shown(names[0])} is derived from {shown(self.plant.channels[same[0].source].name)}"
        elif same:
            cause = f"meter {shown(owner.name)} publishes channel {shown(names[0])} under another key"
            mend = f"publish it as {shown(same[0].field)}, or correct its field in the registry"
        fault = Fault(
            reason,
            cause,
            f"key {shown(names[0])}",
            mend,
            outcome="pending",
            names=tuple(f"{owner.name}.{name[:128]}" for name in names[:100]),
        )
        fault.lost = len(names)
        return fault


def _mark(qos: int, retain: bool, dup: bool) -> int:
    return (
        (Mark.UNGUARANTEED.value if qos == 0 else 0)
        | (Mark.RETAINED.value if retain else 0)
        | (Mark.REDELIVERED.value if dup else 0)
    )


def _not_an_object(content: Any) -> Fault:
    if isinstance(content, Twice):
        mend = "give every channel a key of its own"
        return Fault("duplicate-key", f"key {shown(content)} stands twice in one object", f"key {shown(content)}", mend)
    kind = "an array" if isinstance(content, list) else "a single value"
    mend = 'publish {"ts": <ms>, "<field>": <number>}; one bare number goes to …/{meter}/{channel}'
    return Fault("not-an-object", f"{kind} where an object is due", "payload", mend)


def _numbers(content: Any) -> int:
    """How many numbers an object holds besides its reserved keys."""
    if not isinstance(content, dict):
        return int(isinstance(content, (Whole, Real)))
    return sum(isinstance(given, (Whole, Real)) for key, given in content.items() if key not in values.RESERVED)


def _waiting(payload: bytes) -> int:
    """How many numbers a message of an unknown meter holds; 0 where it cannot be read."""
    try:
        content = parse(payload, LARGEST)
    except Fault:
        return 0
    return sum(map(_numbers, content)) if type(content) is list else _numbers(content)
