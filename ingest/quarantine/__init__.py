"""What was not let in: kept with its reason, bounded, readable while the service runs."""

from ingest.quarantine.book import Count, PendingName, Quarantine, as_json

__all__ = ["Count", "PendingName", "Quarantine", "as_json"]
