"""`Engine.live` of some scopes, windows and stacks: the same as of all, and nothing else."""

from __future__ import annotations

import pytest

from devices.plant import parse
from devices.plant.model import Plant
from devices.readings import Readings
from scoring.engine import Engine

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
