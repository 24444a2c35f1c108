"""Why a degree moved between two windows: the exact additive split of its change (docs/why.md)."""

from scoring.why.ask import why
from scoring.why.told import Why

__all__ = ["Why", "why"]
