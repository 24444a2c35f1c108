"""The plant: registry files read, checked as a whole and compiled.

load(path) -> Plant        or RegistryError with every mistake
parse(text, file=…) -> Plant
"""

from devices.plant.loading import load, parse
from devices.plant.model import Plant

__all__ = ["Plant", "load", "parse"]
