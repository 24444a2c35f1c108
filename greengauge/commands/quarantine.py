"""`greengauge quarantine`: reads the quarantine beside a running service, or without one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from devices import times
from devices.errors import ConfigurationError
from devices.foreign import brief, printable
from greengauge import settings
from ingest.quarantine import Quarantine


def list_(data: Path | None, limit: int, *, as_json: bool) -> None:
    """Print the newest rejects, one a line."""
    with _open(data) as quarantine:
        for reject in quarantine.list(limit):
            sys.stdout.write((json.dumps(reject, ensure_ascii=False) if as_json else _line(reject)) + "\n")


def show(position: int, data: Path | None, *, as_json: bool) -> None:
    """Print every object that was rejected from the message at `position`."""
    with _open(data) as quarantine:
        found = quarantine.show(position)
    if not found:
        raise ConfigurationError(
            "nothing is quarantined there", where=f"position {position}", mend="see `quarantine list`"
        )
    for reject in found:
        if as_json:
            sys.stdout.write(json.dumps(reject, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write("\n".join(f"{key:>9}  {printable(str(value))}" for key, value in reject.items()) + "\n\n")


def _open(data: Path | None) -> Quarantine:
    folder = settings.load(data=data).data
    path = folder / "quarantine.db"
    if not path.exists():
        raise ConfigurationError(
            "no quarantine is kept here", where=str(folder), mend="name the service's folder with --data"
        )
    return Quarantine.open_read_only(path)


def _line(reject: dict[str, Any]) -> str:
    return (
        f"{reject['position']:>12}  {times.format(reject['received'])}  {brief(reject['topic'])}  "
        f"{reject['outcome']}: {reject['reason']}: {reject['cause']}"
    )
