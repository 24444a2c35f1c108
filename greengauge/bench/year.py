"""Figure: a year at one minute of sixty channels, from memory, through the engine that `replay` uses."""

from __future__ import annotations

from devices.durations import DAY, MINUTE
from greengauge.bench.figures import Figures
from greengauge.bench.measure import cost
from greengauge.bench.plants import CHANNELS, Source, plant
from greengauge.replay.replay import replay

LINES = 2
STEPS_A_DAY = DAY // MINUTE
GOAL_S = 15.0
YEAR = 365


def year(figures: Figures, days: int) -> None:
    """Readings in batches of a day; at the end every window's last step."""
    works = plant(LINES, "1min", history=True)
    source = Source(works, MINUTE)
    list(replay(works, [source.take(STEPS_A_DAY)]))  # compiles
    source = Source(works, MINUTE)
    batches = [source.take(STEPS_A_DAY) for _ in range(days)]
    took, things = cost(lambda: list(replay(works, batches)))
    readings = days * STEPS_A_DAY * LINES * CHANNELS
    figures.say("replay_days", days)
    figures.say("replay_readings", readings)
    figures.say("replay_cpu_ns", took.cpu / readings * 1e9)
    figures.say("replay_cpu_s", took.cpu)
    figures.say("replay_wall_s", took.wall)
    figures.say("replay_objects", len(things))
    figures.reach("replay_year_cpu_s", took.cpu * YEAR / days, at_most=GOAL_S)
