"""The slow, obvious twin of the rolling sums."""
