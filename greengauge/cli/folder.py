"""Commands about a data folder: what is in it, and what is to be done again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from greengauge.cli.options import Data, Json, Store

MOST = 2**63 - 1
"""A position is an integer of 64 bits, and so is what SQLite counts with."""

app = typer.Typer()
quarantine_app = typer.Typer(help="Messages that were not let in, and why.", no_args_is_help=True)
app.add_typer(quarantine_app, name="quarantine")


@app.command()
def recompute(
    start: Annotated[str, typer.Option("--from", help="RFC 3339 time with zone; scores after it.")],
    end: Annotated[str, typer.Option("--to", help="... up to this one.")],
    data: Data = None,
    registry: Annotated[
        Path | None, typer.Option(help="Registry (default: the one the service last ran with).", metavar="REGISTRY")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why, in a few words; stands in the reason of each new revision.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell the scores of a stretch of time anew, after a corrected factor, benchmark or laboratory value.

    Only what differs gets a new revision. A running service does it (restart it with the new registry first);
    without one it is done here. Ctrl-C interrupts (exit code 130): the same command again goes on where it was.
    """
    from greengauge import settings
    from greengauge.commands import recompute as verb

    raise typer.Exit(verb.run(start, end, settings.load(data=data), registry=registry, reason=reason, as_json=as_json))


@app.command()
def verify(
    start: Annotated[
        str | None,
        typer.Option("--from", help="RFC 3339 receive time (default: the log's beginning)."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="... up to this one (default: its end).")] = None,
    data: Data = None,
    store: Store = None,
    minutes: Annotated[
        bool, typer.Option("--minutes", help="Every receive minute, not only those with an anomaly.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Account for every value received: stored, duplicate, superseded, quarantined, awaiting approval or unwritten.

    Computed from the log and the store; nothing is changed, so it may run beside the service.
    Exit code 1 if something is missing or differs, or log was damaged.
    """
    from greengauge import settings
    from greengauge.commands import verify as verb

    raise typer.Exit(verb.run(start, end, settings.load(data=data, store=store), minutes=minutes, as_json=as_json))


@app.command()
def rewind(
    to: Annotated[str, typer.Option(help="RFC 3339 time with zone.")],
    data: Data = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Write everything received since then to the store again, in log order: for a store that lost what it had.

    Nothing becomes double, and the winners win. A running service does it; without one it is done at the next start.
    Exit code 1 if the log does not reach back that far; it says how far it does.
    """
    from greengauge import settings
    from greengauge.commands import rewind as verb

    raise typer.Exit(verb.run(to, settings.load(data=data, store=store), as_json=as_json))


@quarantine_app.command("list")
def quarantine_list(
    data: Data = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1, max=MOST)] = 100,
    as_json: Json = False,
) -> None:
    """List the newest quarantined messages, one a line."""
    from greengauge.commands import quarantine as verb

    verb.list_(data, limit, as_json=as_json)


@quarantine_app.command("show")
def quarantine_show(
    position: Annotated[int, typer.Argument(help="Position, as `list` prints it.", min=0, max=MOST)],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one quarantined message whole: cause, place, mend, payload."""
    from greengauge.commands import quarantine as verb

    verb.show(position, data, as_json=as_json)


@quarantine_app.command("retry")
def quarantine_retry(
    positions: Annotated[
        list[int] | None,
        typer.Argument(help="Positions, as `list` prints them (default: all).", metavar="POSITION", min=0, max=MOST),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let in what the registry in force allows by now: for a channel or meter that was approved meanwhile.

    Each message keeps the log position and the receive time it had. Exit code 1 if some are still not let in.
    """
    from greengauge.commands import retry as verb

    raise typer.Exit(verb.run(positions or (), data, as_json=as_json))
