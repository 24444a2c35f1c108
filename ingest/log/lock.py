"""One instance per data folder: a second one would take over the MQTT session and write into the same log."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from devices.errors import EnvironmentFailure


class InUse(EnvironmentFailure):
    """Another process holds the folder; its pid is in the cause."""


class DataLock:
    """Holds the folder until closed or until the process ends, however it ends: `with DataLock(folder): …`."""

    def __init__(self, folder: Path) -> None:
        """Raises InUse, or EnvironmentFailure if it cannot be made."""
        self._fd = -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(self._fd, f"{os.getpid():<20}\n".encode(), 0)
        except BlockingIOError as failure:
            holder = os.pread(self._fd, 20, 0).decode(errors="replace").strip() or "of an unknown number"
            self.close()
            raise InUse(
                f"the data folder is in use by process {holder}",
                where=str(folder),
                mend="stop that process, or give this one its own folder with --data",
            ) from failure
        except OSError as failure:
            self.close()
            raise EnvironmentFailure(
                f"the data folder cannot be used: {failure.strerror}",
                where=str(folder),
                mend="choose a folder that this user may write, with --data",
            ) from failure

    def close(self) -> None:
        """Let the next instance in. The file stays: removing it would let two hold two locks of one name."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> DataLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
