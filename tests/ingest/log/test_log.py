from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.errors import EnvironmentFailure
from ingest.log import Log
from ingest.log.cursors import NAMES
from ingest.log.record import Entry, RecordKind
from tests.ingest.log.logs import NOW, bodies, everything, frames

Opened = Callable[..., Log]


def pass_all(log: Log, position: int) -> None:
    for name in NAMES:
        log.cursors.set(name, position)


def test_what_was_appended_is_read_in_order(opened: Opened) -> None:
    """Kinds, bodies, times, registry and level come back as they went in, over several segments."""
    log = opened()
    entries = [Entry(RecordKind(1 + n % 3), bytes([n]) * (n * 37), NOW + n, n, 5 - n % 2) for n in range(200)]
    for at in range(0, 200, 10):
        assert log.append(entries[at : at + 10]) == log.durable
    assert log.state().segments > 5
    assert [record.entry for record in everything(log)] == entries
    positions = [(record.position, record.end) for record in everything(log)]
    assert all(before[1] == after[0] for before, after in itertools.pairwise(positions))


@pytest.mark.parametrize("max_bytes", [1, 39, 41, 500, 1 << 20])
def test_the_size_of_a_read_changes_nothing(opened: Opened, max_bytes: int) -> None:
    """Reading in any slices gives the same records."""
    log = opened()
    log.append([frames(bytes([n]) * n * 11) for n in range(100)])
    assert [r.entry.body for r in everything(log, 0, max_bytes)] == [bytes([n]) * n * 11 for n in range(100)]


def test_a_record_larger_than_a_segment_is_kept(opened: Opened) -> None:
    """A group gets a segment of its own size."""
    log = opened()
    log.append([frames(b"small")])
    log.append([frames(b"x" * 1_000_000), frames(b"after")])
    assert [len(body) for body in bodies(log)] == [5, 1_000_000, 5]


def test_the_end_is_found_again_after_a_kill(opened: Opened) -> None:
    """A log that was not closed continues where its last durable record ended, in a new segment."""
    killed = opened()
    killed.append([frames(b"one"), frames(b"two", NOW + 5)])
    log = opened()
    assert (log.durable, log.received) == (killed.durable, NOW + 5)
    log.append([frames(b"three")])
    assert bodies(log) == [b"one", b"two", b"three"]
    assert opened().durable == log.durable
    assert not log.damages()


def test_a_torn_tail_is_a_normal_end(opened: Opened, tmp_path: Path) -> None:
    """Half a record at the end is no loss: what came before stays, the next one takes its place."""
    killed = opened()
    killed.append([frames(b"one"), frames(b"two")])
    with (tmp_path / "log" / f"{0:020d}.segment").open("r+b") as file:
        file.truncate(killed.durable - 2)
    log = opened()
    assert [damage.kind for damage in log.damages()] == ["torn-tail"]
    log.append([frames(b"three")])
    assert bodies(log) == [b"one", b"three"]


def test_a_start_without_a_write_leaves_nothing_behind(opened: Opened) -> None:
    """Starting ten times doesn't add segments or move the end."""
    opened().append([frames(b"one")])
    assert {opened().durable for _ in range(10)} == {43}
    assert opened().state().segments == 1


def test_receive_time_never_goes_back(opened: Opened) -> None:
    """An entry behind the log's clock is raised to it and counted, also across a restart."""
    opened().append([frames(b"one", NOW), frames(b"two", NOW - 5000)])
    log = opened()
    log.append([frames(b"three", NOW - 1000), frames(b"four", NOW + 1)])
    assert [record.entry.received for record in everything(log)] == [NOW, NOW, NOW, NOW + 1]
    assert (log.state().clamped, log.state().clamped_ms) == (1, 1000)


