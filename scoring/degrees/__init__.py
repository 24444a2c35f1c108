"""The four degrees: green, low-carbon, circular, smart."""

from scoring.degrees.coverage import DEGREES, coverage_groups
from scoring.degrees.degrees import Degrees

__all__ = ["DEGREES", "Degrees", "coverage_groups"]
