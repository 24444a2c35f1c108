"""What was not let in: kept with its reason, bounded, readable while the service runs."""

from ingest.quarantine.book import Quarantine
from ingest.quarantine.counts import Fill, PendingName

__all__ = ["Fill", "PendingName", "Quarantine"]
