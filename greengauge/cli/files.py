"""Commands about one file: a registry, a message, readings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from devices.errors import ConfigurationError
from greengauge.cli.options import Json, Registry
from greengauge.terminal import say_line

app = typer.Typer()


@app.command()
def init(file: Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE")] = Path("plant.toml")) -> None:
    """Write a small registry to start from."""
    if file.exists():
        raise ConfigurationError("the file is there already", where=str(file), mend="name another, or move it away")
    try:
        file.write_text((Path(__file__).parents[1] / "init.toml").read_text())
    except OSError as failure:
        raise ConfigurationError(
            f"cannot be written: {failure.strerror}", where=str(file), mend="name a folder you may write to"
        ) from None
    say_line(f"wrote {file}; next: greengauge check {file}")


@app.command()
def check(registry: Registry, as_json: Json = False) -> None:
    """Check a registry: every mistake at once, or what is in it. Exit code 1 if there are mistakes."""
    from greengauge.commands import check as verb

    raise typer.Exit(verb.run(registry, as_json=as_json))


@app.command()
def explain(
    registry: Registry,
    topic: Annotated[str, typer.Argument(help="Topic of the message.", metavar="TOPIC")],
    payload: Annotated[str, typer.Argument(help="Payload of the message.", metavar="PAYLOAD")],
    as_json: Json = False,
) -> None:
    """What would become of one message, and why. Exit code 1 if it would not be stored."""
    from devices.plant import load
    from ingest.decode.explain import explain as decide

    told = decide(load(registry), topic, payload.encode(errors="surrogateescape"))
    if as_json:
        say_line(json.dumps(told, ensure_ascii=False))
    else:
        say_line(told["outcome"])
        for reading in told["readings"]:
            say_line("  " + "  ".join(f"{key}={value}" for key, value in reading.items()))
        for key in ("reason", "cause", "where", "mend"):
            if told.get(key):
                say_line(f"  {key}: {told[key]}")
    raise typer.Exit(0 if told["outcome"] == "stored" else 1)


@app.command()
def replay(
    registry: Registry,
    readings: Annotated[Path, typer.Argument(help="Readings file: CSV or NDJSON, .gz too.", metavar="READINGS")],
    every: Annotated[
        str | None,
        typer.Option(help="Also rolling windows and open blocks at each multiple."),
    ] = None,
    final: Annotated[bool, typer.Option("--final", help="Only final values.")] = False,
    sums: Annotated[bool, typer.Option("--sums", help="Sums of each channel instead of scores.")] = False,
    why: Annotated[
        str | None,
        typer.Option(help="Also why each degree over this window moved since one window before.", metavar="WINDOW"),
    ] = None,
    energy: Annotated[bool, typer.Option("--energy", help="Specific energies too (docs/norms.md).")] = False,
    known_at: Annotated[
        str | None,
        typer.Option(help="Only what was known by then: the latest revision of each value.", metavar="TIME"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Score a readings file with the service's own engine: the way to check every number from outside."""
    from greengauge.commands import replay as verb

    verb.run(
        registry,
        readings,
        every=every,
        final=final,
        sums=sums,
        as_json=as_json,
        why=why,
        known_at=known_at,
        energy=energy,
    )
