"""Snapshots of the scores' state, bound to a log position: one file, replaced atomically, checked on the way back."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from devices.errors import EnvironmentFailure
from ingest.whole_file import write_whole

_MAGIC = b"GGSNAP1\n"
_HEAD = struct.Struct("<8sqqqI")  # magic, plant version, log position, length, CRC32C of the state


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot as it was found."""

    version: int  # Plant.version of the registry it was made under
    position: int
    state: bytes


def save(path: Path, plant_version: int, position: int, state: bytes) -> None:
    """Replace the snapshot: durable before this returns, and the old one stays until then. EnvironmentFailure.

    One of another registry stays as the `previous` one.
    """
    head = _HEAD.pack(_MAGIC, plant_version, position, len(state), google_crc32c.value(state))
    try:
        if _version(path) not in (None, plant_version):
            path.replace(previous(path))
        write_whole(path, head, state)
    except OSError as failure:
        raise EnvironmentFailure(
            f"the scores' state cannot be saved: {failure.strerror}", where=str(path), mend="see the disk's space"
        ) from failure


def load(path: Path) -> Kept | None:
    """The snapshot, or None where there is none or it is damaged: the log tells it all again."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(raw) < _HEAD.size:
        return None
    magic, version, position, length, checksum = _HEAD.unpack_from(raw)
    state = raw[_HEAD.size :]
    if magic != _MAGIC or len(state) != length or google_crc32c.value(state) != checksum:
        return None
    return Kept(version, position, state)


def previous(path: Path) -> Path:
    """Where the last snapshot of the registry before stays."""
    return path.with_name(f"{path.name}.previous")


def _version(path: Path) -> int | None:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
    except FileNotFoundError:
        return None
    return int(_HEAD.unpack(head)[1]) if len(head) == _HEAD.size else None
