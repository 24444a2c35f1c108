"""Specific energy: what a unit of product takes, and the norm's level it reaches (docs/norms.md)."""

from scoring.energy.energy import SpecificEnergy

__all__ = ["SpecificEnergy"]