def test_a_reader_sees_nothing_before_it_is_durable(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """While fdatasync runs, the record is not there."""
    log = opened()
    seen: list[bytes] = []
    real = os.fdatasync
    monkeypatch.setattr("ingest.log.segment._datasync", lambda fd: (seen.extend(bodies(log)), real(fd)))
    log.append([frames(b"one")])
    assert seen == []
    assert bodies(log) == [b"one"]


@pytest.mark.parametrize("call", ["pwrite", "_datasync"])
def test_a_failed_file_is_never_written_again(opened: Opened, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """After an I/O error the segment is sealed at its last good end; the next group goes into a new file."""
    log = opened()
    log.append([frames(b"one")])
    inode = (log.folder / f"{0:020d}.segment").stat().st_ino
    target = "ingest.log.segment._datasync" if call == "_datasync" else "os.pwrite"
    with monkeypatch.context() as broken:

        def fail(*_: object) -> int:
            raise OSError(errno.EIO, "Input/output error")

        broken.setattr(target, fail)
        with pytest.raises(EnvironmentFailure, match="Input/output error"):
            log.append([frames(b"lost")])
        assert log.durable == 43
    written: set[int] = set()
    real = os.pwrite
    monkeypatch.setattr("os.pwrite", lambda fd, *rest: (written.add(os.fstat(fd).st_ino), real(fd, *rest))[1])
    log.append([frames(b"two")])
    assert inode not in written
    assert bodies(log) == [b"one", b"two"]
    assert bodies(opened()) == [b"one", b"two"]


def test_a_first_write_that_fails_leaves_no_ghost(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where fdatasync of a segment's first group fails, its bytes are not taken for durable ones later."""
    log = opened()
    with monkeypatch.context() as broken:

        def fail(_: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        broken.setattr("ingest.log.segment._datasync", fail)
        with pytest.raises(EnvironmentFailure):
            log.append([frames(b"ghost")])
    assert bodies(opened()) == []
    log.append([frames(b"real")])
    assert bodies(log) == [b"real"]


def test_segments_behind_all_cursors_go_when_they_are_old(opened: Opened) -> None:
    """Retention counts from the log's own clock; a segment that one cursor still needs stays."""
    log = opened(retention_ms=60_000)
    ends = [log.append([frames(b"x" * 60_000, NOW + minute * 60_000)]) for minute in range(10)]
    assert log.prune() == 0
    pass_all(log, ends[7])
    log.cursors.set("outputs", ends[2])
    log.prune()
    assert log.first == ends[2]
    log.cursors.set("outputs", ends[9])
    log.prune()
    assert log.first == ends[6]
    assert len(bodies(log)) == 3
    assert bodies(log) == bodies(opened())


def test_the_quota_takes_stored_segments_first_and_only_those(opened: Opened) -> None:
    """Over the quota young segments go too, oldest first, but never one that a reader still needs."""
    log = opened(quota=200_000)
    ends = [log.append([frames(b"x" * 60_000, NOW)]) for _ in range(10)]
    pass_all(log, ends[4])
    log.prune()
    assert log.first == ends[4]
    pass_all(log, ends[9])
    log.prune()
    assert log.state().bytes <= 200_000


def test_only_bytes_that_somebody_needs_press_back(opened: Opened) -> None:
    """Pressure is what the slowest reader has not handled yet, as a share of the quota: the disk is bounded."""
    log = opened(quota=100_000)
    end = log.append([frames(b"x" * 50_000)])
    assert log.pressure() == pytest.approx(0.5, abs=0.01)
    for name in NAMES:
        assert log.pressure() == pytest.approx(0.5, abs=0.01)
        assert log.state().slowest in NAMES[NAMES.index(name) :]
        log.cursors.set(name, end)
    assert log.pressure() == 0


def test_a_full_disk_costs_stored_segments_before_it_stops_intake(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC for a new segment drops the oldest one behind all cursors; with none left it is an error with a mend."""
    log = opened()
    ends = [log.append([frames(b"x" * 60_000)]) for _ in range(3)]
    log.cursors.set("store", ends[0])
    allocate = os.posix_fallocate

    def full(fd: int, at: int, size: int) -> None:
        if len(list(log.folder.glob("*.segment"))) >= 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        allocate(fd, at, size)

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(EnvironmentFailure, match="free space"):
        log.append([frames(b"y" * 60_000)])
    assert not list(log.folder.glob("*.new"))
    pass_all(log, ends[1])
    log.append([frames(b"y" * 60_000)])
    assert log.first == ends[0]


def test_a_cursor_beyond_the_end_keeps_its_meaning(opened: Opened, tmp_path: Path) -> None:
    """If the tail a reader had passed is gone, new records begin behind its cursor and the hole is reported."""
    killed = opened()
    end = killed.append([frames(b"one"), frames(b"two")])
    killed.cursors.set("store", end)
    with (tmp_path / "log" / f"{0:020d}.segment").open("r+b") as file:
        file.truncate(50)
    log = opened()
    log.append([frames(b"three")])
    assert bodies(log, log.cursors.get("store")) == [b"three"]
    assert bodies(log) == [b"one", b"three"]
    assert [(damage.start, damage.end) for damage in log.damages()] == [(43, end)]


def test_a_log_whose_segments_are_gone_begins_behind_its_cursors(opened: Opened) -> None:
    """Segments removed by hand, cursors kept: reading from anywhere finds nothing, then what is new."""
    before = opened()
    end = before.append([frames(b"one")])
    before.cursors.set("store", end)
    for segment in before.folder.glob("*.segment"):
        segment.unlink()
    log = opened()
    assert bodies(log) == []
    log.append([frames(b"two")])
    assert bodies(log) == bodies(log, end) == [b"two"]
    assert [damage.kind for damage in log.damages()] == ["missing"]


def test_a_segment_that_cannot_be_deleted_stays_and_is_told(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log goes on, all of it readable, and says why it grows; once it can be deleted it is."""
    log = opened(quota=10_000, segment_bytes=8192)
    for n in range(4):
        log.append([frames(bytes([n]) * 6000)])
    for name in NAMES:
        log.cursors.set(name, log.durable)
    with monkeypatch.context() as broken:

        def refuse(*_: object, **__: object) -> None:
            raise OSError(5, "Input/output error")

        broken.setattr("pathlib.Path.unlink", refuse)
        assert log.prune() == 0
        assert "Input/output error" in log.state().undeletable
        assert log.read(0, 1)[0].entry.body == bytes(6000)
    assert log.prune() > 0
    assert log.state().undeletable == ""
