"""What was not let in: kept with its reason, bounded, readable while the service runs."""

from ingest.quarantine.book import Quarantine
from ingest.quarantine.counts import Count, Fill, PendingName

__all__ = ["Count", "Fill", "PendingName", "Quarantine"]
