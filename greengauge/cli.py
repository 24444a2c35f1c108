"""The command `greengauge`. Verbs are thin: they read options, call one function, print, and set the exit code.

Exit codes: 0 good, 1 the check found something or the world failed, 2 bad usage or configuration.
Heavy imports wait until a verb needs them, so that `--help` and `check` answer at once.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from devices.errors import ConfigurationError, GreengaugeError, RegistryError
from greengauge.running import StartAgain

app = typer.Typer(
    name="greengauge",
    help="Plant telemetry over MQTT, made durable, written to InfluxDB, scored live. Not a safety system.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
quarantine_app = typer.Typer(help="Messages that were not let in, and why.", no_args_is_help=True)
app.add_typer(quarantine_app, name="quarantine")
bench_app = typer.Typer(help="Figures beside a rival's, from the same run, answers checked.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")

Registry = Annotated[Path, typer.Argument(help="Registry of the plant (TOML).", metavar="REGISTRY")]
Data = Annotated[
    Path | None, typer.Option(help="Folder of log, cursors and history.", envvar="GREENGAUGE_DATA", metavar="DIR")
]
Broker = Annotated[
    str | None,
    typer.Option(help="Broker, mqtt[s]://[user@]host:port.", envvar="GREENGAUGE_BROKER", metavar="URL"),
]
Store = Annotated[
    str | None,
    typer.Option(help="`embedded`, or http[s]://… of an InfluxDB.", envvar="GREENGAUGE_STORE", metavar="STORE"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.", envvar="GREENGAUGE_JSON")]
Seed = Annotated[int, typer.Option(help="Seed of the simulated plant.", envvar="GREENGAUGE_SEED")]
Start = Annotated[
    str | None,
    typer.Option(help="Simulated time to start at, RFC 3339 with zone (default: now).", envvar="GREENGAUGE_START"),
]
Port = Annotated[
    int | None, typer.Option(help="Port of the page; if busy, the next free one.", envvar="GREENGAUGE_PORT")
]


@app.command()
def demo(seed: Seed = 1, start: Start = None, port: Port = None) -> None:
    """A simulated plant with everything embedded: broker, store, service and page."""
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
        typer.Option(
            help="Address of the page; any but loopback needs GREENGAUGE_PAGE_TOKEN.", envvar="GREENGAUGE_HOST"
        ),
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
        typer.Option(help="Messages a second in all (default: real time).", envvar="GREENGAUGE_RATE"),
    ] = None,
    seed: Seed = 1,
    start: Start = None,
    faults: Annotated[
        str,
        typer.Option(
            help="Comma-separated: spike, frozen, skew, late, duplicate, wrap, reset, o2, silent, unit.",
            envvar="GREENGAUGE_FAULTS",
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
        Path, typer.Option("--map", help="Which column is which channel (TOML).", envvar="GREENGAUGE_MAP")
    ],
    broker: Broker = None,
    speed: Annotated[
        str, typer.Option(help="Times real time, or `max`.", envvar="GREENGAUGE_SPEED", metavar="N|max")
    ] = "max",
) -> None:
    """Publish the rows of a CSV file as meter messages."""
    from greengauge import settings
    from greengauge.commands import feed as verb

    verb.run(file, map, settings.load(broker=broker), speed)


@app.command()
def check(registry: Registry, as_json: Json = False) -> None:
    """Check a registry: every mistake at once, or what is in it. Exit code 1 if there are mistakes."""
    from greengauge.commands import check as verb

    raise typer.Exit(verb.run(registry, as_json=as_json))


@app.command()
def explain(
    registry: Registry,
    topic: Annotated[str, typer.Argument(help="Topic of the message.")],
    payload: Annotated[str, typer.Argument(help="Payload of the message.")],
    as_json: Json = False,
) -> None:
    """What would become of one message, and why. Exit code 1 if it would not be stored."""
    from devices.plant import load
    from ingest.decode.explain import explain as decide

    told = decide(load(registry), topic, payload.encode(errors="surrogateescape"))
    if as_json:
        _print(json.dumps(told, ensure_ascii=False))
    else:
        _print(told["outcome"])
        for reading in told["readings"]:
            _print("  " + "  ".join(f"{key}={value}" for key, value in reading.items()))
        for key in ("reason", "cause", "where", "mend"):
            if told.get(key):
                _print(f"  {key}: {told[key]}")
    raise typer.Exit(0 if told["outcome"] == "stored" else 1)


@app.command()
def replay(
    registry: Registry,
    readings: Annotated[Path, typer.Argument(help="Readings file: CSV or NDJSON, .gz too.", metavar="READINGS")],
    every: Annotated[
        str | None,
        typer.Option(help="Also rolling windows and open blocks at each multiple.", envvar="GREENGAUGE_EVERY"),
    ] = None,
    final: Annotated[bool, typer.Option("--final", help="Only final values.", envvar="GREENGAUGE_FINAL")] = False,
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


@app.command()
def recompute(
    start: Annotated[
        str, typer.Option("--from", help="RFC 3339 time with zone; scores after it.", envvar="GREENGAUGE_FROM")
    ],
    end: Annotated[str, typer.Option("--to", help="... up to this one.", envvar="GREENGAUGE_TO")],
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
        typer.Option("--from", help="RFC 3339 receive time (default: the log's beginning).", envvar="GREENGAUGE_FROM"),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="... up to this one (default: its end).", envvar="GREENGAUGE_TO")
    ] = None,
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
    to: Annotated[str, typer.Option(help="RFC 3339 time with zone.", envvar="GREENGAUGE_TO")],
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


@app.command()
def init(file: Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE")] = Path("plant.toml")) -> None:
    """Write a small registry to start from."""
    if file.exists():
        raise ConfigurationError("the file is there already", where=str(file), mend="name another, or move it away")
    try:
        file.write_text((Path(__file__).parent / "init.toml").read_text())
    except OSError as failure:
        raise ConfigurationError(
            f"cannot be written: {failure.strerror}", where=str(file), mend="name a folder you may write to"
        ) from None
    _print(f"wrote {file}; next: greengauge check {file}")


@quarantine_app.command("list")
def quarantine_list(
    data: Data = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 100,
    as_json: Json = False,
) -> None:
    """List the newest quarantined messages, one a line."""
    from greengauge.commands import quarantine as verb

    verb.list_(data, limit, as_json=as_json)


@quarantine_app.command("show")
def quarantine_show(
    position: Annotated[int, typer.Argument(help="Position, as `list` prints it.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one quarantined message whole: cause, place, mend, payload."""
    from greengauge.commands import quarantine as verb

    verb.show(position, data, as_json=as_json)


