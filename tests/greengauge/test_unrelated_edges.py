"""A factor that changes on one line cuts windows for the engine's sake only: no other line's result knows of it."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.plant import parse
from devices.readings import Readings
from greengauge.replay.replay import replay

HOUR = 3_600_000
T = 1_767_225_600_000  # 2026-01-01T00:00Z
STEP = 1_000_000

PLACE = """
[site.{s}]
enterprise = "{s}"
timezone = "{zone}"
electricity = "grid-{s}"
[line.{s}k]
site = "{s}"
area = "a"
lcd = {{ power = {power} }}
[line.{s}m]
site = "{s}"
area = "a"
lcd = {{ power = {power} }}
[meter.{s}k]
line = "{s}k"
every = "1h"
[meter.{s}k.channels]
out = {{ kind = "amount", unit = "t", period = "1h", counts = "product:clk" }}
coal = {{ kind = "amount", unit = "t", period = "1h", counts = "fuel:coal" }}
kwh = {{ kind = "amount", unit = "MWh", period = "1h", counts = "electricity" }}
[meter.{s}m]
line = "{s}m"
every = "1h"
[meter.{s}m.channels]
clk = {{ kind = "amount", unit = "t", period = "1h", counts = "material:clk" }}
out = {{ kind = "amount", unit = "t", period = "1h", counts = "product:cem" }}
kwh = {{ kind = "amount", unit = "MWh", period = "1h", counts = "electricity" }}
"""
COMMON = """
schema = 1
[scoring]
windows = ["1h", "24h", "3d"]
[product.clk]
process = "0.5 t CO2/t"
theoretical = "1 t/t"
[product.cem]
theoretical = "1 t/t"
[fuel.coal]
ncv = "ncv"
ef = "95 kg/GJ"
[[factor]]
id = "ncv"
value = 25
unit = "GJ/t"
to = 2026-01-02
"""
ENTRY = """
[[factor]]
id = "grid-{s}"
value = {value}
unit = "kg CO2/kWh"
{dates}
"""
BENCHMARK = """
[[benchmark]]
id = "{p}"
product = "{p}"
value = 0.7
unit = "t CO2/t"
basis = "gross"
power = {power}
boundary = "chain"
"""


def registry(edges: list[date], power: str) -> str:
    """A works in two places; the grid factor of the second one changes on these days."""
    text = COMMON + "".join(BENCHMARK.format(p=p, power=power) for p in ("clk", "cem"))
    text += PLACE.format(s="x", zone="Asia/Kolkata", power=power) + PLACE.format(s="y", zone="UTC", power=power)
    text += ENTRY.format(s="x", value=0.5, dates="to = 2026-01-02")
    for n, day in enumerate([None, *sorted(edges)]):
        text += ENTRY.format(s="y", value=0.4 + n / 10, dates=f"from = {day}" if day else "")
    return text


def told(text: str, seed: int) -> list[dict[str, Any]]:
    """All of the first works over four days of random amounts, which stand still now and then."""
    plant, rng = parse(text), random.Random(seed)
    every = [(c, T + hour * HOUR) for hour in range(1, 97) for meter in plant.meters for c in meter.channels]
    rows = [(c, ts, rng.randrange(20) * STEP) for c, ts in every if rng.random() < 0.8]
    channel, ts, value = zip(*rows, strict=True)
    found = replay(plant, [Readings.of(channel, ts, value)], every_ms=12 * HOUR, energy=True)
    return [t for t in found if ":x" in t["scope"]]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 4), unique=True, min_size=1), st.sampled_from(["true", "false"]), st.integers(0, 999))
def test_an_edge_elsewhere_changes_nothing(days: list[int], power: str, seed: int) -> None:
    """Degrees, energies, their details, remarks and qualities: the same, wherever another line's factor changes."""
    plain = told(registry([], power), seed)
    assert told(registry([date(2026, 1, 1) + timedelta(n) for n in days], power), seed) == plain
    assert any(t.get("degree") == "lcd" and t["level"] == "site" and t["value"] is not None for t in plain)


def test_a_grid_factor_does_not_cut_net_output() -> None:
    """A day that draws from stock and a day that puts on stock meet in one window: what counts is the remainder of the
    window, whatever the price of electricity. 24 h with 10 t/h made, then 24 h with 20 t/h ground: below 0.
    """
    for dates in ("", "from = 2026-01-02"):
        text = registry([], "true").replace("to = 2026-01-02", "")
        if dates:
            text += ENTRY.format(s="x", value=0.6, dates=dates)
        plant = parse(text.replace("Asia/Kolkata", "UTC"))
        made, ground = plant.channel("xk", "out").index, plant.channel("xm", "clk").index
        cement, kwh = plant.channel("xm", "out").index, plant.channel("xk", "kwh").index
        rows = [(made, h, 10) for h in range(1, 25)] + [(ground, h, 20) for h in range(25, 49)]
        rows += [(c, h, 1) for h in range(1, 49) for c in (cement, kwh)]
        rows.sort(key=lambda row: row[1])
        batch = Readings.of(*zip(*((c, T + h * HOUR, v * STEP) for c, h, v in rows), strict=True))
        found = [t for t in replay(plant, [batch], final=True) if (t["scope"], t["window"]) == ("site:x/x", "3d")]
        (lcd,) = (t for t in found if t["degree"] == "lcd")
        assert lcd["numerator"] == 33.6  # no clinker is left over; 48 t of cement
