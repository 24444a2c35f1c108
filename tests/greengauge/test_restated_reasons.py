"""A restated thing names the late readings that its own numbers read, and no others that came with them."""

from __future__ import annotations

from typing import Any

import pytest

from devices.plant import parse
from devices.readings import Readings
from greengauge.replay.replay import replay
from scoring.windows import rolling, rules

MIN, HOUR = 60_000, 3_600_000
T = 1_767_225_600_000  # 2026-01-01T00:00Z

LINE = """
[line.{k}]
site = "s"
area = "a"
[meter.m{k}]
line = "{k}"
every = "10min"
[meter.m{k}.channels]
out = {{ kind = "amount", unit = "t", period = "10min", counts = "product:w" }}
ore = {{ kind = "amount", unit = "t", period = "10min", counts = "material:ore" }}
kwh = {{ kind = "amount", unit = "kWh", period = "10min", counts = "electricity" }}
"""
PLANT = parse(
    """
schema = 1
[site.s]
enterprise = "e"
timezone = "UTC"
electricity = "g"
[[factor]]
id = "g"
value = 0.5
unit = "kg CO2/kWh"
[product.w]
theoretical = "1 t/t"
[material.ore]
[[benchmark]]
id = "b"
product = "w"
value = 0.001
unit = "t CO2/t"
basis = "gross"
power = true
boundary = "stage"
[stack.x]
lines = ["k1"]
regime = "r"
[regime.r]
source = "test"
limits = { nox = 100, so2 = 100 }
averages = ["1h"]
[meter.cems]
stack = "x"
every = "10min"
[meter.cems.channels]
nox = { kind = "level", unit = "mg/m3" }
so2 = { kind = "level", unit = "mg/m3" }
[scoring]
windows = ["1h", "24h"]
"""
    + LINE.format(k="k1")
    + LINE.format(k="k2")
)


def told(*late: tuple[str, str, int, int]) -> list[dict[str, Any]]:
    """Everything read each ten minutes over six hours; then `late` ones (meter, channel, minute, rev), at once."""
    names = [("m" + k, c) for k in ("k1", "k2") for c in ("out", "ore", "kwh")] + [("cems", "nox"), ("cems", "so2")]
    skipped = {(m, c, minute) for m, c, minute, rev in late if not rev}
    rows = [
        (PLANT.channel(m, c).index, T + minute * MIN, 5, 0)
        for minute in range(0, 361, 10)
        for m, c in names
        if (m, c, minute) not in skipped
    ]
    rows += [(PLANT.channel(m, c).index, T + minute * MIN, 7, rev) for m, c, minute, rev in late]
    channel, ts, value, rev = zip(*rows, strict=True)
    scale = 1_000_000  # the default step
    batch = Readings.of(channel, ts, [v * scale for v in value], rev=rev)
    return [t for t in replay(PLANT, [batch], every_ms=10 * MIN, energy=True) if t["lifecycle"] == "restated"]


def reasons(things: list[dict[str, Any]], **keys: str) -> set[str]:
    """The parts of the reasons of those with these keys, from "restated: " on."""
    found = [t["reason"].partition("restated: ")[2] for t in things if all(t.get(k) == v for k, v in keys.items())]
    return {part for text in found for part in text.split("; ")}


@pytest.fixture(params=["from the sums", "through the past"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With little memory the past is read."""
    if request.param == "through the past":
        monkeypatch.setattr(rules, "LATE", 10 * MIN)
        for module in (rules, rolling):
            monkeypatch.setattr(module, "KEPT", 4)
        monkeypatch.setattr(rolling, "_FIRST_ROOM", 4)


@pytest.mark.usefixtures("memory")
def test_each_line_names_its_own() -> None:
    """Two lines' ore is late at once: each line's degree names its own meter, the area both with their lines."""
    found = told(("mk1", "ore", 100, 0), ("mk2", "ore", 110, 0))
    assert reasons(found, scope="line:e/s/a/k1", degree="gd") == {"a reading of mk1.ore came 4.3 h late"}
    assert reasons(found, scope="line:e/s/a/k2", degree="gd") == {"a reading of mk2.ore came 4.2 h late"}
    area = {"a reading of mk1.ore (line k1) came 4.3 h late", "a reading of mk2.ore (line k2) came 4.2 h late"}
    assert reasons(found, scope="area:e/s/a", degree="gd") == area


@pytest.mark.usefixtures("memory")
def test_each_degree_and_energy_names_what_it_reads() -> None:
    """Ore and power of one line are late: GD and CD name the ore, LCD and specific electricity the power."""
    found = told(("mk1", "ore", 100, 0), ("mk1", "kwh", 100, 0))
    for degree, channel in (("gd", "ore"), ("cd", "ore"), ("lcd", "kwh")):
        assert reasons(found, scope="line:e/s/a/k1", degree=degree) == {f"a reading of mk1.{channel} came 4.3 h late"}
    assert reasons(found, scope="line:e/s/a/k1", energy="electricity") == {"a reading of mk1.kwh came 4.3 h late"}


def test_each_window_names_what_lies_in_it() -> None:
    """Readings of minutes 50 and 290 are late: an hour names the one it holds, the day both."""
    found = told(("mk1", "ore", 50, 0), ("mk1", "kwh", 290, 0), ("mk1", "out", 200, 0))
    hours = [t for t in found if (t.get("degree"), t["window"], t["scope"]) == ("gd", "1h", "line:e/s/a/k1")]
    for thing in hours:
        minutes = (thing["ts"] - T) // MIN
        here = [c for c, at in (("ore", 50), ("out", 200)) if at - 10 < minutes and minutes - 60 < at]
        assert [c for c in ("ore", "out", "kwh") if f"mk1.{c} " in thing["reason"]] == here, minutes
    assert hours


@pytest.mark.usefixtures("memory")
def test_each_pollutant_names_its_own() -> None:
    """Of two late analysers of one stack each pollutant names one, and neither names a line's meter."""
    found = told(("cems", "nox", 100, 0), ("cems", "so2", 130, 0), ("mk1", "ore", 110, 0))
    for pollutant, late in (("nox", "4.3 h"), ("so2", "3.8 h")):
        assert reasons(found, pollutant=pollutant) == {f"a reading of cems.{pollutant} came {late} late"}


def test_a_correction_says_from_what_to_what() -> None:
    """One corrected value: both, as long as the old one is kept."""
    found = told(("mk1", "ore", 340, 1))
    assert reasons(found, scope="line:e/s/a/k1", degree="cd") == {
        "a correction of mk1.ore from 5 to 7 came 20 min late"
    }
