"""A segment file that is being written: preallocated, named by the log position of its first byte.

Invariant: a file whose write or fdatasync failed is never written again. After a failed fdatasync the kernel
may call the same pages clean; a second one that succeeds would prove nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_NAME = re.compile(r"(\d{20})\.segment")
_datasync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


def base_of(path: Path) -> int | None:
    """The log position that a file name stands for; None if it is no segment's name."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else None


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Segment:
    """The open end of the log. Blocking; used by one thread."""

    def __init__(self, folder: Path, base: int, room: int) -> None:
        """Create it with `room` bytes of its own. Raises OSError and leaves nothing behind."""
        self.base, self.room = base, room
        self.path = folder / f"{base:020d}.segment"
        fresh = self.path.with_suffix(".new")  # becomes a segment whole or not at all
        self._fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            allocate(self._fd, room)
            os.fsync(self._fd)
            fresh.replace(self.path)  # may replace one of the same base: it held no good record
            sync_folder(folder)
        except OSError:
            os.close(self._fd)
            fresh.unlink(missing_ok=True)
            raise

    @property
    def limit(self) -> int:
        """The position behind its last byte."""
        return self.base + self.room

    def write(self, data: bytes, position: int) -> None:
        """Write and make durable. Raises OSError; then this segment must be sealed."""
        view, offset = memoryview(data), position - self.base
        while view:
            written = os.pwrite(self._fd, view, offset)
            view, offset = view[written:], offset + written
        _datasync(self._fd)

    def seal(self, end: int) -> None:
        """Give back what was not used and close. A failing disk may refuse that: readers stop at `end` anyway."""
        try:
            os.ftruncate(self._fd, end - self.base)
        except OSError:
            pass
        finally:
            os.close(self._fd)


def allocate(fd: int, room: int) -> None:
    """Give an empty file so many bytes of its own. Raises OSError."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, room)
        return
    zeros = bytes(1 << 20)  # macOS
    for at in range(0, room, len(zeros)):
        os.pwrite(fd, zeros[: room - at], at)
