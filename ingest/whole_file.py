"""A small file that is there whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import os
from pathlib import Path

from ingest.log.segment import sync_folder


def write_whole(path: Path, *parts: bytes | memoryview) -> None:
    """Replace the file by these bytes: durable, name and all, before this returns; until then the old one stands.

    Raises OSError, and then the old one still stands.
    """
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)
