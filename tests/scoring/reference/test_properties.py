"""Generated works with every kind of channel: no order, batch or snapshot shows, and all is as the twin says."""

from __future__ import annotations

import random
from dataclasses import replace
from math import nextafter
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from devices.plant.model import Plant
from scoring import reference
from scoring.reference import emissions
from scoring.reference.record import Record
from scoring.reference.table import Comparison, Twin
from scoring.restate.told import shown
from tests.scoring.reference.works import BASE, HOUR, MINUTE, PARTS, Row, Run, batch, cut, late, rows, run, works
from tests.scoring.windows import shapes

quick = settings(
    max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
SEEDS = st.integers(0, 1 << 30)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")


many = settings(quick, max_examples=14)
SMALL = st.builds(
    works,
    every=st.sampled_from([2, 5]),
    zone=st.sampled_from(ZONES),
    windows=st.just('["1min", "1h", "25h"]'),
    boundary=st.sampled_from(["stage", "chain"]),
    parts=st.frozensets(st.sampled_from(PARTS), max_size=4),
)
"""Works of any few parts: a tenth of the price of all of them, so that ten times as many can be tried."""
SIZES = st.lists(st.integers(1, 90), min_size=1, max_size=6)
SNAPSHOTS = st.sets(st.integers(0, 25), max_size=4)


def assert_twin(plant: Plant, found: list[Row], made: Run, *, least: int = 12) -> None:
    comparison = Comparison()
    comparison.add(Twin(plant, batch(plant, found)), made.told.values())
    assert not comparison.differences[:3]
    assert len(comparison.compared) >= least  # 12: every quantity but open blocks and bare sums


def differing(one: Run, other: Run) -> list[object]:
    a, b = ({k: shown(thing) for k, thing in made.told.items()} for made in (one, other))
    return [(k, a.get(k), b.get(k)) for k in sorted(a.keys() | b.keys(), key=str) if a.get(k) != b.get(k)][:3]


@many
@given(SEEDS, SMALL, SIZES, SNAPSHOTS)
def test_small_works_within_grace(seed: int, plant: Plant, sizes: list[int], snapshots: set[int]) -> None:
    """Any permutation within grace, repetition, split into batches, snapshots anywhere: bit-identical, as the twin."""
    rng = random.Random(seed)
    found = rows(plant, rng, 1.2, gap=0)
    mixed = late(found + rng.sample(found, len(found) // 5), rng, 1, 14 - 2 * (plant.meters[0].every_ms // MINUTE))
    straight, other = run(plant, found, 500), cut(plant, mixed, sizes, snapshots)
    assert not differing(straight, other)
    assert other.restated == 0
    assert_twin(plant, found, other, least=4)


@many
@given(SEEDS, SMALL, SIZES, SNAPSHOTS, st.sampled_from([0.02, 0.3]))
def test_small_works_late(seed: int, plant: Plant, sizes: list[int], snapshots: set[int], share: float) -> None:
    """With gaps, and readings up to two hours late: what was told last is what the twin says of all readings."""
    rng = random.Random(seed)
    found = late(rows(plant, rng, 2.5), rng, share, 120)
    assert_twin(plant, found, cut(plant, found, sizes, snapshots), least=4)


@quick
@given(SEEDS, st.integers(1, 60), st.sampled_from(ZONES), st.sampled_from(["stage", "chain"]))
def test_within_grace_nothing_matters(seed: int, size: int, zone: str, boundary: str) -> None:
    """Any order within grace, repetition, batches, a snapshot after each few: the same values, none restated."""
    rng = random.Random(seed)
    plant = works(every=2, zone=zone, boundary=boundary)
    found = rows(plant, rng, 2.5, gap=0)
    mixed = late(found + rng.sample(found, len(found) // 5), rng, 1, 10)  # a spike shows two readings later
    straight, other = run(plant, found, 500), run(plant, mixed, 10 + size, snapshot_every=7)
    assert not differing(straight, other)
    assert other.restated == 0
    assert_twin(plant, found, other)


@quick
@given(SEEDS, st.integers(40, 200), st.sampled_from(ZONES), st.sampled_from(["stage", "chain"]))
def test_late_beyond_grace_is_as_the_twin_says(seed: int, size: int, zone: str, boundary: str) -> None:
    """Stacks and laboratories too: what comes hours late is restated to what the twin says of all readings."""
    rng = random.Random(seed)
    plant = works(zone=zone, boundary=boundary, abroad=True)
    found = late(rows(plant, rng, 7), rng, 0.02, 240)
    made = run(plant, found, size, snapshot_every=9)
    assert made.restated
    assert_twin(plant, found, made)


@quick
@given(SEEDS, st.lists(st.integers(1, 6 * 60 - 1), min_size=6, max_size=6))
def test_open_blocks_and_what_is_left_of_their_limits(seed: int, minutes: list[int]) -> None:
    """At any whole minute: value so far, highest mean still allowed and the minute of no return, as the twin says."""
    rng = random.Random(seed)
    plant = works(zone="Pacific/Auckland")  # a day begins two hours after the readings
    found = [row for row in rows(plant, rng, 6) if row[1] <= BASE + 6 * HOUR]
    comparison, made, at = Comparison(), Run(plant), 0
    asked = {BASE + m * MINUTE for m in (*minutes, 180, 200, 290)}  # the last two in half-hours of zeros
    with patch.object(emissions, "_day_from_below", wraps=emissions._day_from_below) as from_below:
        for now in sorted(asked):
            while at < len(found) and found[at][1] <= now:
                at += 1
            known = found[:at]
            made.push(batch(plant, known))  # what came before is a repetition
            comparison.add(Twin(plant, batch(plant, known)), made.engine.stacks.blocks(now), ["budget"])
    assert from_below.called
    assert not comparison.differences[:3]
    assert comparison.compared["budget"] > 100


@settings(max_examples=40, deadline=None)
@given(shapes.rows(180), st.integers(-20 * MINUTE, 300 * MINUTE), st.integers(1, 200 * MINUTE))
def test_curves_say_what_the_list_of_readings_says(found: list[shapes.Row], at: int, length: int) -> None:
    """The twin's quick form (cumulated) equals its plain form (a walk over all readings), to step and millisecond."""
    plant, readings = shapes.shapes(), shapes.batch(found)
    start, end = shapes.BASE + at, shapes.BASE + at + length
    record = Record(plant, readings)
    for c, plain in enumerate(reference.span(plant, readings, start, end)):
        assert record.total(c).over(start, end) == plain.total
        assert record.time(c).over(start, end) == plain.covered
    for group in shapes.GROUPS:
        covered, running = reference.coverage(plant, readings, group, start, end)
        assert record.joint((), group.running).over(start, end) == running
        assert record.joint(group.channels, group.running).over(start, end) == covered


def test_bare_sums_are_compared_too() -> None:
    """The engine's own span of an odd length."""
    plant = works()
    found = rows(plant, random.Random(1), 3)
    made = run(plant, found, 400)
    comparison = Comparison()
    comparison.add(
        Twin(plant, batch(plant, found)), [made.engine.rolling.span(BASE + MINUTE, BASE + 2 * HOUR + 17 * MINUTE)]
    )
    assert not comparison.differences
    assert comparison.compared["sums"] == 2 * sum(not c.labs for c in plant.channels)


@pytest.mark.parametrize("field", ["numerator", "denominator", "output", "completeness"])
def test_the_table_notices_the_last_bit(field: str) -> None:
    """What the other tests rest on: one bit off in one field of one score is one difference."""
    plant = works()
    found = rows(plant, random.Random(1), 2, gap=0)
    made = run(plant, found, 400)
    running = [t for k, t in made.told.items() if k[0] == "Score" and k[2] == "lcd" and t.operation == "running"]
    score = next(t for t in running if getattr(t, field) > 0)
    off = replace(score, **{field: nextafter(getattr(score, field), 2.0)})
    comparison = Comparison()
    comparison.add(Twin(plant, batch(plant, found)), [score, off])
    assert [d.field for d in comparison.differences] == [field]
