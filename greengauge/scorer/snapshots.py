"""Snapshots of the scores' state, bound to a log position: one file, replaced atomically, checked on the way back."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from devices.errors import EnvironmentFailure
from ingest.whole_file import write_whole
from scoring.state import Buffer

NAME = "scores.snapshot"
"""In the data folder."""
_MAGIC = b"GGSNAP1\n"
_HEAD = struct.Struct("<8sqqqI")  # magic, plant version, log position, length, CRC32C of the state
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot as it was found."""

    version: int  # Plant.version of the registry it was made under
    position: int
    state: Buffer


def save(path: Path, plant_version: int, position: int, *state: Buffer) -> None:
    """Replace the snapshot: durable before this returns, and the old one stays until then. EnvironmentFailure.

    `state` in as many pieces as it has. One of another registry stays as the `previous` one.
    """
    head = _HEAD.pack(_MAGIC, plant_version, position, sum(map(len, state)), _checksum(state))
    try:
        if _version(path) not in (None, plant_version):
            path.replace(previous(path))
        write_whole(path, head, *state)
    except OSError as failure:
        raise EnvironmentFailure(
            f"the scores' state cannot be saved: {failure.strerror}", where=str(path), mend="see the disk's space"
        ) from failure


def load(path: Path) -> Kept | None:
    """The snapshot, or None where there is none or it is damaged: the log tells it all again."""
    try:
        with path.open("rb") as file:
            raw = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (FileNotFoundError, ValueError):  # the latter of an empty file
        return None
    if len(raw) < _HEAD.size:
        return None
    magic, version, position, length, checksum = _HEAD.unpack_from(raw)
    state = raw[_HEAD.size :]
    if magic != _MAGIC or len(state) != length or _checksum([state]) != checksum:
        return None
    return Kept(version, position, state)


def _checksum(state: Iterable[Buffer]) -> int:
    """CRC32C, of pieces that are never copied whole."""
    found = 0
    for buffer in state:
        for start in range(0, len(buffer), _PIECE):
            found = google_crc32c.extend(found, bytes(buffer[start : start + _PIECE]))
    return found


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
