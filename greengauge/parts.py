"""Parts that the service is built from and that the settings name."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devices.durations import DAY, HOUR
from devices.errors import ConfigurationError
from greengauge.settings import Settings
from ingest.log.lock import DataLock, InUse
from ingest.log.log import Log
from ingest.store.base import Store
from ingest.store.embedded import EmbeddedStore
from ingest.store.influx import InfluxStore


@dataclass(slots=True)
class StoreCursor:
    """The log's store cursor, as the writer wants it."""

    log: Log

    def get(self) -> int:
        """Where the store stands."""
        return self.log.cursors.get("store")

    def set(self, position: int) -> None:
        """Move it, durably."""
        self.log.cursors.set("store", position)


def lock_of(data: Path) -> DataLock | None:
    """The data folder's lock; None where a service holds it. Raises EnvironmentFailure."""
    try:
        return DataLock(data)
    except InUse:
        return None


def log_of(settings: Settings) -> Log:
    """The data folder's log, whose lock is held. Raises EnvironmentFailure."""
    retention_ms = int(settings.retention_hours * HOUR)
    return Log(settings.data / "log", quota=settings.log_quota, retention_ms=retention_ms)


def log_now(log: Log) -> int:
    """The receive time (ms) of a command that is written into the log of a service that stands still."""
    return max(log.received, time.time_ns() // 1_000_000)


def store_of(settings: Settings) -> Store:
    """The store the settings name. Raises ConfigurationError."""
    token = influx_token(settings)
    if token is None:
        return EmbeddedStore(settings.data / "store", keep_ms=int(settings.store_days * DAY) or None)
    return InfluxStore(settings.store, token, settings.influx_org, settings.influx_bucket)


def influx_token(settings: Settings) -> str | None:
    """The token for the InfluxDB that the settings name; None for the embedded store. Raises ConfigurationError."""
    if settings.store == "embedded":
        return None
    if not _is_address(settings.store):
        raise ConfigurationError(
            f"{settings.store!r} is no store", where="setting store", mend="`embedded`, or http[s]://host:port"
        )
    if settings.influx_token is None:
        raise ConfigurationError(
            "InfluxDB needs a token",
            where=settings.store,
            mend="set GREENGAUGE_INFLUX_TOKEN or GREENGAUGE_INFLUX_TOKEN_FILE",
        )
    return settings.influx_token.get_secret_value()


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port or an IPv6 address
        return False
