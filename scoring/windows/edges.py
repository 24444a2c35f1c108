"""Where windows may be cut inside an hour: local midnights at which a factor or benchmark comes into force."""

from __future__ import annotations

import numpy as np

from devices.plant.model import Plant
from devices.readings import I64
from scoring.rules.timeline import edges
from scoring.windows.kernel import HOUR


def cut_edges(plant: Plant) -> I64:
    """Those of all sites that are not whole hours of UTC, ascending; ms."""
    found: set[int] = set()
    for zone in {s.timezone for s in plant.sites}:
        for factor in plant.factors.values():
            found |= set(edges(factor, zone))
        for benchmark in plant.benchmarks.values():
            found |= set(edges(benchmark, zone))
    return np.asarray(sorted(t for t in found if t % HOUR), np.int64)
