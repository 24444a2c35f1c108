"""What is asked of many groups or channels at one moment, in one call."""

from __future__ import annotations

from typing import Any

from devices.readings import I64
from scoring.windows.coverage import coverage
from scoring.windows.kernel import kernel


@kernel
def coverages(
    entries: Any, channels: Any, cells: Any, groups: Any, required: I64, asked: I64,
    start: int, end: int, scratch: Any, out: I64,
) -> None:  # fmt: skip
    """out[row] = (covered, running) of the group asked[row] within (start, end], ms: see `coverage`."""
    for row in range(len(asked)):
        g = asked[row]
        covered, running = coverage(entries, channels, cells, groups, g, required, start, end, scratch)
        out[row, 0] = covered
        out[row, 1] = running
