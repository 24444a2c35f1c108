"""The board's arrays are, bit for bit, the scores that the definition gives."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.durations import DAY, HOUR, MINUTE
from devices.plant import parse
from devices.plant.model import Plant
from devices.readings import Readings
from scoring.degrees.coverage import DEGREES
from scoring.degrees.doubles import evaluate
from scoring.degrees.linear import RATIOS, Linear, _digits
from scoring.engine import Engine

NEW_YEAR = 1_767_196_800_000  # 2026-01-01T00:00 in Shanghai

REGISTRY = """
schema = 1
profiles = ["cement"]
[scoring]
windows = ["1h", "1min", "24h", "15min", "30d"]
[site.wuhu]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:x"
[[factor]]
id = "grid:x"
value = 0.5366
unit = "kg CO2/kWh"
from = 2022-01-01
source = "test"
[[factor]]
id = "grid:x"
value = 0.5306
unit = "kg CO2/kWh"
from = 2026-01-01
source = "test"
[fuel.odd]
ncv = "25.8137 GJ/t"
ef = "94.637912 kg/GJ"
biogenic = 0.123457
[product.clinker]
unit = "t"
process = "0.525 t CO2/t"
theoretical = "1.525 t/t"
best_peer = "12345.678901 t/person-year"
[[benchmark]]
id = "b"
product = "clinker"
value = 0.693
unit = "t CO2/t"
basis = "gross"
power = true
boundary = "stage"
from = 2021-01-01
source = "test"
[line.plain]
site = "wuhu"
area = "pyro"
industry = "cement"
people = 14
lcd = { basis = "gross", power = true, benchmark = "b" }
running = { channel = "m1.feed", above = 20 }
min_output = "1 t/h"
[meter.m1]
line = "plain"
every = "1min"
[meter.m1.channels]
feed = { unit = "t/h", kind = "rate", step = "0.001", counts = "material:raw-meal" }
sand = { unit = "kg", kind = "amount", step = "0.000000001", counts = "material:sand", waste = true }
odd = { unit = "t", kind = "counter", step = "0.0001", counts = "fuel:odd" }
kwh = { unit = "kWh", kind = "counter", step = "0.01", counts = "electricity" }
clinker = { unit = "t/h", kind = "rate", step = "0.01", counts = "product:clinker" }
[line.worked]
site = "wuhu"
area = "pyro"
industry = "cement"
people = 3
hours = "worked"
lcd = { basis = "gross", power = true, benchmark = "b" }
running = { channel = "m2.feed", above = 20 }
[meter.m2]
line = "worked"
every = "10s"
[meter.m2.channels]
feed = { unit = "t/h", kind = "rate", step = "0.000000001", counts = "material:clinker" }
clinker = { kind = "derived", of = "feed", times = "0.62", delay = "30min", counts = "product:clinker" }
"""
REGISTRY += """
[line.wet]
site = "wuhu"
area = "pyro"
industry = "cement"
people = 3
lcd = { basis = "gross", power = true, benchmark = "b" }
[meter.m3]
line = "wet"
every = "1min"
[meter.m3.channels]
wet = { unit = "t/h", kind = "rate", step = "0.001", counts = "material:wet", moisture = "m3.moisture" }
meal = { unit = "t", kind = "counter", step = "0.001", counts = "material:wet", moisture = "m3.moisture" }
clinker = { unit = "t", kind = "amount", step = "0.001", counts = "product:clinker" }
moisture = { unit = "%", kind = "level", step = "0.1", max_gap = "20min", range = [0, 100] }
"""
PLANT = parse(REGISTRY, file="test")


def agree(plant: Plant, engine: Engine) -> int:
    """Rows left to the definition; every number of the board is the score's."""
    board = engine.board()
    lines = {scope.id: scope.lines[0] for scope in plant.scopes if scope.level == "line"}
    seen = 0
    for score in engine.live()[0]:
        if score.level == "line":
            seen += 1
            at = lines[score.scope], plant.windows.index(score.window), DEGREES.index(score.degree)
            assert score.ts == board.ends[at[1]]
            assert (board.numerator[at], board.denominator[at]) == (score.numerator, score.denominator), score
            assert math.isnan(board.value[at]) if score.value is None else board.value[at] == score.value, score
    assert seen == board.value.size
    return board.exact


