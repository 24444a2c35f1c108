"""Figures: through a real mosquitto, beside what a bare socket reader gets from it. Both read while it is published."""

from __future__ import annotations

import time

from greengauge.bench.figures import Figures
from greengauge.bench.intake.backlog import LONG_S
from greengauge.bench.intake.mosquitto import Mosquitto
from greengauge.bench.intake.processes import find, module
from greengauge.bench.intake.scale import Place
from greengauge.bench.intake.service import ServiceProcess
from greengauge.bench.intake.truth import log_holds
from greengauge.bench.intake.workload import Workload

POLL_S = 0.05


def broker(figures: Figures, place: Place) -> None:
    """Messages a second from the first one published to the last one that the reader has acknowledged."""
    if find("mosquitto") is None:
        figures.lack("mosquitto")
        return
    workload, messages, warm = Workload(place.scale.meters), place.scale.broker, place.scale.warm
    bare, bare_cpu = _bare(place, workload, warm, messages)
    figures.say("broker_bare_reader_msgs_s", bare)
    figures.say("broker_bare_reader_cpu_us", bare_cpu)
    for stage in ("durable", "scored"):
        rate, cpu, good = _ours(place, workload, stage, warm, messages)
        figures.say(f"broker_{stage}_msgs_s", rate)
        figures.say(f"broker_{stage}_cpu_us", cpu)
        figures.reach(f"broker_{stage}_share_of_bare_reader", rate / bare, at_least=0.95)
        wrong = f"broker, {stage}: the log is not what was sent"
        figures.check(f"broker_{stage}_check", "equal" if good else "not equal", wrong, good)


def _bare(place: Place, workload: Workload, warm: int, messages: int) -> tuple[float, float]:
    folder = place.new("broker-bare")
    with Mosquitto(folder) as real, module("reader", str(real.port), "5", folder=folder) as reader:
        reader.told()
        with module("source", *workload.words(), "--to", str(real.port), folder=folder) as source:
            source.told()
            for count, goal in ((warm, warm), (messages, warm + messages)):
                began = time.perf_counter()
                source.ask(f"send {count}")
                reader.ask(f"until {goal}")
                told = reader.told()
                wall = time.perf_counter() - began
                source.told()
    return messages / wall, told["cpu_s"] / messages * 1e6


def _ours(place: Place, workload: Workload, stage: str, warm: int, messages: int) -> tuple[float, float, bool]:
    """(messages a second, µs of CPU a message, whether the log holds all).

    The service tells its counts once a second, so the rate is taken between two tellings in the midst of it.
    """
    folder = place.new(f"broker-{stage}")
    registry = folder / "plant.toml"
    registry.write_text(workload.registry())
    with Mosquitto(folder) as real, ServiceProcess(folder, registry, real.port, stages=stage) as run:
        run.ready()
        with module("source", *workload.words(), "--to", str(real.port), folder=folder) as source:
            source.told()
            source.ask(f"send {warm}")
            source.told()
            run.until(lambda: run.acknowledged() >= warm, LONG_S, POLL_S)
            run.calm()
            told = [(time.perf_counter(), warm, run.cpu())]  # when, how many, CPU seconds
            source.ask(f"send {messages}")
            while (count := run.acknowledged()) < warm + messages:
                if count > told[-1][1]:
                    told.append((time.perf_counter(), count, run.cpu()))
                time.sleep(POLL_S)
            told.append((time.perf_counter(), count, run.cpu()))
            source.told()
    (began, first, used), (ended, last, cpu) = (told[1], told[-2]) if len(told) > 3 else (told[0], told[-1])
    good = log_holds(folder / "data" / "log", workload, warm + messages)
    count = last - first
    return count / (ended - began), (cpu - used) / count * 1e6, good
