"""The durable log: what is acknowledged is in here. Its bytes are drawn in docs/log-format.md."""

from ingest.log.cursors import Cursors
from ingest.log.lock import DataLock
from ingest.log.log import Log
from ingest.log.reader import Damage
from ingest.log.state import LogState

__all__ = ["Cursors", "Damage", "DataLock", "Log", "LogState"]
