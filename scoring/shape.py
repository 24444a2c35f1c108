"""The shape of a plant: all that the engine's state depends on. A registry that changes none of it keeps the state."""

from __future__ import annotations

from devices.plant.model import Plant
from devices.plant.version import digest
from scoring.degrees import coverage_groups
from scoring.windows.edges import cut_edges


def shape(plant: Plant) -> int:
    """63 bits: the same for two plants if a state of the one is a state of the other.

    Factors, benchmarks, products, heads and alarm rules are not in it: sums are of what was measured, and the
    scores are made of them anew. Only instants at which a factor changes within an hour of UTC are: cells are cut
    there. (Alarms are carried over by their names.)
    """
    lines = tuple((line.id, line.site, line.running, line.meters) for line in plant.lines)
    regimes = tuple(plant.regimes.get(stack.regime) for stack in plant.stacks)
    places = tuple((site.name, site.timezone) for site in plant.sites)
    intake = (plant.intake.grace_ms, plant.intake.history)
    windows = (plant.windows, plant.window_ms, tuple(cut_edges(plant).tolist()))
    return digest(
        (plant.channels, plant.meters, lines, plant.stacks, regimes, places, plant.scopes, intake, windows,
         coverage_groups(plant))
    )  # fmt: skip
