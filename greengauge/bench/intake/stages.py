"""Figures: what a message costs in a backlog, stage by stage, beside Telegraf and the script a user would write."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from greengauge.bench.figures import Figures
from greengauge.bench.intake import backlog, telegraf
from greengauge.bench.intake.backlog import Outcome
from greengauge.bench.intake.disk import commits
from greengauge.bench.intake.influx import ORG, TOKEN, Influxd
from greengauge.bench.intake.processes import Process, find
from greengauge.bench.intake.scale import Place
from greengauge.bench.intake.telegraf import Telegraf
from greengauge.bench.intake.workload import Workload

GOALS = {"durable": None, "decoded": 0.6, "stored": 1.0, "scored": 1.3}
"""µs of CPU a message, all before it included."""
FASTEST = 1_000_000
"""Messages a second made durable, or this share of what the disk commits:"""
SHARE = 0.9


def stages(figures: Figures, place: Place) -> None:
    """The ladder without spaces, its ends with spaces, and the rivals of the stage that they have too."""
    with_store = find("influxd") is not None
    if not with_store:
        figures.lack("influxd")
    compact, spaced = Workload(place.scale.meters), Workload(place.scale.meters, "spaced")
    figures.say("workload_meters", compact.meters)
    figures.say("workload_payload_bytes", len(compact.payload()))
    figures.say("workload_frame_bytes", compact.frames(0, 1, 5).shape[1])
    figures.say("workload_spaced_frame_bytes", spaced.frames(0, 1, 5).shape[1])
    source = backlog.bare(place.new("bare"), compact, place.scale.messages)
    figures.say("source_msgs_s", source)
    for stage, goal in GOALS.items():
        found = _ours(place, compact, stage)
        say(figures, f"stage_{stage}", found, goal)
        if stage == "durable":
            disk = commits(place.folder, found.bytes) / (found.bytes / found.messages)
            figures.say("disk_msgs_s", disk)
            rate = found.messages / found.acked_s
            figures.reach("durable_msgs_s", rate, at_least=min(FASTEST, SHARE * disk))
            figures.say("durable_share_of_disk", rate / disk)
        if stage == "stored" and with_store:
            figures.reach("store_influxd_share_of_cores", found.influx_s / found.wall_s / _cores(), at_least=0.8)
            _rivals(figures, place, compact, found)
    for stage in ("decoded", "scored"):
        say(figures, f"spaced_{stage}", _ours(place, spaced, stage), GOALS[stage])


def say(figures: Figures, name: str, found: Outcome, goal: float | None = None) -> None:
    """The figures of one backlog of ours, and whether its answers are right."""
    figures.say(f"{name}_messages", found.messages)
    if goal is None:
        figures.say(f"{name}_cpu_us", found.cpu_us)
    else:
        figures.reach(f"{name}_cpu_us", found.cpu_us, at_most=goal)
    figures.say(f"{name}_msgs_s", found.rate)
    figures.say(f"{name}_acked_msgs_s", found.messages / found.acked_s)
    figures.check(f"{name}_check", found.wrong or "equal", f"{name}: {found.wrong}", good=not found.wrong)


def _ours(place: Place, workload: Workload, stage: str) -> Outcome:
    folder, scale = place.new(stage), place.scale
    if stage in ("stored", "scored") and find("influxd") is not None:
        with Influxd(folder / "influxd") as influx:
            return backlog.service(folder, workload, stage, scale.warm, scale.messages, influx)
    return backlog.service(folder, workload, stage, scale.warm, scale.messages)


def _rivals(figures: Figures, place: Place, workload: Workload, ours: Outcome) -> None:
    figures.say("telegraf_version", telegraf.version())
    if find("telegraf") is None:
        figures.lack("telegraf")
    else:
        figures.say("telegraf_config", telegraf.CONFIGURATION)
        folder = place.new("telegraf")
        with Influxd(folder / "influxd") as influx:
            found = backlog.rival(
                folder,
                workload,
                lambda port, bucket: Telegraf(folder, port, influx, bucket),
                place.scale.warm,
                place.scale.rival,
                influx,
            )
        _beside(figures, "telegraf", found, ours, cpu=20.0, rate=6.0)
    folder = place.new("script")
    with Influxd(folder / "influxd") as influx:
        found = backlog.rival(
            folder,
            workload,
            lambda port, bucket: _script(folder, port, influx, bucket),
            place.scale.warm,
            place.scale.script,
            influx,
        )
    figures.say("script_config", "aiomqtt 2 QoS 1 clean_session=False; json.loads; influxdb-client Point, write_api()")
    _beside(figures, "script", found, ours)


def _beside(
    figures: Figures, name: str, theirs: Outcome, ours: Outcome, cpu: float | None = None, rate: float | None = None
) -> None:
    figures.say(f"{name}_messages", theirs.messages)
    figures.say(f"{name}_cpu_us", theirs.cpu_us)
    figures.say(f"{name}_msgs_s", theirs.rate)
    figures.say(f"{name}_influxd_share_of_cores", theirs.influx_s / theirs.wall_s / _cores())
    figures.reach(f"{name}_times_cpu", theirs.cpu_us / ours.cpu_us, at_least=cpu)
    figures.reach(f"{name}_times_slower", ours.rate / theirs.rate, at_least=rate)
    figures.check(f"{name}_check", theirs.wrong or "equal", f"{name}: {theirs.wrong}", good=not theirs.wrong)


def _script(folder: Path, port: int, influx: Influxd, bucket: str) -> Process:
    words = ["-m", "greengauge.bench.intake.script", str(port), influx.url, ORG, bucket, TOKEN]
    return Process([sys.executable, *words], folder, "script")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
