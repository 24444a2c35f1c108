"""`Decoders`: what they keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from greengauge import versions
from greengauge.versions import Decoders
from ingest import kernels
from ingest.decode import definition, internal
from ingest.log.record import Entry, Record, RecordKind
from ingest.session.frames import Frame, encode
from tests.ingest.small_plant import small_plant

PLANT = small_plant()
T0 = 1_763_800_020_000


def decoders(folder: Path) -> Decoders:
    source = folder / "plant.toml"
    source.write_text("# a registry")
    return Decoders(PLANT, folder / "registry", source)


def record(number: int, kind: RecordKind = RecordKind.FRAMES) -> Record:
    body = b"" if kind is RecordKind.TICK else encode(
        PLANT.meters[0].topic.encode(), b'{"ts": %d, "feed": 1.5}' % T0, level=5, qos=1, mid=1
    )  # fmt: skip
    return Record(Entry(kind, body, T0, PLANT.version, 5), number * 1000, number * 1000 + 40, number * 1000 + 999)


def test_what_is_kept_is_bounded_however_small_the_records(tmp_path: Path) -> None:
    """A month of ticks, or of chunks of one frame, does not fill the memory."""
    it = decoders(tmp_path)
    most = versions.KEEP_BYTES // versions.LEAST_BYTES
    for number in range(most + 100):
        it.decode([record(number)])
    assert len(it._kept) == most
    for number in range(100):
        assert len(it.decode([record(number, RecordKind.TICK)]).readings) == 0
    assert len(it._kept) == most


def test_the_second_reader_gets_the_same_object(tmp_path: Path) -> None:
    """Three readers of one record decode it once."""
    it = decoders(tmp_path)
    assert it.decode([record(1)]) is it.decode([record(1)])


def test_the_registry_is_kept_whole(tmp_path: Path) -> None:
    """Its copy is there under its version, and nothing half-written beside it."""
    decoders(tmp_path)
    (copy,) = (tmp_path / "registry").iterdir()
    assert (copy.name, copy.read_text()) == (f"{PLANT.version:016x}.toml", "# a registry")


def test_a_record_that_cannot_be_split_is_rejected_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours outside of its messages: the records beside it are read, for every reader alike."""
    it, split = decoders(tmp_path), definition.split

    def broken(body: bytes, level: int) -> Iterator[Frame]:
        return split(body, level) if body == records[0].entry.body else [][0]

    records = [record(1), replace(record(2), entry=replace(record(2).entry, body=b"\x31" + record(2).entry.body[1:]))]
    monkeypatch.setattr(definition, "split", broken)
    monkeypatch.setattr(kernels, "ready", lambda: False)
    for _ in range(2):
        got = it.decode([records[0], records[1], replace(records[0], position=3000)])
        assert len(got.readings) == 2
        assert [(r.reason, r.position, r.topic) for r in got.rejects] == [("internal", 2000, internal.WHOLE)]
