"""What is asked of many at one moment is what is true of each."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from scoring.reference import cover as reference
from scoring.windows.records import NONE
from scoring.windows.rolling import Rolling
from tests.scoring.windows.shapes import BASE, GROUPS, Row, batch, rows, shapes

PLANT = shapes()
HOUR = 3_600_000


@settings(max_examples=30, deadline=None)
@given(rows(60, most=30))
def test_coverage_and_newest_readings(found: list[Row]) -> None:
    """The twin's coverage of each group, in the order asked, twice where asked twice; `NONE` of what was never read."""
    rolling, readings = Rolling(PLANT, GROUPS), batch(found)
    rolling.push(readings)
    end = BASE + HOUR
    asked = [*reversed(range(len(GROUPS))), 0]
    expected = [reference.coverage(PLANT, readings, GROUPS[g], BASE, end) for g in asked]
    assert [tuple(row) for row in rolling.coverages(np.asarray(asked), BASE, end).tolist()] == expected
    newest = [rolling.last(c) for c in range(len(PLANT.channels))]
    assert rolling.newest().tolist() == [NONE if ts is None else ts for ts in newest]
