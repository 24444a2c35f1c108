"""`Reserve`: room on the log's disk that the log never takes, so that a full disk can drain.

Cursors move in place, but whoever reads the log also keeps files that grow for a moment: the store writer's memory, the
quarantine, snapshots. On a disk filled to the last block none of them could go on, no cursor would move, and no segment
would ever go. So a file of real blocks stands in the log's folder. When the disk is full it is given up, and from then
on the log leaves as much room as the file had; when there is room again it is made anew.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from ingest.log.segment import allocate

BYTES = 16 << 20
"""Enough for a checkpoint of the winners' memory, a batch of rejects and a snapshot."""
SHARE = 20
"""... but at most this part of the disk: 1 in 20."""


def room(folder: Path) -> tuple[int, int]:
    """(bytes that are free for us, bytes in all) of the disk that a folder is on. Raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize


class Reserve:
    """Used by the log's thread."""

    def __init__(self, folder: Path, look: Callable[[Path], tuple[int, int]] = room) -> None:
        """Makes the file if there is room for it. Raises OSError where the disk cannot be asked."""
        self._folder, self._look, self._path = folder, look, folder / "reserve"
        self.size = min(BYTES, look(folder)[1] // SHARE)
        # A disk that does not tell its size (some network file systems) has no reserve, and is not called full.
        self.held = self.size == 0 or (self._path.exists() and self._path.stat().st_size >= self.size)
        self.tend(0)

    def tend(self, next_segment: int) -> None:
        """Give it up on a full disk, make it anew where it leaves room for the next segment."""
        free, _ = self._look(self._folder)
        if self.held and self.size and free < self.size // 2:
            self._path.unlink(missing_ok=True)
            self.held = False
        elif not self.held and free >= 2 * self.size + next_segment:
            self._make()

    def must_leave(self, needed: int) -> None:
        """Raises OSError (ENOSPC) where so many bytes more for the log would take of it."""
        if not self.held and self._look(self._folder)[0] - needed < self.size:
            raise OSError(errno.ENOSPC, "the disk is full but for the reserve")

    def _make(self) -> None:
        fresh = self._path.with_suffix(".new")  # removed at the next start if a kill leaves it
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            allocate(fd, self.size)
            fresh.replace(self._path)
            self.held = True
        except OSError as failure:  # somebody else took the room meanwhile; or this file system gives none ahead
            fresh.unlink(missing_ok=True)
            self.held = failure.errno not in (errno.ENOSPC, errno.EDQUOT)
        finally:
            os.close(fd)
