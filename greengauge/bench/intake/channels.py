"""Figure: a large plant at its own pace, all scored, the store down: memory over time, and how long a start takes."""

from __future__ import annotations

import time

from devices.durations import SECOND
from greengauge.bench.figures import Figures
from greengauge.bench.intake.processes import module
from greengauge.bench.intake.scale import Place
from greengauge.bench.intake.service import ServiceProcess
from greengauge.bench.intake.truth import log_holds_count, sums_hold
from greengauge.bench.intake.workload import Workload

EVERY_S = 10
CHANNELS = 3
"""Of a meter."""


def channels(figures: Figures, place: Place) -> None:
    """Every channel once in ten seconds. The first start fills the caches, the second is measured."""
    workload = Workload(place.scale.channels // CHANNELS, every_ms=EVERY_S * SECOND)
    folder = place.new("channels")
    registry = folder / "plant.toml"
    registry.write_text(workload.registry(history=False))
    with module("source", *workload.words(), folder=folder) as source:
        port = source.told()["port"]
        with ServiceProcess(folder, registry, port) as run:
            figures.say("channels_first_start_s", run.ready())
            run.calm()
        with ServiceProcess(folder, registry, port) as run:
            figures.reach("channels_start_s", run.ready(), at_most=5)
            figures.say("channels_rss_idle_mb", run.rss() / 1e6)
            seconds, rate = place.scale.channels_s, workload.meters / EVERY_S
            source.ask(f"pace {rate} {seconds}")
            used, sizes, until = run.cpu(), [run.rss()], time.monotonic() + seconds
            while time.monotonic() < until:
                time.sleep(0.5)
                sizes.append(run.rss())
            cpu = run.cpu() - used
            sent = source.told()
            run.until(lambda: run.acknowledged() >= sent["acks"] and run.part("scoring").get("unread") == 0, 600)
            good = sums_hold(run, workload, sent["acks"], sample=1)
    good = good and log_holds_count(folder / "data" / "log", sent["bytes"])
    figures.say("channels_channels", workload.meters * CHANNELS)
    figures.say("channels_seconds", seconds)
    figures.say("channels_messages", sent["messages"])
    figures.say("channels_core_percent", cpu / seconds * 100)
    figures.reach("channels_rss_mb", max(sizes) / 1e6, at_most=800)
    half = sizes[len(sizes) // 2]
    figures.say("channels_rss_half_mb", half / 1e6)
    figures.reach("channels_rss_growth_mb_min", (sizes[-1] - half) / 1e6 / (seconds / 120), at_most=1)
    figures.check("channels_check", "equal" if good else "not equal", "channels: log or sums", good)
