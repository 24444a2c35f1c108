"""`Engine.live` of some scopes, windows and stacks: the same as of all, and nothing else."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest

from devices.plant import parse
from devices.plant.model import Plant, Uncertainty
from devices.readings import Readings
from scoring.engine import Engine
from tests.scoring.reference.works import batch, rows, works

T0 = 1_763_800_020_000
HEAD = """
schema = 1
profiles = ["cement"]
[site.wuhu]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[scoring]
windows = ["1min", "1h", "24h", "30d"]
"""
LINE = """
[line.k{n}]
site = "wuhu"
area = "a{area}"
industry = "cement"
people = {n}
lcd = {{ basis = "gross", power = true }}
[meter.m{n}]
line = "k{n}"
every = "1s"
[meter.m{n}.channels]
made = {{ unit = "t", kind = "amount", counts = "product:clinker" }}
fed = {{ unit = "t", kind = "amount", counts = "material:meal" }}
kwh = {{ unit = "kWh", kind = "counter", counts = "electricity" }}
"""
STACK = """
[stack.s{n}]
lines = ["k{n}"]
regime = "cn-cement-ultra-low"
[meter.c{n}]
stack = "s{n}"
every = "1s"
[meter.c{n}.channels]
nox = {{ unit = "mg/m3", kind = "level" }}
o2 = {{ unit = "%", kind = "level" }}
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Five lines and stacks, each with other numbers, half an hour in."""
    plant = made()
    engine = Engine(plant)
    rows = [c.index for c in plant.channels]
    for second in range(0, 1_800, 7):
        ts = T0 + second * 1000
        counts = [(second + 1) * 1000 * (row + 1) for row in rows]
        engine.push(Readings.of(rows, [ts] * len(rows), counts, received=[ts] * len(rows)))
    return engine


def made() -> Plant:
    """Lines 1 to 5 in two areas, and the stacks of the first two."""
    text = "".join(LINE.format(n=n, area=n % 2) for n in range(1, 6))
    return parse(HEAD + text + "".join(STACK.format(n=n) for n in (1, 2)))


def test_of_one_scope(engine: Engine) -> None:
    """Each scope by itself says what it says among all, bit for bit: few lines are summed apart."""
    scores, _ = engine.live()
    for scope in engine.plant.scopes:
        alone, emissions = engine.live(scopes=[scope.index], stacks=[])
        assert emissions == []
        assert alone == [s for s in scores if s.scope == scope.id]
    assert len({s.numerator for s in scores if s.level == "line" and (s.degree, s.window) == ("gd", "1h")}) == 5


def test_of_one_scope_of_a_works() -> None:
    """Products, fuels, laboratories, factors that change within the windows, and counters that start again."""
    plant = works(every=5, abroad=True, zone="Europe/Berlin")
    doubt = Uncertainty(Fraction(1, 50))
    doubted = [replace(c, uncertainty=doubt) if plant.meters[c.meter].name == "lab" else c for c in plant.channels]
    plant = replace(plant, channels=tuple(doubted))  # so that bands ask for what the laboratory says
    engine = Engine(plant, event_clock=True)
    found = batch(plant, rows(plant, random.Random(3), 17))
    for at in range(0, len(found), 1_500):
        engine.push(found.take(slice(at, at + 1_500)))
        scores, _ = engine.live()
        for scope in plant.scopes:
            alone, _ = engine.live(scopes=[scope.index], stacks=[])
            assert alone == [s for s in scores if s.scope == scope.id]
    assert any(s.low is not None and s.low != s.value for s in scores if s.level == "line")


def test_a_running_channel_that_counts_in_nothing() -> None:
    """The speed of a drive tells whether its line runs, to the line alone as among all."""
    running = """
running = { channel = "drive.rpm", above = 1 }
[meter.drive]
line = "k3"
every = "1min"
[meter.drive.channels]
rpm = { unit = "rpm", kind = "level" }
[meter.m3]"""
    lines = "".join(LINE.format(n=n, area=n % 2) for n in range(1, 6))
    plant = parse(HEAD + lines.replace("\n[meter.m3]", running))
    engine = Engine(plant)
    rpm, made = plant.channel("drive", "rpm").index, plant.channel("m3", "made").index
    for minute in range(60):
        ts = T0 + minute * 60_000
        engine.push(Readings.of([rpm, made], [ts] * 2, [9_000_000, 1_000_000], received=[ts] * 2))
    scores, _ = engine.live()
    [scope] = [s.index for s in plant.scopes if s.id.endswith("/k3")]
    alone, _ = engine.live(scopes=[scope], stacks=[])
    assert alone == [s for s in scores if s.scope == plant.scopes[scope].id]
    [made_now] = [s for s in alone if (s.degree, s.window) == ("gd", "1h")]
    assert made_now.operation == "running"
    assert "not always known" not in (made_now.reason or "")


def test_of_one_window(engine: Engine) -> None:
    """Windows one by one are all windows."""
    scores, _ = engine.live()
    one_by_one = [
        score for window in range(len(engine.plant.windows)) for score in engine.live(windows=[window], stacks=[])[0]
    ]
    key = lambda s: (s.scope, s.window, s.degree)  # noqa: E731 - a sort key
    assert sorted(one_by_one, key=key) == sorted(scores, key=key)


def test_of_one_stack(engine: Engine) -> None:
    """Each stack by itself says what it says among all."""
    _, emissions = engine.live()
    for stack in engine.plant.stacks:
        scores, alone = engine.live(scopes=[], stacks=[stack.index])
        assert scores == []
        assert alone
        assert alone == [e for e in emissions if e.scope == f"stack:{stack.id}"]


def test_of_nothing(engine: Engine) -> None:
    """Neither scopes nor stacks: nothing."""
    assert engine.live(scopes=[], stacks=[]) == ([], [])
