"""Decoding by registry version, shared between the readers of the log.

A record is decoded by the registry it was received under, then told in the present registry's rows and steps. A
channel that meant something else then (another kind or dimension) is stored, but not scored. The data folder keeps
every registry it ever ran with, so an old record stays readable. The newest decoded records are kept, so the second
and third reader of the same record pay nothing.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog

from devices.errors import RegistryError
from devices.plant import load
from devices.plant.model import Channel, Plant
from devices.readings import I32, Mark, Readings
from devices.ruler import Ruler
from greengauge.remembered import copy_of, keep
from ingest.decode import internal, retry
from ingest.decode.result import Decoded, join
from ingest.decode.retry import Again
from ingest.decode.twin import Twin
from ingest.log.record import Record, RecordKind

log = structlog.get_logger()

KEEP_BYTES = 16 << 20
"""Bytes of log bodies whose decoded form, twice as large, is kept: what three readers of a live log may lie apart."""
LEAST_BYTES = 4 << 10
"""What the decoded form of one record takes, however small its body is: a quiet line's chunks hold one frame."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of an older registry as rows of the present one; -1 for what is gone."""

    channels: I32
    meters: I32
    rulers: dict[
        int, Ruler | None
    ]  # present row of a channel that counts differently now; None: it means another thing


class Decoders:
    """`decode(records)`, whatever registry each record came under. Safe to call from several threads."""

    def __init__(self, plant: Plant, folder: Path, source: Path) -> None:
        """`folder` keeps the registries; `source` is the file that `plant` was loaded from."""
        self._plant, self._folder = plant, folder
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[int, Decoded]] = OrderedDict()
        self._kept_bytes = 0
        self._by_version: dict[int, tuple[Twin, _Rows | None]] = {plant.version: (Twin(plant), None)}
        folder.mkdir(parents=True, exist_ok=True)
        keep(folder, source, plant.version)

    def decode(self, records: Sequence[Record]) -> Decoded:
        """Decode records in log order; equal to decoding each alone and joining."""
        with self._lock:
            return join([self._one(r) for r in records if _has_readings(r)])

    def let_in(self, record: Record) -> list[tuple[Again, tuple[str, ...]]]:
        """The messages of a retry that came in, with those of their names that go on waiting."""
        with self._lock:
            decoder, _ = self._of(record.entry.registry)
        tried = [(one, *retry.let_in(one, decoder.definition)) for one in retry.messages_of(record)]
        return [(one, left) for one, readings, left, _ in tried if len(readings)]

    def decode_past(self, records: Sequence[Record]) -> Readings:
        """Readings of old records: nothing of them is kept, so the newest ones stay at hand."""
        parts: list[Readings] = []
        for record in records:
            if _has_readings(record):
                with self._lock:
                    parts.append(self._decoded(record).readings)
        return Readings.concat(parts)

    def _one(self, record: Record) -> Decoded:
        kept = self._kept.get(record.position)
        if kept is not None:
            return kept[1]
        decoded = self._decoded(record)
        size = max(LEAST_BYTES, len(record.entry.body))
        self._kept[record.position] = size, decoded
        self._kept_bytes += size
        while self._kept_bytes > KEEP_BYTES:
            self._kept_bytes -= self._kept.popitem(last=False)[1][0]
        return decoded

    def _decoded(self, record: Record) -> Decoded:
        decoder, rows = self._of(record.entry.registry)
        try:
            decoded = (
                decoder.decode([record])
                if record.entry.kind is RecordKind.FRAMES
                else retry.decode(record, decoder.definition)
            )
            return decoded if rows is None else _rename(decoded, rows)
        except Exception as failure:
            if not internal.unexpected(failure):
                raise
            return internal.record(record, failure)

    def _of(self, version: int) -> tuple[Twin, _Rows | None]:
        found = self._by_version.get(version)
        if found is None:
            found = self._by_version[version] = self._load(version)
        return found

    def _load(self, version: int) -> tuple[Twin, _Rows | None]:
        copy = copy_of(self._folder, version)
        try:
            old = load(copy)
        except (RegistryError, OSError) as failure:
            log.warning(
                "decode.registry_missing", version=f"{version:016x}", cause=str(failure), mend="read by today's"
            )
            return self._by_version[self._plant.version]
        present = {
            (self._plant.meters[c.meter].name, c.name): c.index for c in self._plant.channels if c.source is None
        }
        meters = {meter.name: meter.index for meter in self._plant.meters}
        channels = [present.get((old.meters[c.meter].name, c.name), -1) for c in old.channels]
        changed = {
            row: _ruler(was, self._plant.channels[row])
            for was, row in zip(old.channels, channels, strict=True)
            if row >= 0 and _counting(was) != _counting(self._plant.channels[row])
        }
        return Twin(old), _Rows(
            channels=np.array(channels, np.int32),
            rulers=changed,
            meters=np.array([meters.get(meter.name, -1) for meter in old.meters], np.int32),
        )


def _has_readings(record: Record) -> bool:
    return record.entry.kind is RecordKind.FRAMES or retry.is_retry(record)


def _counting(channel: Channel) -> tuple[object, ...]:
    """What a count of this channel depends on."""
    return channel.kind, channel.unit, channel.step, channel.low, channel.high


def _ruler(was: Channel, now: Channel) -> Ruler | None:
    """Reads today what was written under the old registry; None where that cannot be said in today's words."""
    if was.kind is not now.kind or was.unit.dimension != now.unit.dimension or was.unit.offset != now.unit.offset:
        return None
    return Ruler(now, written=was.unit.scale / now.unit.scale)


def _counted_anew(readings: Readings, rulers: dict[int, Ruler | None]) -> Readings:
    """Counts and marks of changed channels, from the numbers' own texts."""
    rows = np.flatnonzero(np.isin(readings.channel, list(rulers)))
    if not len(rows):
        return readings
    value, mark = readings.value.copy(), readings.mark.copy()
    for row in rows.tolist():
        ruler = rulers[int(readings.channel[row])]
        count, bits = (0, int(Mark.OUT_OF_RANGE)) if ruler is None else ruler.read(readings.number(row))
        value[row], mark[row] = count, (int(mark[row]) & ~int(Mark.OUT_OF_RANGE)) | bits
    return replace(readings, value=value, mark=mark)


def _rename(decoded: Decoded, rows: _Rows) -> Decoded:
    """Told in the present registry's rows; what is gone from it is left out."""
    channel = rows.channels[decoded.readings.channel]
    known = channel >= 0
    before = np.concatenate([[0], np.cumsum(known)])
    readings = _counted_anew(replace(decoded.readings, channel=channel).take(known), rows.rulers)
    closes = tuple(
        replace(close, row=int(before[close.row]), meter=int(rows.meters[close.meter]))
        for close in decoded.closes
        if rows.meters[close.meter] >= 0
    )
    sequences = np.column_stack([rows.meters[decoded.sequences[:, 0]], decoded.sequences[:, 1]])
    return replace(decoded, readings=readings, closes=closes, sequences=sequences[sequences[:, 0] >= 0])
