"""Stacks: normalisation, minutes, blocks, limit budget."""

from scoring.stacks.stacks import Stacks

__all__ = ["Stacks"]
