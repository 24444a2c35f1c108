"""`greengauge …` on a wall clock that a test moves: its lead in ms stands in the file that CLOCK_LEAD names."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

from greengauge import cli, service
from ingest.clock import Clock

lead = Path(os.environ["CLOCK_LEAD"])


def wall() -> int:
    """The moved wall clock, ms."""
    return time.time_ns() // 1_000_000 + int(lead.read_text())


service.Clock = partial(Clock, wall=wall)  # type: ignore[misc, assignment] # the one thing that is not the real one
cli.main()
