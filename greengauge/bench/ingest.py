"""`greengauge bench ingest`: the figures of the intake (docs/benchmarks-ingest.md names each)."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from devices.errors import ConfigurationError, EnvironmentFailure
from greengauge.bench.figures import Figures, tell
from greengauge.bench.intake.broker import broker
from greengauge.bench.intake.channels import channels
from greengauge.bench.intake.recovery import recovery
from greengauge.bench.intake.scale import QUICK, Place, Scale
from greengauge.bench.intake.shapes import arrays, meters
from greengauge.bench.intake.stages import stages
from greengauge.bench.intake.steady import steady
from greengauge.bench.measure import machine

FIGURES: dict[str, Callable[[Figures, Place], None]] = {
    "stages": stages,
    "arrays": arrays,
    "meters": meters,
    "broker": broker,
    "steady": steady,
    "channels": channels,
    "recovery": recovery,
}
"""In the order in which they are taken."""


def run(
    *,
    as_json: bool,
    quick: bool = False,
    only: Sequence[str] = (),
    messages: int | None = None,
    out: Path | None = None,
) -> int:
    """Take the figures and print them; the exit code: 1 if answers disagree (figures of wrong answers are none).

    `quick` sends so little that it takes a minute or two: it shows that everything works, and measures nothing.
    `messages`: of a backlog, if not as many as `Scale` says. `out` gets the JSON object too. Raises ConfigurationError
    for a figure that does not exist.
    """
    for name in only:
        if name not in FIGURES:
            raise ConfigurationError(
                f"there is no figure {name}", where="--only", mend=f"choose from {', '.join(FIGURES)}"
            )
    if not Path("/proc/self/stat").exists():
        raise ConfigurationError(
            "CPU time of other processes is read from /proc", where="bench ingest", mend="use Linux"
        )
    scale = QUICK if quick else Scale()
    scale = scale if messages is None else scale.at_most(messages)
    figures = Figures()
    for name, value in machine().items():
        figures.say(name, value)
    figures.say("quick", quick)
    figures.say(
        "source",
        "synthetic: an MQTT server of our own with prebuilt bytes; broker and steady: a real mosquitto",
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    with tempfile.TemporaryDirectory(prefix="greengauge-bench-") as folder:
        place = Place(Path(folder), scale)
        for name, take in FIGURES.items():
            if not only or name in only:
                sys.stderr.write(f"greengauge: {name} …\n")
                _take(name, take, figures, place)
    for rival in figures.missing:
        sys.stderr.write(f"greengauge: MISSING: {rival} is not on PATH; its figures are left out\n")
    return tell(figures, as_json=as_json, out=out)


def _take(name: str, take: Callable[[Figures, Place], None], figures: Figures, place: Place) -> None:
    """A process that fails spoils its own figure, and the run is not good; the others are still taken."""
    try:
        take(figures, place)
    except EnvironmentFailure as failure:
        figures.check(f"{name}_failure", failure.cause, f"{name} failed", good=False)