@quarantine_app.command("retry")
def quarantine_retry(
    positions: Annotated[
        list[int] | None, typer.Argument(help="Positions, as `list` prints them (default: all).", metavar="POSITION")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let in what the registry in force allows by now: for a channel or meter that was approved meanwhile.

    Each message keeps the log position and the receive time it had. Exit code 1 if some are still not let in.
    """
    from greengauge.commands import retry as verb

    raise typer.Exit(verb.run(positions or (), data, as_json=as_json))


@bench_app.command("scoring")
def bench_scoring(
    as_json: Json = False,
    lines: Annotated[int, typer.Option(help="Lines of 30 channels at 1 Hz.", min=1, envvar="GREENGAUGE_LINES")] = 1000,
    readings: Annotated[
        int, typer.Option(help="Readings of the rolling ratio.", min=10_000, envvar="GREENGAUGE_READINGS")
    ] = 2_000_000,
    days: Annotated[int, typer.Option(help="Days replayed.", min=1, envvar="GREENGAUGE_DAYS")] = 365,
) -> None:
    """The scoring engine beside pandas, polars, bottleneck and numbagg. Exit code 1 if answers disagree."""
    from greengauge.bench import scoring as verb

    raise typer.Exit(verb.run(as_json=as_json, lines=lines, readings=readings, days=days))


@bench_app.command("ingest")
def bench_ingest(
    as_json: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="So little that it only shows that everything works.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this figure; may be repeated.", metavar="FIGURE")] = None,
    messages: Annotated[
        int | None, typer.Option(help="Of a backlog (default: 1,000,000).", min=1000, envvar="GREENGAUGE_MESSAGES")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the JSON object here.", metavar="FILE")] = None,
) -> None:
    """The intake beside Telegraf and a plain script, from one source. Exit code 1 if answers disagree."""
    from greengauge.bench import ingest as verb

    raise typer.Exit(verb.run(as_json=as_json, quick=quick, only=only or (), messages=messages, out=out))


def main() -> None:
    """Entry point: errors a user can meet become one readable message and an exit code."""
    try:
        app()
    except RegistryError as wrong:
        for mistake in wrong.mistakes:
            _complain(str(mistake))
        _complain(f"{len(wrong.mistakes)} mistake(s); nothing was started")
        sys.exit(2)
    except ConfigurationError as wrong:
        _complain(str(wrong))
        sys.exit(2)
    except GreengaugeError as failure:
        _complain(str(failure))
        sys.exit(1)
    except StartAgain:
        os.execv(sys.executable, [sys.executable, "-m", "greengauge", *sys.argv[1:]])  # noqa: S606 - ourselves
    except BrokenPipeError:  # the reader of our output has gone (`… | head`)
        sys.stderr.close()
        sys.exit(0)


def _print(text: Any) -> None:
    sys.stdout.write(f"{text}\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"greengauge: {text}\n")
