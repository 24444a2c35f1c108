"""The slow, obvious twin of the rolling sums: semantics.md §1–3 line by line, from a list of all readings."""

from scoring.reference.cover import coverage
from scoring.reference.sums import Sum, span

__all__ = ["Sum", "coverage", "span"]
