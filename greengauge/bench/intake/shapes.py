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

    A plant has as many messages a second in both cases, so each of the many meters reports that much more seldom.
    """
    scale = place.scale
    figures.say("meters_many", scale.many_meters)
    for stage in ("decoded", "scored"):
        cost = []
        for count in (scale.meters, scale.many_meters):
            folder = place.new(f"meters-{count}-{stage}")
            messages = max(scale.messages, count)
            workload = Workload(count, every_ms=SECOND * count // scale.meters)
            found = backlog.service(folder, workload, stage, count, messages)
            say(figures, f"meters_{'few' if count == scale.meters else 'many'}_{stage}", found)
            cost.append(found.cpu_us)
        figures.reach(f"meters_times_{stage}", cost[1] / cost[0], at_most=1.5)
