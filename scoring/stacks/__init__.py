"""Stacks: normalisation, minutes, blocks, limit budget."""
