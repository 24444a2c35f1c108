"""Snapshots of the scores' state, bound to a log position: one file, replaced atomically, checked on the way back."""

from __future__ import annotations

import struct
from pathlib import Path

import google_crc32c

from devices.errors import EnvironmentFailure
from ingest.whole_file import write_whole

_MAGIC = b"GGSNAP1\n"
_HEAD = struct.Struct("<8sqqqI")  # magic, plant version, log position, length, CRC32C of the state


def save(path: Path, plant_version: int, position: int, state: bytes) -> None:
    """Replace the snapshot: durable before this returns, and the old one stays until then. EnvironmentFailure."""
    head = _HEAD.pack(_MAGIC, plant_version, position, len(state), google_crc32c.value(state))
    try:
        write_whole(path, head, state)
    except OSError as failure:
        raise EnvironmentFailure(
            f"the scores' state cannot be saved: {failure.strerror}", where=str(path), mend="see the disk's space"
        ) from failure


def load(path: Path, plant_version: int) -> tuple[int, bytes] | None:
    """(position, state), or None where there is none for this plant or it is damaged: the log tells it all again."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(raw) < _HEAD.size:
        return None
    magic, version, position, length, checksum = _HEAD.unpack_from(raw)
    state = raw[_HEAD.size :]
    if magic != _MAGIC or version != plant_version or len(state) != length or google_crc32c.value(state) != checksum:
        return None
    return position, state
