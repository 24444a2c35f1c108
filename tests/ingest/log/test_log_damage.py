"""Whatever happens to the bytes: good records are returned, damage is named, nothing is deleted."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.log import Log
from ingest.log.codec import HEADER, MAGIC
from ingest.log.record import Record
from tests.ingest.log.logs import bodies, everything, frames

pytestmark = pytest.mark.fault(3)

Opened = Callable[..., Log]
SEGMENT = 4096


def written(folder: Path) -> list[Record]:
    """A closed log of several segments."""
    log = Log(folder, segment_bytes=SEGMENT)
    for n in range(40):
        log.append([frames(bytes([n + 1]) * (100 + n * 7)), frames(MAGIC * n)])
    log.close()
    return everything(Log(folder))


def segment_of(folder: Path, position: int) -> tuple[Path, int]:
    """The file that holds a position, and the offset in it."""
    path = max(p for p in folder.glob("*.segment") if int(p.stem) <= position)
    return path, position - int(path.stem)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_flipped_bits_cost_the_records_they_hit(data: st.DataObject) -> None:
    """Bits flipped anywhere: every other record is read, every damaged one is inside a reported range."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = written(folder)
        hits = data.draw(st.lists(st.integers(0, before[-1].end - 1), min_size=1, max_size=4, unique=True))
        for position in hits:
            path, offset = segment_of(folder, position)
            with path.open("r+b") as file:
                file.seek(offset)
                byte = file.read(1)[0]
                file.seek(offset)
                file.write(bytes([byte ^ 1 << data.draw(st.integers(0, 7))]))
        log = Log(folder)
        hit = [record for record in before if any(record.position <= p < record.end for p in hits)]
        assert everything(log) == [record for record in before if record not in hit]
        for record in hit:  # a torn tail is reported without the zeros it ends in: they may be the empty segment's
            assert any(
                d.start <= record.position and (record.end <= d.end or d.kind == "torn-tail") for d in log.damages()
            )
        assert all(d.kind in {"header", "length", "checksum", "torn-tail"} for d in log.damages())
        log.close()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_zeroed_blocks_cost_the_records_they_hit(data: st.DataObject) -> None:
    """A run of zeros anywhere: all records outside it are read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = written(folder)
        start = data.draw(st.integers(0, before[-1].end - 1))
        path, offset = segment_of(folder, start)
        count = min(data.draw(st.integers(1, 2000)), path.stat().st_size - offset)
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(bytes(count))
        log = Log(folder)
        outside = [record for record in before if record.end <= start or record.position >= start + count]
        found = everything(log)
        assert [record for record in found if record in outside] == outside
        assert all(record in before for record in found)
        log.close()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_truncated_file_costs_its_end_only(data: st.DataObject) -> None:
    """Any segment cut anywhere: everything before the cut and all later files are read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = written(folder)
        start = data.draw(st.integers(0, before[-1].end - 1))
        path, offset = segment_of(folder, start)
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.truncate(offset)
        log = Log(folder)
        assert everything(log) == [r for r in before if r.end <= start or r.position >= start - offset + size]
        log.append([frames(b"later")])
        assert bodies(log)[-1] == b"later"
        log.close()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("header", lambda file, at: (file.seek(at), file.write(b"XX"))),
        ("length", lambda file, at: (file.seek(at + 16), file.write(b"\xff\xff\xff\x7f"))),
        ("checksum", lambda file, at: (file.seek(at + HEADER.size), file.write(b"?"))),
        ("zeroed", lambda file, at: (file.seek(at), file.write(bytes(HEADER.size + 10)))),
        ("truncated", lambda file, at: file.truncate(at + 20)),
    ],
)
def test_each_kind_of_damage_has_its_name(tmp_path: Path, kind: str, change: Callable[..., object]) -> None:
    """The report says segment, range and kind."""
    before = written(tmp_path)
    victim = before[2]
    path, offset = segment_of(tmp_path, victim.position)
    with path.open("r+b") as file:
        change(file, offset)
    log = Log(tmp_path)
    everything(log)
    (damage,) = log.damages()
    assert (damage.segment, damage.kind, damage.start) == (path.name, kind, victim.position)
    if kind != "truncated":
        assert damage.end == victim.end
    log.close()


def test_a_removed_segment_is_missing(tmp_path: Path) -> None:
    """A file taken away in the middle costs its own records and is reported."""
    before = written(tmp_path)
    second = sorted(tmp_path.glob("*.segment"))[1]
    third = sorted(tmp_path.glob("*.segment"))[2]
    log = Log(tmp_path)
    second.unlink()
    gone = range(int(second.stem), int(third.stem))
    assert everything(log) == [record for record in before if record.position not in gone]
    assert [(d.kind, d.start, d.end) for d in log.damages()] == [("missing", gone.start, gone.stop)]
    log.close()


def test_a_record_inside_a_payload_is_no_record(opened: Opened, tmp_path: Path) -> None:
    """A copy of the log's own bytes, sent as a payload, is not taken for records when its host is damaged."""
    log = opened()
    log.append([frames(b"one")])
    copy = (tmp_path / "log" / f"{0:020d}.segment").read_bytes()[: log.durable]
    host = log.durable
    log.append([frames(b"host" + copy), frames(b"last")])
    with (tmp_path / "log" / f"{0:020d}.segment").open("r+b") as file:
        file.seek(host + HEADER.size)
        file.write(b"?")
    assert bodies(log) == [b"one", b"last"]


def test_a_later_versions_record_is_stepped_over(opened: Opened, tmp_path: Path) -> None:
    """A good record of an unknown kind is reported, not taken for damage that needs a search."""
    log = opened()
    log.append([frames(b"one")])
    object.__setattr__(entry := frames(b"new"), "kind", 99)
    log.append([entry, frames(b"two")])
    assert bodies(log) == [b"one", b"two"]
    assert [damage.kind for damage in log.damages()] == ["unknown-kind"]