reading = st.tuples(
    st.sampled_from([c.index for c in PLANT.channels if c.source is None and not c.labs]),
    st.one_of(st.integers(0, 120).map(lambda m: m * MINUTE), st.integers(0, 2 * HOUR)),
    st.one_of(st.integers(0, 10**6), st.integers(-(10**12), 10**12), st.integers(0, 1 << 61)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(reading, min_size=1, max_size=40), st.sampled_from([-2 * HOUR, -HOUR, 0, DAY]), st.integers(1, 5))
@example([(0, 0, 1), (4, MINUTE, 1)], -HOUR, 1)
def test_equals_the_scores(found: list[tuple[int, int, int]], offset: int, pushes: int) -> None:
    """Any amounts, wide ones too, before, across and after a change of factors: numerator, denominator, value."""
    engine = Engine(PLANT, event_clock=True)
    found.sort(key=lambda row: row[1])
    size = -(-len(found) // pushes)
    for k in range(0, len(found), size):
        channels, times, values = zip(*found[k : k + size], strict=True)
        engine.push(Readings.of(channels, [NEW_YEAR + offset + t for t in times], values))
        agree(PLANT, engine)


def test_ordinary_readings_need_no_definition() -> None:
    """A line that runs as lines do is the kernel's alone; only the one with a laboratory value is not."""
    engine = Engine(PLANT, event_clock=True)
    feed, kwh, odd = (next(c.index for c in PLANT.channels if c.name == n) for n in ("feed", "kwh", "odd"))
    made = next(c.index for c in PLANT.channels if c.name == "clinker")
    for minute in range(120):
        ts = NEW_YEAR + 40 * DAY + minute * MINUTE
        rows = [(feed, 340_000 + minute), (kwh, 7_000 * minute), (odd, 2_000 * minute), (made, 20_900)]
        engine.push(Readings.of([c for c, _ in rows], [ts] * 4, [v for _, v in rows]))
    assert agree(PLANT, engine) == len(PLANT.windows)
    assert engine.board().value[0, PLANT.windows.index("1h"), 1] > 0


coefficient = st.one_of(st.integers(-9, 9), st.integers(-(1 << 31), 1 << 31), st.integers(-(1 << 80), 1 << 80))
total = st.one_of(st.integers(-5, 5), st.integers(-(1 << 40), 1 << 40), st.integers(-(1 << 62), 1 << 62))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(coefficient, total), min_size=1, max_size=6), st.integers(1, 1 << 70))
@example([(1, 1 << 54), (1, 1)], 2)  # not halfway
@example([(1, (1 << 54) + 2)], 1)  # halfway between two doubles
@example([(1 << 80, 3), (-(1 << 80), 3)], 7)  # cancels
def test_what_is_sure_is_the_nearest_double(terms: list[tuple[int, int]], scale: int) -> None:
    """Where the kernel says sure, its number is the correctly rounded quotient of the exact integers."""
    layout = _digits([({c: k for c, (k, _) in enumerate(terms) if k}, Fraction(1, scale))])
    now = np.asarray([[[t >> 32, t & 0xFFFFFFFF, 0, 0]] for _, t in terms], np.int64)
    ratios, sure = np.zeros((1, 1, RATIOS)), np.zeros((1, 1), np.bool_)
    evaluate(_laid(layout), now, np.zeros((1, 1), np.int64), np.ones(1, np.int64), np.ones(1, np.bool_), ratios,
             np.zeros((1, 1), np.bool_), sure)  # fmt: skip
    exact = sum(k * t for k, t in terms)
    if sure[0, 0]:
        assert ratios[0, 0, 0] == exact / scale
    elif len(terms) == 1 and abs(exact) < 1 << 52:
        raise AssertionError("one small term must be certain")


def _laid(layout: tuple[np.ndarray, ...]) -> object:
    empty = np.zeros(0, np.int64)
    return Linear(np.ones(1, np.bool_), np.asarray([0, 1], np.int64), *layout, zero_idle=np.ones(1, np.bool_),
                  withheld=np.zeros((1, 1), np.int64), first_channel=np.zeros(2, np.int64), channels=empty)  # fmt: skip


def test_clock_of_the_board() -> None:
    """Before the first reading there is a board of nothing."""
    board = Engine(PLANT, event_clock=True).board()
    assert np.isnan(board.value).all()
    assert set(board.ends) == {0}
