"""Restating: what late readings and corrected values change of what was told (semantics §1, §3)."""

from scoring.restate.past import Past, Touched
from scoring.restate.told import MemoryTold, Told

__all__ = ["MemoryTold", "Past", "Told", "Touched"]
