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
    except UnicodeDecodeError as failure:
        raise EnvironmentFailure(
            "the file with our name at the broker is damaged",
            where=str(path),
            mend="put it back from a backup, or delete it: then what the broker still holds for that name is not had",
        ) from failure
    except OSError as failure:
        raise EnvironmentFailure(
            f"the client id cannot be kept: {failure.strerror}",
            where=str(path),
            mend="check that this user may read and write there",
        ) from failure
    return made
