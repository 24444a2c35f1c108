"""Which two windows are compared where nobody says so."""

from __future__ import annotations

import pytest

from devices.durations import DAY, HOUR
from devices.errors import ConfigurationError
from devices.plant import parse
from devices.readings import Readings
from scoring.engine import Engine
from scoring.why.when import ends

BASE = 1_767_225_600_000  # 2026-01-01T00:00Z
PLANT = parse("""
schema = 1
[intake]
history = true
grace = "15min"
[site.works]
enterprise = "acme"
country = "CN"
timezone = "UTC"
[product.steel]
unit = "t"
theoretical = "1.2 t/t"
[line.eaf]
site = "works"
area = "hall"
industry = "steel"
[meter.m]
line = "eaf"
every = "1h"
[meter.m.channels]
made = { unit = "t", kind = "amount", step = "1", period = "1h", counts = "product:steel" }
scrap = { unit = "t", kind = "amount", step = "1", period = "1h", counts = "material:scrap" }
[scoring]
windows = ["1h", "24h", "30d"]
""")


@pytest.mark.parametrize(("length", "back"), [(HOUR, HOUR), (DAY, DAY), (10 * DAY, 10 * DAY), (30 * DAY, DAY + HOUR)])
def test_one_window_before_or_what_is_kept(length: int, back: int) -> None:
    """Hours are kept for 30 d + 15 min + 25 h: of 30 days that which ended 25 h ago is the oldest whole one."""
    clock = BASE + 90 * DAY
    earlier, later = ends(PLANT, length, clock, None, None)
    assert (later, later - earlier) == (clock, back)


def test_before_what_is_kept_is_refused_when_asked_for() -> None:
    """Nobody is given another window than the one asked for."""
    clock = BASE + 90 * DAY
    with pytest.raises(ConfigurationError, match="sums are kept for 745 h"):
        ends(PLANT, 30 * DAY, clock, None, clock - 30 * DAY)


def test_thirty_days_are_split_against_those_a_day_ago() -> None:
    """10 t of scrap for 9 t of steel each hour, and 12 t in the last 25: theory 10.8; D goes from 7200 to 7250 t."""
    made, scrap = (PLANT.channel("m", name).index for name in ("made", "scrap"))
    engine, hours = Engine(PLANT), 40 * 24
    for hour in range(1, hours + 1):
        ts = BASE + hour * HOUR
        engine.push(Readings.of([made, scrap], [ts, ts], [9, 12 if hour > hours - 25 else 10]))
    found = engine.why("line:acme/works/hall/eaf", "gd", "30d")
    assert (found.after.ts - found.before.ts, found.after.ts) == (25 * HOUR, BASE + hours * HOUR)
    assert (found.before.denominator, found.after.denominator) == (7200.0, 7250.0)
    assert found.after.numerator == 7776.0  # 720 h of 10.8 t
