"""The registries that a data folder ran with: a copy of each, by version, and which of them the last start took.

So a record is readable by the registry it came under, and a command that is given none finds the service's own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.errors import ConfigurationError, EnvironmentFailure
from ingest.whole_file import write_whole


@dataclass(frozen=True, slots=True)
class Remembered:
    """The registry that the service last ran with."""

    source: Path  # the user's file, which may have changed since
    version: int  # as it was then
    kept: Path  # where that version is kept


def folder_of(data: Path) -> Path:
    """Where a data folder keeps its registries."""
    return data / "registry"


def copy_of(folder: Path, version: int) -> Path:
    """Where a registry of this version is kept."""
    return folder / f"{version:016x}.toml"


def keep(folder: Path, source: Path, version: int) -> None:
    """Keep the registry, whole or not at all: half a copy would be read in place of it one day."""
    copy = copy_of(folder, version)
    try:
        content = source.read_bytes()
        if not copy.exists() or copy.read_bytes() != content:
            write_whole(copy, content)
    except OSError as failure:
        raise _not_written("the registry cannot be kept in the data folder", copy, failure) from failure


def remember(data: Path, source: Path, version: int) -> None:
    """The service starts with this one."""
    told = {"source": str(source.resolve()), "version": f"{version:016x}"}
    try:
        write_whole(_current(data), json.dumps(told).encode())
    except OSError as failure:
        raise _not_written("the data folder cannot be written", data, failure) from failure


def remembered(data: Path) -> Remembered:
    """What `remember` was told last. Raises ConfigurationError where no service ran here yet."""
    try:
        told: dict[str, Any] = json.loads(_current(data).read_bytes())
        source, version = Path(told["source"]), int(told["version"], 16)
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "no service ever ran here", where=str(data), mend="name the service's data folder with --data"
        ) from None
    return Remembered(source, version, copy_of(folder_of(data), version))


def _current(data: Path) -> Path:
    return folder_of(data) / "current.json"


def _not_written(cause: str, where: Path, failure: OSError) -> EnvironmentFailure:
    mend = "check the disk and that this user may write there"
    return EnvironmentFailure(f"{cause}: {failure.strerror}", where=str(where), mend=mend)
