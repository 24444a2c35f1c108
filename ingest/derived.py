"""Derived state in SQLite (quarantine, history, the writer's memory) that turns out damaged.

The log tells it again, so a damaged file must not keep the service from starting: it is put aside under a
name of its own, never deleted, and a new one takes its place.
"""

from __future__ import annotations

import itertools
import logging
import sqlite3
from pathlib import Path

from devices.errors import EnvironmentFailure

log = logging.getLogger("greengauge.derived")


def damaged(error: sqlite3.Error) -> bool:
    """Whether the file itself is wrong; a full disk or a lock is not that."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # some errors of the Python layer have none
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def put_aside(path: Path, what: str, error: sqlite3.Error) -> None:
    """Rename the file with its journal; the caller opens a new one. Raises EnvironmentFailure."""
    aside = next(p for n in itertools.count(1) if not (p := Path(f"{path}.damaged-{n}")).exists())
    try:
        for tail in ("-wal", "-shm", ""):  # the name that is looked for goes last: a kill in between repeats this
            if (part := Path(f"{path}{tail}")).exists():
                part.rename(f"{aside}{tail}")
    except OSError as failure:
        raise EnvironmentFailure(
            f"{what} is damaged ({error}) and cannot be put aside: {failure.strerror}",
            where=str(path),
            mend="check the disk and that this user may write there",
        ) from failure
    log.error("%s is damaged (%s): %s is kept as %s, and the log tells it anew", what, error, path, aside)
