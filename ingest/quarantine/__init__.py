"""What was not let in: kept with its reason, bounded, readable while the service runs."""

from ingest.quarantine.book import Count, Fill, PendingName, Quarantine

__all__ = ["Count", "Fill", "PendingName", "Quarantine"]
