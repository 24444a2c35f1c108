"""A kiln in two hours with round numbers: what the cases of WHY and of uncertainty are derived from."""

from __future__ import annotations

HOUR = 3_600_000
T = 1_767_225_600_000  # 2026-01-01T00:00Z: the end of the first hour, and of the grid factor 0.5
LINE = "line:acme/works/hall/k"

REGISTRY = """
[intake]
history = true
[scoring]
windows = ["1h", "24h"]
[site.works]
enterprise = "acme"
timezone = "UTC"
electricity = "grid:X"
[[factor]]
id = "grid:X"
value = 0.5
unit = "kg CO2/kWh"
[[factor]]
id = "grid:X"
value = 0.4
uncertainty = "5%"
unit = "kg CO2/kWh"
from = 2026-01-01
[fuel.coal]
ncv = "25 GJ/t"
ef = "100 kg/GJ"
[product.clinker]
process = "0.5 t CO2/t"
theoretical = "1.5 t/t"
best_peer = "4 t/person-h"
[[benchmark]]
id = "b"
product = "clinker"
value = 0.7
unit = "t CO2/t"
basis = "gross"
power = true
boundary = "stage"
[line.k]
site = "works"
area = "hall"
industry = "cement"
people = 5
[meter.m1]
line = "k"
every = "1h"
uncertainty = "2%"
[meter.m1.channels]
coal = { unit = "t", kind = "amount", period = "1h", counts = "fuel:coal" }
made = { unit = "t", kind = "amount", period = "1h", counts = "product:clinker" }
kwh = { unit = "kWh", kind = "amount", period = "1h", counts = "electricity" }
meal = { unit = "t", kind = "amount", period = "1h", counts = "material:meal" }
ash = { unit = "t", kind = "amount", period = "1h", counts = "material:ash", waste = true }
"""

FIRST = {"coal": 10, "made": 100, "kwh": 4000, "meal": 150, "ash": 10}
SECOND = {"coal": 11, "made": 105, "kwh": 5000, "meal": 155, "ash": 14}


def rows(first: dict[str, int] = FIRST, second: dict[str, int] = SECOND) -> list[tuple[int, str, str, int]]:
    """ts, meter, channel, value."""
    both = ((T, first), (T + HOUR, second))
    return [(ts, "m1", channel, value) for ts, values in both for channel, value in values.items()]
