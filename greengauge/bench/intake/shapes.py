"""Figures: messages of fifty objects, and a hundred times as many meters."""

from __future__ import annotations

from devices.durations import SECOND
from greengauge.bench.figures import Figures
from greengauge.bench.intake import backlog
from greengauge.bench.intake.disk import commits
from greengauge.bench.intake.scale import Place
from greengauge.bench.intake.stages import SHARE, say
from greengauge.bench.intake.workload import ARRAY, Workload

FASTEST = 2_000_000
"""Objects a second."""


def arrays(figures: Figures, place: Place) -> None:
    """Objects a second made durable, and the CPU of an object up to scored."""
    workload, messages = Workload(place.scale.meters, "array"), place.scale.arrays
    warm = min(messages, place.scale.meters)
    for stage in ("durable", "decoded", "scored"):
        found = backlog.service(place.new(f"array-{stage}"), workload, stage, warm, messages)
        say(figures, f"array_{stage}", found)
        figures.say(f"array_{stage}_cpu_us_an_object", found.cpu_us / ARRAY)
        if stage == "durable":
            disk = commits(place.folder, found.bytes) / (found.bytes / found.messages) * ARRAY
            figures.say("array_disk_objects_s", disk)
            rate = found.messages * ARRAY / found.acked_s
            figures.reach("array_durable_objects_s", rate, at_least=min(FASTEST, SHARE * disk))


def meters(figures: Figures, place: Place) -> None:
    """As many messages from many meters and from few: what a message costs more. The store is down.

    A plant has as many messages a second in all cases, so each of the many meters reports that much more seldom. With
    as many meters a line there are a hundred times the lines, and at each step a hundred times the scores to tell;
    so the many are also put to as many lines as the few have (`wide`).
    """
    scale = place.scale
    many = scale.many_meters // scale.meters
    figures.say("meters_many", scale.many_meters)
    few = Workload(scale.meters)
    plants = {
        "few": few,
        "many": Workload(scale.many_meters, every_ms=SECOND * many),
        "wide": Workload(scale.many_meters, every_ms=SECOND * many, a_line=few.a_line * many),
    }
    for stage in ("decoded", "scored"):
        cost = {}
        for name, workload in plants.items():
            messages = max(scale.messages, workload.meters)
            found = backlog.service(place.new(f"{name}-{stage}"), workload, stage, workload.meters, messages)
            say(figures, f"meters_{name}_{stage}", found)
            cost[name] = found.cpu_us
        figures.reach(f"meters_times_{stage}", cost["many"] / cost["few"], at_most=1.5)
        figures.reach(f"meters_wide_times_{stage}", cost["wide"] / cost["few"], at_most=1.5)
