"""Who we are at the broker."""

from __future__ import annotations

import secrets
from pathlib import Path

from devices.errors import EnvironmentFailure
from ingest.whole_file import write_whole


def client_id(folder: Path) -> str:
    """The client id of a data folder, made on first use: the broker keeps our session under this name.

    Raises EnvironmentFailure.
    """
    path = folder / "client-id"
    try:
        if path.exists() and (known := path.read_text("ascii").strip()):
            return known
        made = f"greengauge-{secrets.token_hex(5)}"  # 21 characters: every 3.1.1 broker takes up to 23
        write_whole(path, made.encode("ascii"), b"\n")
    except (OSError, UnicodeDecodeError) as failure:
        raise EnvironmentFailure(
            f"the client id cannot be kept: {failure}",
            where=str(path),
            mend="check that this user may write there; a damaged file may be deleted",
        ) from failure
    return made
