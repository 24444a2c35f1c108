"""`write_whole`: the file is the old one or the new one, never half of either."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest import whole_file
from ingest.whole_file import write_whole


def test_it_replaces(tmp_path: Path) -> None:
    """All parts, in order, in place of what was there; nothing else stays in the folder."""
    path = tmp_path / "a.b"
    write_whole(path, b"old and longer")
    write_whole(path, b"n", b"ew")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.b"]


def test_a_failed_sync_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses at the last moment: the name still stands for the old bytes."""
    path = tmp_path / "state"
    write_whole(path, b"old")

    def refuse(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_file.os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_the_folder_is_synced_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes, then the name, then the folder that holds the name."""
    seen: list[tuple[str, bool]] = []
    path, real = tmp_path / "state", os.fsync

    def spy(fd: int) -> None:
        seen.append((str(Path(f"/proc/self/fd/{fd}").readlink()), path.exists()))
        real(fd)

    monkeypatch.setattr(whole_file.os, "fsync", spy)
    write_whole(path, b"new")
    assert seen == [(f"{path}.new", False), (str(tmp_path), True)]
