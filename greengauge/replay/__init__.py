"""A readings file through the engine."""
