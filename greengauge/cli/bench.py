"""`greengauge bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from greengauge.cli.options import Json

app = typer.Typer(help="Figures beside a rival's, from the same run, answers checked.", no_args_is_help=True)


@app.command("scoring")
def bench_scoring(
    as_json: Json = False,
    lines: Annotated[int, typer.Option(help="Lines of 30 channels at 1 Hz.", min=1)] = 1000,
    readings: Annotated[int, typer.Option(help="Readings of the rolling ratio.", min=10_000)] = 2_000_000,
    days: Annotated[int, typer.Option(help="Days replayed.", min=1)] = 365,
) -> None:
    """The scoring engine beside pandas, polars, bottleneck and numbagg. Exit code 1 if answers disagree."""
    from greengauge.bench import scoring as verb

    raise typer.Exit(verb.run(as_json=as_json, lines=lines, readings=readings, days=days))


@app.command("ingest")
def bench_ingest(
    as_json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="So little that it only shows that everything works.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this figure; may be repeated.", metavar="FIGURE")] = None,
    messages: Annotated[int | None, typer.Option(help="Of a backlog (default: 1,000,000).", min=1000)] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the JSON object here.", metavar="FILE")] = None,
) -> None:
    """The intake beside Telegraf and a plain script, from one source. Exit code 1 if answers disagree."""
    from greengauge.bench import ingest as verb

    raise typer.Exit(verb.run(as_json=as_json, quick=quick, only=only or (), messages=messages, out=out))
