"""One backlog through the service, a rival, or a bare reader, from the synthetic source; with every answer checked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greengauge.bench.intake.influx import Influxd
from greengauge.bench.intake.processes import Process, module
from greengauge.bench.intake.service import DOWN, ServiceProcess
from greengauge.bench.intake.truth import log_holds, sums_hold
from greengauge.bench.intake.workload import Workload

SHOWN_S = 5.0
"""The service shows its state once a second, while it is busy later."""
LONG_S = 3600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one backlog cost. Times end with the stage, as told once a second; PUBACKs are timed by the source, and the
    stage `stored` (of a rival, too) by InfluxDB's own account of the points it took.
    """

    messages: int
    cpu_s: float  # of the reader
    wall_s: float
    acked_s: float  # first byte to last PUBACK
    bytes: int
    influx_s: float  # CPU seconds of influxd meanwhile
    wrong: str  # "": every answer is right

    @property
    def cpu_us(self) -> float:
        """Of a message."""
        return self.cpu_s / self.messages * 1e6

    @property
    def rate(self) -> float:
        """Messages a second through the stage."""
        return self.messages / self.wall_s


def service(
    folder: Path, workload: Workload, stage: str, warm: int, messages: int, influx: Influxd | None = None
) -> Outcome:
    """Through `greengauge run` up to `stage`; `warm` messages go before and are not counted."""
    registry = folder / "plant.toml"
    registry.write_text(workload.registry())
    store, env = (DOWN, {}) if influx is None else (influx.url, _target(influx, folder))
    with module("source", *workload.words(), folder=folder) as source:
        port = source.told()["port"]
        with ServiceProcess(folder, registry, port, stages=stage, store=store, **env) as run:
            run.ready()
            through(run, source, workload, stage, 0, warm, storing=influx is not None)
            run.calm()
            before, used, at = run.cpu(), influx.cpu() if influx else 0.0, influx.points() if influx else 0
            began = time.perf_counter()
            if influx and stage == "stored":
                source.ask(f"send {messages}")
                run.until(lambda: influx.points() - at >= messages * workload.objects, LONG_S, every=0.25)
                wall, spent = time.perf_counter() - began, influx.cpu() - used
                sent = source.told()
                reached(run, workload, stage, warm + messages, storing=True)
            else:
                sent = through(run, source, workload, stage, warm, messages, storing=influx is not None)
                wall, spent = time.perf_counter() - began, influx.cpu() - used if influx else 0.0
            cpu = run.cpu() - before
            wrong = [] if sent["in_order"] and sent["acks"] == warm + messages else ["PUBACKs"]
            wrong += [] if run.rejects() == 0 else ["rejects"]
            if stage == "scored":
                end = time.monotonic() + SHOWN_S
                while not (good := sums_hold(run, workload, warm + messages)) and time.monotonic() < end:
                    time.sleep(0.2)
                wrong += [] if good else ["sums"]
        wrong += [] if log_holds(folder / "data" / "log", workload, warm + messages) else ["log"]
        if influx and stage in ("stored", "scored"):
            held = influx.holds(env["GREENGAUGE_INFLUX_BUCKET"], workload, warm + messages)
            wrong += [] if held else ["InfluxDB"]
    return Outcome(messages, cpu, wall, sent["wall_s"], sent["bytes"], spent, " ".join(wrong))


def through(
    run: ServiceProcess, source: Process, workload: Workload, stage: str, before: int, messages: int, *, storing: bool
) -> dict[str, Any]:
    """Send, and wait until the stage has all of it; what the source says of it."""
    source.ask(f"send {messages}")
    sent = source.told()
    reached(run, workload, stage, before + messages, storing=storing)
    return sent


def reached(run: ServiceProcess, workload: Workload, stage: str, whole: int, *, storing: bool) -> None:
    """Wait until the stage has so many messages."""
    scope, clock = workload.scope(), workload.clock(whole)
    done: dict[str, Callable[[], bool]] = {
        "durable": lambda: True,
        "decoded": lambda: run.acknowledged() >= whole and run.decoded(),
        "stored": lambda: run.stored() >= whole * workload.objects * 3,
        "scored": lambda: run.acknowledged() >= whole and run.scored(scope, clock),
    }
    run.until(done[stage], LONG_S, every=0.1)
    if stage == "scored" and storing:
        run.until(done["stored"], LONG_S, every=0.1)


def rival(
    folder: Path,
    workload: Workload,
    start: Callable[[int, str], Process],
    warm: int,
    messages: int,
    influx: Influxd,
) -> Outcome:
    """Through another program into InfluxDB; `start(broker port, bucket)` starts it."""
    bucket = influx.bucket(folder.name)
    with module("source", *workload.words(), folder=folder) as source, start(source.told()["port"], bucket) as run:
        at = influx.points()
        for count, goal in ((warm, warm), (messages, warm + messages)):
            before, used, began = run.cpu(), influx.cpu(), time.perf_counter()
            source.ask(f"send {count}")
            sent = source.told()
            run.until(lambda goal=goal: influx.points() - at >= goal * workload.objects, LONG_S)  # type: ignore[misc] # default binds it
            wall, cpu, spent = time.perf_counter() - began, run.cpu() - before, influx.cpu() - used
        run.ask("")
    wrong = [] if influx.holds(bucket, workload, warm + messages) else ["InfluxDB"]
    return Outcome(messages, cpu, wall, sent["wall_s"], sent["bytes"], spent, " ".join(wrong))


def bare(folder: Path, workload: Workload, messages: int) -> float:
    """Messages a second that a bare socket reader gets: what the source can give."""
    with module("source", *workload.words(), folder=folder) as source:
        port = str(source.told()["port"])
        with module("reader", port, "5", folder=folder) as reader:
            reader.told()
            reader.ask(f"until {messages}")
            source.ask(f"send {messages}")
            sent = source.told()
    return float(messages / sent["wall_s"])


def _target(influx: Influxd, folder: Path) -> dict[str, str]:
    return {"GREENGAUGE_INFLUX_ORG": "bench", "GREENGAUGE_INFLUX_BUCKET": influx.bucket(folder.name)}
