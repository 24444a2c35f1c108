"""Figure: a log full of readings that nobody has scored yet: how fast it is taken in, and whether all else waits."""

from __future__ import annotations

import time

from greengauge.bench.figures import Figures
from greengauge.bench.intake.backlog import LONG_S
from greengauge.bench.intake.processes import module
from greengauge.bench.intake.scale import Place
from greengauge.bench.intake.service import AT_REST, ServiceProcess
from greengauge.bench.intake.truth import sums_hold
from greengauge.bench.intake.workload import Workload

POLL_S = 0.1


def recovery(figures: Figures, place: Place) -> None:
    """The log is filled by a run that only makes durable; then a second run meets it. The store is down."""
    workload, messages = Workload(place.scale.meters), place.scale.readings // 3
    folder = place.new("recovery")
    registry = folder / "plant.toml"
    registry.write_text(workload.registry())
    with module("source", *workload.words(), folder=folder) as source:
        port = source.told()["port"]
        with ServiceProcess(folder, registry, port, stages="durable") as run:
            run.ready()
            run.calm()
            source.ask(f"send {messages}")
            size = source.told()["bytes"]
        with ServiceProcess(folder, registry, port) as run:
            run.until(run.alive, LONG_S, POLL_S)
            figures.reach("recovery_page_ready_s", time.monotonic() - run.began, at_most=5)
            figures.reach("recovery_intake_ready_s", run.ready(), at_most=5)
            state = run.until(lambda: run.part("scoring"), LONG_S, POLL_S)
            began, left = time.monotonic(), state["unread"]
            run.until(lambda: run.part("scoring")["unread"] < AT_REST, LONG_S, POLL_S)
            taken = time.monotonic()
            figures.say("recovery_rss_mb", run.rss() / 1e6)
            run.until(lambda: run.scored(workload.scope(), workload.clock(messages)), LONG_S, POLL_S)
            ended, cpu = time.monotonic(), run.cpu()
            good = sums_hold(run, workload, messages)
    readings = messages * 3
    before = size - left  # taken in before it told for the first time
    span = taken - (began if left > size // 10 else run.began)
    done = readings * (left / size if left > size // 10 else 1)
    figures.say("recovery_readings", readings)
    figures.say("recovery_told_late_share", before / size)
    figures.reach("recovery_readings_s", done / span, at_least=500_000)
    figures.say("recovery_all_scored_s", ended - run.began)
    figures.say("recovery_cpu_us_a_reading", cpu / readings * 1e6)
    figures.check("recovery_check", "equal" if good else "not equal", "recovery: the sums are not what was sent", good)
