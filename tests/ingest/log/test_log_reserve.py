"""A full disk can drain: the log leaves a reserve, gives it up when the disk is full, and takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.errors import EnvironmentFailure
from ingest.log import Log
from ingest.log import reserve as module
from ingest.log.record import Entry, RecordKind
from ingest.log.reserve import Reserve

MB = 1 << 20


class Disk:
    """So much is free of 1000 MB, beside the reserve's own file."""

    def __init__(self, free: int) -> None:
        self.free = free

    def __call__(self, folder: Path) -> tuple[int, int]:
        file = folder / "reserve"
        return self.free - (file.stat().st_size if file.exists() else 0), 1000 * MB


def test_it_is_given_up_and_taken_back(tmp_path: Path) -> None:
    """Real blocks while there is room; on a full disk they are free for others, and the log leaves them alone."""
    disk = Disk(500 * MB)
    reserve = Reserve(tmp_path, disk)
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 16 * MB
    disk.free = 16 * MB + 7 * MB  # 7 MB without the file
    reserve.tend(32 * MB)
    assert not reserve.held
    assert not (tmp_path / "reserve").exists()
    with pytest.raises(OSError, match="reserve"):
        reserve.must_leave(8 * MB)
    reserve.must_leave(7 * MB)
    disk.free = 63 * MB  # not yet: it would be given up again with the next segment
    reserve.tend(32 * MB)
    assert not reserve.held
    disk.free = 64 * MB
    reserve.tend(32 * MB)
    assert reserve.held
    assert Reserve(tmp_path, disk).held


def test_a_small_disk_gives_a_twentieth(tmp_path: Path) -> None:
    """On a disk of 100 MB it is 5 MB."""
    assert Reserve(tmp_path, lambda _: (90 * MB, 100 * MB)).size == 5 * MB


def test_the_log_takes_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full but for the reserve: no new segment, said in words, and on again when there is room."""
    disk = Disk(500 * MB)
    monkeypatch.setattr(module.Reserve.__init__, "__defaults__", (disk,))
    log = Log(tmp_path / "log", segment_bytes=MB)
    entry = Entry(RecordKind.FRAMES, b"x" * (MB // 2), 1, 1, 5)
    log.append([entry])
    disk.free = 20 * MB
    log.prune()
    assert log.state().disk_full
    disk.free = 16 * MB
    with pytest.raises(EnvironmentFailure, match="full but for the reserve"):
        log.append([entry])  # two of them do not fit into one segment
    disk.free = 500 * MB
    log.prune()
    assert not log.state().disk_full
    log.append([entry])
    assert [len(record.entry.body) for record in log.read(0, 10 * MB) + log.read(MB // 2 + 40, 10 * MB)] == [
        MB // 2
    ] * 2
    log.close()


def test_a_disk_that_tells_no_size_is_not_called_full(tmp_path: Path) -> None:
    """Without a size there is no reserve, and nothing is refused for it."""
    reserve = Reserve(tmp_path, lambda _: (0, 0))
    reserve.tend(32 * MB)
    assert reserve.held
    reserve.must_leave(32 * MB)
