"""The durable log: what is acknowledged is in here."""
