"""When it is looked at what changed: before anything is told, where rows came late, and else once a minute."""

from __future__ import annotations

import pytest

from devices.durations import HOUR, MINUTE, SECOND
from devices.plant import parse
from devices.readings import Readings
from scoring.engine import Engine

BASE = 1_767_225_600_000  # 2026-01-01T00:00Z
MADE, KWH = 0, 1
PLANT = parse("""
schema = 1
[intake]
history = true
grace = "15min"
[site.works]
enterprise = "acme"
country = "CN"
timezone = "Asia/Shanghai"
electricity = "grid:x"
[[factor]]
id = "grid:x"
value = 0.5
unit = "kg CO2/kWh"
from = 2020-01-01
source = "test"
[product.clinker]
unit = "t"
[[benchmark]]
id = "b"
product = "clinker"
value = 0.001
unit = "t CO2/t"
basis = "gross"
power = true
boundary = "stage"
from = 2020-01-01
source = "test"
[line.k1]
site = "works"
area = "a"
industry = "cement"
lcd = { basis = "gross", power = true, benchmark = "b" }
[meter.m]
line = "k1"
every = "1min"
[meter.m.channels]
made = { unit = "t", kind = "amount", step = "1", period = "1min", counts = "product:clinker" }
[meter.slow]
line = "k1"
every = "2h"
[meter.slow.channels]
kwh = { unit = "kWh", kind = "counter", step = "1", max_gap = "3h", counts = "electricity" }
[scoring]
windows = ["1min", "1h"]
""")


def push(engine: Engine, channel: int, *points: tuple[int, int]) -> None:
    """(seconds after BASE, value)."""
    times = [BASE + at * SECOND for at, _ in points]
    engine.push(Readings.of([channel] * len(points), times, [value for _, value in points]))


@pytest.fixture
def engine() -> Engine:
    """A line that made 2 t a minute for an hour; its power was read when that began. All told that is final."""
    engine = Engine(PLANT, patience_ms=0)
    push(engine, KWH, (0, 1_000))
    push(engine, MADE, *((60 * minute, 2) for minute in range(1, 61)))
    engine.advance()
    return engine


