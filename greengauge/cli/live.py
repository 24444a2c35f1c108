"""Commands that run something until Ctrl-C: the service, and what publishes to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from greengauge.cli.options import Broker, Data, Port, Registry, Seed, Start, Store

app = typer.Typer()


@app.command()
def demo(seed: Seed = 1, start: Start = None, port: Port = None) -> None:
    """A simulated plant with everything embedded: broker, store, service and page, until Ctrl-C.

    The first start scores 24 simulated hours; then NOx rises and an alarm comes. Nothing is sent anywhere else.
    Each seed, and each --start, has a folder below GREENGAUGE_DATA/demo, whichever clone it is started from:
    the next start goes on from there. Delete the folder to begin anew.
    """
    from greengauge.commands import demo as verb

    verb.run(seed=seed, start=start, port=port)


@app.command()
def run(
    registry: Registry,
    data: Data = None,
    broker: Broker = None,
    store: Store = None,
    port: Port = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address of the page; any but loopback needs GREENGAUGE_PAGE_TOKEN."),
    ] = None,
) -> None:
    """Run the service: from the broker to the store, the scores and the page."""
    from greengauge import service, settings

    service.run(registry, settings.load(data=data, broker=broker, store=store, port=port, host=host))


@app.command()
def simulate(
    registry: Registry,
    broker: Broker = None,
    rate: Annotated[
        float | None,
        typer.Option(help="Messages a second in all (default: real time)."),
    ] = None,
    seed: Seed = 1,
    start: Start = None,
    faults: Annotated[
        str,
        typer.Option(
            help="Comma-separated: spike, frozen, skew, late, duplicate, wrap, reset, o2, silent, unit.",
        ),
    ] = "",
) -> None:
    """Publish a simulated plant's readings, as its edge meters would."""
    from greengauge import settings
    from greengauge.commands import simulate as verb

    verb.run(registry, settings.load(broker=broker), rate=rate, seed=seed, start=start, faults=faults)


@app.command()
def feed(
    file: Annotated[Path, typer.Argument(help="CSV, or CSV.gz.", metavar="FILE")],
    map: Annotated[  # noqa: A002 - the option's name is a contract
        Path, typer.Option("--map", help="Which column is which channel (TOML).")
    ],
    broker: Broker = None,
    speed: Annotated[str, typer.Option(help="Times real time, or `max`.", metavar="N|max")] = "max",
) -> None:
    """Publish the rows of a CSV file as meter messages."""
    from greengauge import settings
    from greengauge.commands import feed as verb

    verb.run(file, map, settings.load(broker=broker), speed)
