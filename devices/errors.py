"""The errors a user can meet, all of one shape.

    GreengaugeError          cause, where, mend: what happened, at which place, what to do about it
    ├── ConfigurationError   a registry, map, setting or command line that cannot be used (exit code 2)
    │   └── RegistryError    every mistake of one registry at once, in `.mistakes`
    ├── EnvironmentFailure   the world failed: a port, disk, broker or database (exit code 1)
    └── DamagedData          bytes on disk are not what was written there

Anything else that escapes is a bug of ours and is reported as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class GreengaugeError(Exception):
    """Base of every error shown to a user: a cause, a place and a mend, as fields."""

    def __init__(self, cause: str, *, where: str = "", mend: str = "") -> None:
        self.cause, self.where, self.mend = cause, where, mend
        super().__init__(cause, where, mend)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.cause}" + (f" ({self.mend})" if self.mend else "")


class ConfigurationError(GreengaugeError):
    """Bad usage or configuration; the command ends with exit code 2."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a registry file."""

    file: str
    table: str  # "meter.k1-coal.channels.coal"
    key: str  # "rise_max", or "" where the table as a whole is wrong
    cause: str
    mend: str

    def __str__(self) -> str:
        key = f" {self.key}" if self.key else ""
        return f"{self.file}: [{self.table}]{key}: {self.cause} ({self.mend})"


class RegistryError(ConfigurationError):
    """A registry that cannot be used: all its mistakes, not the first one."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        first = self.mistakes[0]
        super().__init__(
            f"{len(self.mistakes)} mistake(s) in the registry",
            where=first.file,
            mend="; ".join(str(m) for m in self.mistakes),
        )


class EnvironmentFailure(GreengaugeError):
    """The world failed, not the user's configuration and not our code."""


class DamagedData(GreengaugeError):
    """Stored bytes do not match what was written: reported by name, never repaired by deletion."""