def looks(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The clock, whenever it is looked at what changed."""
    found: list[int] = []
    changed = engine.rolling.changed

    def look() -> object:
        found.append(engine.clock)
        return changed()

    monkeypatch.setattr(engine.rolling, "changed", look)
    return found


def test_nothing_late_and_nothing_due_is_not_looked_at(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a minute of the clock, slices of a backlog that tell nothing bring no cell up to date."""
    found = looks(engine, monkeypatch)
    for at in range(3_601, 3_660, 10):
        push(engine, MADE, (at, 0))
        engine.advance()
    assert found == []


@pytest.mark.parametrize("kept", [False, True])
def test_what_came_late_last_is_told_once_nothing_comes(kept: bool) -> None:
    """With `history` the clock stands still when the last reading is in: time that passes without any ends the
    patience, six seconds of it, not two; also after a snapshot.
    """
    engine = Engine(PLANT)
    push(engine, KWH, (0, 1_000))
    push(engine, MADE, *((60 * minute, 2) for minute in range(1, 61)))
    engine.advance()
    at, received = BASE + 30 * MINUTE, BASE + 1_000 * HOUR
    engine.push(Readings.of([MADE], [at], [5], rev=[1], received=[received]))
    told = list(engine.advance().scores)
    engine.tick(received + 2 * SECOND)
    told += engine.advance().scores
    assert "restated" not in {s.lifecycle for s in told}
    if kept:
        engine = Engine.restore(PLANT, engine.snapshot())
    engine.tick(received + 6 * SECOND)
    again = [s for s in engine.advance().scores if (s.ts, s.window, s.degree) == (at, "1min", "lcd")]
    assert {(s.output, s.lifecycle) for s in again} == {(5.0, "restated")}


def test_a_late_row_is_looked_at_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute's output corrected half an hour later: told again as 5 t."""
    found = looks(engine, monkeypatch)
    at = BASE + 30 * MINUTE
    engine.push(Readings.of([MADE], [at], [5], rev=[1]))
    told = engine.advance().scores
    assert found == [engine.clock]
    again = [s for s in told if (s.ts, s.window, s.scope) == (at, "1min", "line:acme/works/a/k1")]
    assert [s.output for s in again if s.degree == "lcd"] == [5.0]
    assert {s.lifecycle for s in again} == {"restated"}


def test_a_slow_counter_is_seen_a_minute_later_at_most(engine: Engine) -> None:
    """Its reading is not late, yet it says what was used while steps were told: 3,630 kWh in 3,630 s."""
    push(engine, KWH, (3_630, 4_630))
    assert not engine.advance().scores
    push(engine, MADE, (3_660, 2))
    told = engine.advance().scores
    again = [s for s in told if (s.ts, s.window, s.scope) == (BASE + 30 * MINUTE, "1min", "line:acme/works/a/k1")]
    lcd = [s for s in again if s.degree == "lcd"]
    assert [(s.denominator, s.lifecycle) for s in lcd] == [(60 * 0.0005, "restated")]


HOURLY = parse("""
schema = 1
[intake]
history = true
[site.station]
enterprise = "power"
country = "TR"
timezone = "UTC"
[line.gt1]
site = "station"
area = "hall"
industry = "power"
[stack.gt1]
lines = ["gt1"]
regime = "none"
[regime.none]
minute_valid = "30s"
hour_valid = "45min"
standard = "273.15 K"
limits = { nox = 100 }
averages = ["1h", "24h"]
from = 2000-01-01
source = "test"
[meter.cems]
stack = "gt1"
every = "1h"
[meter.cems.channels]
nox = { unit = "mg/m3", kind = "level", water = "dry", state = "standard", step = "1" }
""")


def hourly(engine: Engine, hours: range) -> list[tuple[str, int, str, float | None]]:
    """Readings of so many hours in one batch, 80 mg/m3 each; the blocks told: average, ts, lifecycle and value."""
    times = [BASE + hour * HOUR for hour in hours]
    engine.push(Readings.of([0] * len(times), times, [80] * len(times)))
    blocks = [e for e in engine.advance().emissions if e.average != "1min"]
    return [(e.average, e.ts, e.lifecycle, e.value) for e in blocks]


def test_blocks_of_a_batch_in_order_are_told_once() -> None:
    """Two days in each batch and nothing late: no hour and no day is told a second time."""
    engine = Engine(HOURLY, patience_ms=0)
    told = [block for at in range(0, 300, 50) for block in hourly(engine, range(at, at + 50))]
    assert {lifecycle for _, _, lifecycle, _ in told} == {"final"}
    assert len({block[:2] for block in told}) == len(told)


def test_a_late_reading_among_newer_ones_reopens_what_was_closed() -> None:
    """A correction of hour 20 comes with the newest hour: hour 20 and its day are told again, the new hours once."""
    engine = Engine(HOURLY, patience_ms=0)
    hourly(engine, range(50))
    times = [BASE + hour * HOUR for hour in (20, *range(50, 60))]
    engine.push(Readings.of([0] * 11, times, [104] + [80] * 10, rev=[1] + [0] * 10))
    told = [e for e in engine.advance().emissions if e.average != "1min"]
    again = {(e.average, (e.ts - BASE) // HOUR): e.value for e in told if e.lifecycle == "restated"}
    assert again["1h", 20] == 104.0
    assert again["24h", 0] == 81.0  # 23 hours of 80 and one of 104
    fresh = {(e.ts - BASE) // HOUR for e in told if e.lifecycle == "final" and e.average == "1h"}
    assert fresh
    assert not fresh & {hour for average, hour in again if average == "1h"}
