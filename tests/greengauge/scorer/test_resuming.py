"""`start_of`: where scoring goes on after the registry changed, and what stands as it stood."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.plant.model import Plant
from greengauge.scorer import snapshots
from greengauge.scorer.resuming import start_of
from scoring.engine import Command, Engine
from tests.greengauge.scorer.test_scorer import SIZE, T0, Bench, ran
from tests.scoring.test_engine import BASE, HOUR, KILN, MINUTE, kiln, registry

FACTOR = """
[[factor]]
id = "grid:CN"
value = 1.5
unit = "kg CO2/kWh"
from = 2022-01-01
source = "a test"
"""
LINE = "line:acme/wuhu/pyro/k1"
ALARM = """
[[alarm]]
id = "odd"
on = { scope = "line:acme/wuhu/pyro/k1", degree = "sd", window = "1h" }
limit = { at = 0.5 }
"""


def run(plant: Plant) -> Engine:
    """Two hours of readings."""
    engine = Engine(plant, event_clock=True)
    engine.push(kiln(plant, range(120)))
    engine.advance()
    return engine


def test_another_factor_goes_on_with_the_same_sums(tmp_path: Path) -> None:
    """The state holds what was measured: the windows stay full, and today's factor is applied to them."""
    old, new = registry(KILN), registry(KILN, FACTOR)
    path, before = tmp_path / "s", run(old)
    snapshots.save(path, old.version, 700, before.snapshot())
    begin = start_of(new, path, 0, 900, anew=False)
    assert begin.position == 700
    assert begin.alarms is None
    ts = BASE + 119 * MINUTE
    assert [s.sum for s in begin.engine.sums(ts)] == [s.sum for s in before.sums(ts)]
    clean = run(new)
    assert begin.engine.at(ts)[0] == clean.at(ts)[0] != before.at(ts)[0]


@pytest.mark.parametrize(
    "other",
    [
        registry(KILN + 'x = { unit = "t", kind = "amount" }'),
        registry(KILN.replace('step = "0.001"', 'step = "0.01"')),
        registry(KILN, windows='["1h"]'),
        registry(KILN, intake='grace = "20min"'),
    ],
    ids=["a channel more", "another step", "other windows", "another grace"],
)
def test_another_shape_is_scored_anew(other: Plant, tmp_path: Path) -> None:
    """And the snapshot of before is kept until it comes back."""
    old = registry(KILN)
    path = tmp_path / "s"
    snapshots.save(path, old.version, 700, run(old).snapshot())
    begin = start_of(other, path, 50, 900, anew=False)
    assert begin.position == 50
    assert begin.alarms is not None
    snapshots.save(path, other.version, 800, begin.engine.snapshot())
    assert start_of(other, path, 50, 900, anew=False).position == 800
    assert start_of(old, path, 50, 900, anew=False).position == 700
    assert start_of(old, path, 750, 900, anew=False).position == 750  # the log begins behind it
    assert start_of(old, path, 0, 900, anew=True).position == 0


async def test_alarms_stand_as_they_stood(tmp_path: Path) -> None:
    """A shelved alarm stays shelved over a changed registry, and nothing of before its position is told again."""
    bench = Bench(tmp_path, 30)
    old = registry(KILN, ALARM)
    engine = Engine(old)
    engine.command(Command(T0 + 10 * MINUTE, LINE, "odd", "shelve", "mia", "known", 9 * HOUR))
    snapshots.save(bench.path, old.version, 20 * SIZE, engine.snapshot())
    bench.history.renewed = False
    scorer = bench.scorer(plant=registry(KILN + 'x = { unit = "t", kind = "amount" }', ALARM))
    assert scorer.position == 0
    await ran(scorer, lambda: scorer.position == 30 * SIZE)
    [alarm] = scorer.engine.alarms()
    assert (alarm.state, alarm.user, alarm.comment) == ("shelved", "mia", "known")
    assert bench.history.alarm_events(10) == []
