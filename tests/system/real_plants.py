"""Registries and maps for the real plant data of `../shared/data`: a steel works, a gas turbine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

STEEL = """
schema = 1
profiles = ["steel"]
[intake]
history = true
grace = "25h"
[site.works]
enterprise = "steelco"
country = "KR"
region = "jeonnam"
timezone = "Asia/Seoul"
electricity = "grid:CN"
[line.mill]
site = "works"
area = "rolling"
industry = "steel"
people = 120
[meter.main]
line = "mill"
every = "15min"
[meter.main.channels]
kwh = { unit = "kWh", kind = "amount", period = "15min", step = "0.01", counts = "electricity" }
co2 = { unit = "t CO2", kind = "amount", period = "15min", step = "0.01", counts = "co2" }
"""

STEEL_MAP = """
registry = "plant.toml"
time = {{ column = "date", format = "%d/%m/%Y %H:%M", zone = "Asia/Seoul" }}
midnight = "{midnight}"
meter = "main"
[[channel]]
column = "Usage_kWh"
channel = "kwh"
[[channel]]
column = "CO2(tCO2)"
channel = "co2"
"""

TURBINE = """
schema = 1
[intake]
history = true
[site.station]
enterprise = "power"
country = "TR"
region = "marmara"
timezone = "UTC"
[line.gt1]
site = "station"
area = "hall"
industry = "power"
people = 8
[product.power]
unit = "MWh"
[stack.gt1]
lines = ["gt1"]
regime = "none"
[regime.none]
minute_valid = "30s"
hour_valid = "45min"
standard = "273.15 K"
limits = { nox = 100, co = 50 }
averages = ["1h", "24h"]
from = 2000-01-01
source = "a regime for the test"
[meter.gt1-power]
line = "gt1"
every = "1h"
[meter.gt1-power.channels]
yield = { unit = "MWh", kind = "amount", period = "1h", step = "0.001", counts = "product:power" }
[meter.gt1-cems]
stack = "gt1"
every = "1h"
[meter.gt1-cems.channels]
co = { unit = "mg/m3", kind = "level", water = "dry", state = "standard" }
nox = { unit = "mg/m3", kind = "level", water = "dry", state = "standard" }
"""

TURBINE_ALARM = """
[[alarm]]
id = "nox-high"
on = { stack = "gt1", pollutant = "nox", average = "1h" }
limit = { at = 70 }
"""

TURBINE_MAP = """
registry = "plant.toml"
time = { start = "2011-01-01T00:00:00Z", every = "1h" }
meter = "gt1-cems"
[[channel]]
column = "Turbine energy yield"
channel = "yield"
meter = "gt1-power"
[[channel]]
column = "Carbon monoxide"
channel = "co"
[[channel]]
column = "Nitrogen oxides"
channel = "nox"
"""


def data(name: str) -> Path:
    """A real data file; missing is a skip on a user's machine and a failure in CI."""
    path = Path(os.environ.get("GREENGAUGE_TEST_DATA", Path(__file__).parents[3] / "shared/data")) / name
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} is missing: nothing may be skipped in CI")
        pytest.skip(f"{path} is not on this machine")
    return path
