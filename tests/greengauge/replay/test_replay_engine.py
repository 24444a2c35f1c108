"""Replay through the real engine: what comes out does not depend on the order in which the file's rows arrived."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from devices.plant import parse
from devices.readings import Readings
from greengauge.replay.replay import replay

MIN = 60_000
HOUR = 60 * MIN
START = 1_763_784_000_000  # 2025-11-22T04:00Z
PLANT = parse("""
schema = 1
[intake]
grace = "15min"
history = true
[scoring]
windows = ["1min", "1h", "24h"]
[site.wuhu]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
[line.eaf]
site = "wuhu"
area = "meltshop"
industry = "steel"
people = 9
lcd = { basis = "gross", power = false, benchmark = "ets" }
[meter.m]
line = "eaf"
every = "1min"
[meter.m.channels]
steel = { unit = "t", kind = "counter", step = "0.01", max_gap = "5min", counts = "product:steel" }
scrap = { unit = "t/h", kind = "rate", step = "0.1", counts = "material:scrap", waste = true }
co2 = { unit = "kg", kind = "amount", step = "1", period = "1min", counts = "co2" }
[material.scrap]
waste = true
[product.steel]
unit = "t"
theoretical = "1.05 t/t"
best_peer = "5000 t/person-year"
[[benchmark]]
id = "ets"
product = "steel"
value = 0.215
unit = "t CO2/t"
basis = "gross"
power = false
boundary = "stage"
from = 2021-01-01
source = "test"
""")
CHANNELS = [PLANT.channel("m", name).index for name in ("steel", "scrap", "co2")]


def rows() -> list[tuple[int, int, int]]:
    """Three hours, a reading a minute: 1 t of steel, 66 t/h of scrap, 240 kg of CO2."""
    values = lambda n: (100 * n, 660, 240)  # noqa: E731 - one row of the table
    return [(c, START + n * MIN, v) for n in range(181) for c, v in zip(CHANNELS, values(n), strict=True)]


def batches(found: list[tuple[int, int, int]], size: int) -> Iterator[Readings]:
    for a, b in pairwise([*range(0, len(found), size), len(found)]):
        yield Readings.of(*map(list, zip(*found[a:b], strict=True)))


def shuffled() -> list[tuple[int, int, int]]:
    """The same rows, each up to ten minutes late, the first one first: the first multiple is told by it."""
    chance = random.Random(7)
    first, *rest = rows()
    return [first, *sorted(rest, key=lambda row: row[1] + chance.randrange(10 * MIN))]


def last_of_key(things: Iterator[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    when = ("known_at", "age", "stale", "lifecycle", "revision")
    key = lambda t: tuple(t.get(k) for k in ("scope", "degree", "energy", "meter", "channel", "window", "ts"))  # noqa: E731 - short
    return {key(t): {k: v for k, v in t.items() if k not in when} for t in things}


@pytest.mark.parametrize("options", [{}, {"every_ms": 5 * MIN}, {"every_ms": 90_000}, {"final": True}, {"sums": True}])
def test_order_of_arrival_changes_no_final_value(options: dict[str, Any]) -> None:
    """The last object of every key is bit-identical for the file in order and for one that came late and in pieces."""
    in_order = last_of_key(replay(PLANT, batches(rows(), 1000), **options))
    late = last_of_key(replay(PLANT, batches(shuffled(), 17), **options))
    assert in_order
    assert late == in_order


def test_last_hour_by_hand() -> None:
    """At the last step: 60 t of steel, 66 t of scrap and 14.4 t of CO2 in the hour."""
    final = list(replay(PLANT, batches(rows(), 50), final=True))
    hour = {
        t["degree"]: t
        for t in final
        if "degree" in t and t["scope"] == "line:acme/wuhu/meltshop/eaf" and t["window"] == "1h"
    }
    assert {t["ts"] for t in hour.values()} == {START + 3 * HOUR}
    assert {t["lifecycle"] for t in final} == {"final"}
    assert (hour["gd"]["numerator"], hour["gd"]["denominator"]) == (63.0, 66.0)
    assert (hour["lcd"]["numerator"], hour["lcd"]["denominator"]) == (12.9, 14.4)
    assert hour["cd"]["value"] == 1.0
    assert hour["sd"]["reason"] == "not shown below 24 h"


def test_multiples_are_seen_as_they_were_then() -> None:
    """A reading that comes late is not in what was shown live, and is in what is said again."""
    found = rows()
    held = found.pop(found.index((CHANNELS[2], START + 58 * MIN, 240)))
    found.insert(next(i for i, row in enumerate(found) if row[1] == START + 65 * MIN), held)
    hour = [
        (t["denominator"], t["lifecycle"])
        for t in replay(PLANT, batches(found, 1000), every_ms=HOUR)
        if t.get("degree") == "lcd" and t["window"] == "1h" and t["level"] == "line" and t["ts"] == START + HOUR
    ]
    assert hour == [(14.16, "live"), (14.4, "final")]
