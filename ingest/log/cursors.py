"""Cursors: how far each reader of the log has come, on disk.

Invariant: at every instant one of a cursor's two slots is whole. A move overwrites the older slot in place, so
it needs no new block and works on a full disk. Slots are 4 KiB apart: no sector holds two.
"""

from __future__ import annotations

import os
import struct
import threading
from pathlib import Path
from typing import Literal, get_args

import google_crc32c

from devices.errors import EnvironmentFailure
from ingest.log.segment import sync_folder

Name = Literal["store", "scores", "outputs", "quarantine"]
NAMES: tuple[Name, ...] = get_args(Name)

_SLOT = struct.Struct("<4sIqq")  # magic, CRC32C of all but magic and itself, move number, position
_MAGIC = b"GGC\x01"
_APART = 4096


class Cursors:
    """Four positions in one small file. Safe to use from several threads; `set` blocks until durable."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file. Raises EnvironmentFailure."""
        self._path = path
        self._lock = threading.Lock()
        self.damaged: list[Name] = []  # both slots unreadable: that reader begins anew, which repeats, never loses
        try:
            if not path.exists():
                _make(path)
            self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            found = {name: self._known(index) for index, name in enumerate(NAMES)}
        except OSError as failure:
            raise self._failed("cannot be opened", failure) from failure
        self._moves = {name: moves for name, (moves, _) in found.items()}
        self._positions = {name: position for name, (_, position) in found.items()}

    def get(self, name: Name) -> int:
        """The position up to which `name` has handled the log; 0 if it never moved."""
        return self._positions[name]

    def set(self, name: Name, position: int) -> None:
        """Move a cursor, also backward, and return when that is durable. Raises EnvironmentFailure, then it stands."""
        with self._lock:
            moves = self._moves[name] + 1
            try:
                os.pwrite(self._fd, _slot(moves, position), _place(NAMES.index(name), moves))
                os.fsync(self._fd)  # may be tried again after a failure: it will have been written again, too
            except OSError as failure:
                raise self._failed(f"cannot move {name!r}", failure) from failure
            self._moves[name], self._positions[name] = moves, position

    def least(self) -> int:
        """The position that all cursors have passed."""
        return min(self._positions.values())

    def slowest(self) -> Name:
        """The cursor that is farthest behind: what the log is kept for."""
        return min(NAMES, key=self._positions.__getitem__)

    def greatest(self) -> int:
        """The position that the foremost cursor has passed."""
        return max(self._positions.values())

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _known(self, index: int) -> tuple[int, int]:
        moves, position, damaged = _load(self._fd, index)
        if damaged:
            self.damaged.append(NAMES[index])
        return moves, position

    def _failed(self, what: str, failure: OSError) -> EnvironmentFailure:
        return EnvironmentFailure(
            f"the cursors' file {what}: {failure.strerror}",
            where=str(self._path),
            mend="check the disk and that this user may write there",
        )


def look(path: Path) -> dict[Name, int]:
    """Where each cursor stands, of a file that another process may be moving. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return {name: _load(fd, index)[1] for index, name in enumerate(NAMES)}
    finally:
        os.close(fd)


def _load(fd: int, index: int) -> tuple[int, int, bool]:
    """(moves, position, False) of the newer good slot; (0, 0, …) if it never moved or, then True, both are damaged."""
    slots = [os.pread(fd, _SLOT.size, _place(index, which)) for which in (0, 1)]
    good = [(moves, position) for moves, position in map(_unslot, slots) if moves]
    moves, position = max(good, default=(0, 0))
    return moves, position, not good and any(any(slot) for slot in slots)


def _make(path: Path) -> None:
    """Written with zeros, not only allocated: moving must never need a block."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(bytes(_APART * 2 * len(NAMES)))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _place(index: int, moves: int) -> int:
    return (index * 2 + moves % 2) * _APART


def _slot(moves: int, position: int) -> bytes:
    rest = struct.pack("<qq", moves, position)
    return _MAGIC + _crc(rest).to_bytes(4, "little") + rest


def _unslot(slot: bytes) -> tuple[int, int]:
    """(moves, position); moves is 0 where the slot is empty or damaged."""
    if len(slot) < _SLOT.size:
        return 0, 0
    magic, crc, moves, position = _SLOT.unpack(slot)
    return (moves, position) if magic == _MAGIC and _crc(slot[8:]) == crc else (0, 0)


def _crc(data: bytes) -> int:
    return int(google_crc32c.value(data))
