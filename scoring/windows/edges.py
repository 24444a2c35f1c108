"""Where windows may be cut inside an hour: local midnights at which a factor or benchmark begins or ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Plant
from scoring.windows.kernel import HOUR


def midnight(day: date, zone: str) -> int:
    """The instant at which `day` begins in a zone, ms since 1970 UTC."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int(local.astimezone(UTC).timestamp()) * 1000


def cut_edges(plant: Plant) -> NDArray[np.int64]:
    """Those of all sites that are not whole hours of UTC, ascending; ms."""
    dated = [*plant.factors.values(), *plant.benchmarks.values(), *plant.regimes.values()]
    days = {d.start for period in dated for d in period if d.start}
    days |= {d.end + timedelta(days=1) for period in dated for d in period if d.end}
    found = {midnight(day, zone) for day in days for zone in {s.timezone for s in plant.sites}}
    return np.asarray(sorted(t for t in found if t % HOUR), np.int64)
