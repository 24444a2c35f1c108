"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _folder(text: str) -> Path:
    """A folder's path; an empty text, as an unset variable of a shell leaves it, is none."""
    if not text:
        raise typer.BadParameter("the name is empty: leave it out, or name a folder (`.` is this one)")
    return Path(text)


Registry = Annotated[Path, typer.Argument(help="Registry of the plant (TOML).", metavar="REGISTRY")]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder of log, cursors and history.", metavar="DIR", parser=_folder),
]
Broker = Annotated[
    str | None,
    typer.Option(help="Broker: mqtt://host:port, mqtts://user@host:port.", metavar="URL"),
]
Store = Annotated[
    str | None,
    typer.Option(help="`embedded`, or the http:// or https:// address of an InfluxDB.", metavar="STORE"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Seed = Annotated[int, typer.Option(help="Seed of the simulated plant: another seed, another plant.")]
Start = Annotated[
    str | None,
    typer.Option(help="Simulated time to start at, RFC 3339 with zone (default: now)."),
]
Port = Annotated[int | None, typer.Option(help="Port of the page; if busy, the next free one.")]
