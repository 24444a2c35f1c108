"""A laboratory's value that is older than it is valid for marks what it makes, and the reason names the sample."""

from __future__ import annotations

from typing import Any

from devices.plant import parse
from devices.readings import Readings
from greengauge.replay.replay import replay

HOUR = 3_600_000
T = 1_767_225_600_000  # 2026-01-01T00:00Z
STEP = 1_000_000
PLANT = """
schema = 1
[site.s]
enterprise = "e"
timezone = "UTC"
[line.k]
site = "s"
area = "a"
lcd = {{ power = false }}
[product.clk]
process = "lab.ef"
[fuel.coal]
ncv = {{ channel = "lab.ncv", default = "20 GJ/t" }}
ef = "95 kg/GJ"
[[benchmark]]
id = "b"
product = "clk"
value = 0.7
unit = "t CO2/t"
basis = "gross"
power = false
boundary = "stage"
[meter.m]
line = "k"
every = "1h"
[meter.m.channels]
clk = {{ kind = "amount", unit = "t", period = "1h", counts = "product:clk" }}
coal = {{ kind = "amount", unit = "t", period = "1h", counts = "fuel:coal" }}
[meter.lab]
line = "k"
every = "2h"
[meter.lab.channels]
ef = {{ kind = "level", unit = "t/t", max_gap = "3h" }}
ncv = {{ kind = "level", unit = "GJ/t", max_gap = "5h" }}
[scoring]
windows = ["1h", "8h"]
"""


def told(**samples: list[int]) -> dict[tuple[int, str, str], dict[str, Any]]:
    """By hour, window and degree or energy: 8 h of 10 t with 1 t of coal; samples at these hours."""
    plant = parse(PLANT.format())
    rows = [(c, h, v) for h in range(1, 9) for c, v in (("clk", 10), ("coal", 1))]
    rows += [(name, h, 1 if name == "ef" else 25) for name, hours in samples.items() for h in hours]
    rows.sort(key=lambda row: row[1])
    meter = {"clk": "m", "coal": "m", "ef": "lab", "ncv": "lab"}
    found = [(plant.channel(meter[c], c).index, T + h * HOUR, v * STEP) for c, h, v in rows]
    channel, ts, value = zip(*found, strict=True)
    things = replay(plant, [Readings.of(channel, ts, value)], every_ms=HOUR, final=True, energy=True)
    return {
        ((t["ts"] - T) // HOUR, t["window"], t.get("degree") or t["energy"]): t for t in things if t["level"] == "line"
    }


def test_a_sample_that_goes_on_is_named() -> None:
    """The one value of ef holds for three hours; then it is used on, and each score of those hours says so."""
    things = told(ef=[0], ncv=[0, 4, 8])
    assert things[3, "1h", "lcd"]["reason"] is None
    assert things[3, "1h", "lcd"]["quality"] == "good"
    for hour, window in ((4, "1h"), (8, "1h"), (8, "8h")):
        score = things[hour, window, "lcd"]
        assert score["reason"] == "the sample of lab.ef from 2026-01-01T00:00:00Z is valid for 3h: it is used beyond"
        assert score["quality"] == "uncertain"


def test_a_default_that_stands_in_is_named() -> None:
    """A default is used after the sample of hour 1, and before it; the energy of that heat is marked too."""
    things = told(ef=[0, 2, 4, 6], ncv=[1])
    expect = {
        1: "no fresh sample of lab.ncv before 2026-01-01T01:00:00Z: the default is used",
        6: None,
        7: "the sample of lab.ncv from 2026-01-01T01:00:00Z is valid for 5h: then the default is used",
    }
    for hour, why in expect.items():
        for name in ("lcd", "heat"):
            thing = things[hour, "1h", name]
            assert (thing["reason"], thing["quality"]) == (why, "uncertain" if why else "good"), (hour, name)
