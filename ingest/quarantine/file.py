"""The quarantine's file: opened in its format, its failures in words."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from devices.errors import ConfigurationError, DamagedData, EnvironmentFailure, GreengaugeError
from ingest.quarantine import tables


def opened(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Its database, made where there is none. Raises sqlite3.Error; ConfigurationError for another format."""
    if read_only:
        db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=10, check_same_thread=False)
    else:
        db = sqlite3.connect(path, timeout=10, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # the log's cursor moves on once this has been told
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            db.executescript(f"BEGIN; {tables.CREATE} PRAGMA user_version = {tables.VERSION}; COMMIT;")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != tables.VERSION:
        db.close()
        raise ConfigurationError(
            f"the quarantine has format {version}, this version reads {tables.VERSION}",
            where=str(path),
            mend="use the version of greengauge that wrote it",
        )
    if not read_only:
        db.executescript(tables.MORE)
    return db


def failed(path: Path, error: sqlite3.Error) -> GreengaugeError:
    """Why it cannot be used, in words."""
    if isinstance(error, sqlite3.OperationalError):
        return EnvironmentFailure(
            f"the quarantine can't be used: {error}", where=str(path), mend="see the disk's space"
        )
    return DamagedData(
        f"the quarantine is damaged: {error}",
        where=str(path),
        mend="start the service: it makes a new one from the log",
    )
