"""Order, repetition, batches, snapshots and lateness change no final value; and the twin says the same."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from devices.plant.model import Plant
from scoring.reference.degrees import degrees
from scoring.windows import rolling, rules
from tests.scoring.restate.works import BASE, HOUR, MIN, Row, Run, batch, late, rows, run, works

quick = settings(
    max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
PLANT = works()
SEEDS = st.integers(0, 1 << 30)


@pytest.fixture(params=["from the sums", "through the past"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With little memory, readings are forgotten after half an hour: then only the past helps."""
    if request.param == "through the past":
        forgetful(monkeypatch)
    return str(request.param)


def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "LATE", 10 * MIN)
    for module in (rules, rolling):
        monkeypatch.setattr(module, "KEPT", 4)
    monkeypatch.setattr(rolling, "_FIRST_ROOM", 4)


def differing(one: Run, other: Run) -> list[object]:
    keys = sorted(set(one.told) | set(other.told), key=str)
    return [(k, one.told.get(k), other.told.get(k)) for k in keys if one.told.get(k) != other.told.get(k)][:3]


@quick
@given(SEEDS, st.integers(1, 60))
def test_within_grace_nothing_matters(seed: int, size: int) -> None:
    """Any order within grace, repetition, batches, a snapshot after each few: the same final values, none restated."""
    rng = random.Random(seed)
    plant = works(every=1)
    found = rows(plant, rng, 90, 1, gap=0)
    mixed = late(found + rng.sample(found, len(found) // 5), rng, 1, 13)
    straight, other = run(plant, found, 500), run(plant, mixed, size, snapshot_every=4)
    assert straight.told
    assert not differing(straight, other)
    assert max(other.revisions.values()) == 0


@quick
@given(SEEDS, st.integers(5, 100))
@pytest.mark.parametrize(("share", "by"), [(0.1, 90), (0.02, 1500)])
def test_late_beyond_grace_equals_in_order(memory: str, share: float, by: int, seed: int, size: int) -> None:
    """Minutes to a day late, in any order: the latest revisions are those of a clean run in order."""
    rng = random.Random(seed)
    found = rows(PLANT, rng, 300 if memory == "from the sums" else 500, 5)
    assert not differing(run(PLANT, found, 500), run(PLANT, late(found, rng, share, by), size, snapshot_every=3))


def test_both_ways_are_gone() -> None:
    """What the tests above rest on: with little memory the past is read, else it is not."""
    rng = random.Random(5)
    found = late(rows(PLANT, rng, 700, 5), rng, 0.05, 100)
    plain = run(PLANT, found, 100)
    with pytest.MonkeyPatch.context() as patch:
        forgetful(patch)
        poor = run(PLANT, found, 100)
    assert plain.restaters == 0 < poor.restaters
    assert max(plain.revisions.values()) > 0
    assert not differing(plain, poor)


@quick
@given(SEEDS)
def test_equals_the_twin(seed: int) -> None:
    """Every line's numerators, denominators and completeness, restated or not: the twin's, bit for bit."""
    rng = random.Random(seed)
    found = late(rows(PLANT, rng, 300, 5), rng, 0.1, 120)
    assert_twin(PLANT, found, run(PLANT, found, 40), rng)


def assert_twin(plant: Plant, found: list[Row], made: Run, rng: random.Random, most: int = 60) -> None:
    """Some of what was told, against the twin."""
    readings = batch(found)
    lengths = dict(zip(plant.windows, plant.window_ms, strict=True))
    lines = {f"line:{line.id}": line for line in plant.lines}
    told = sorted(key for key in made.told if key[0] in lines)
    assert told
    for scope, degree, window, ts in rng.sample(told, min(most, len(told))):
        shown = made.told[scope, degree, window, ts]
        twin = degrees(plant, readings, lines[scope], ts - lengths[window], ts)[degree]
        numerator, denominator = shown[6], shown[7]
        assert (numerator, denominator) == (float(twin.numerator), float(twin.denominator)), (degree, window, ts)
        if twin.running:
            assert shown[12] == twin.covered / twin.running, (degree, window, ts)


def gap_rows(plant: Plant, gap_ms: int) -> list[Row]:
    """Feed every five minutes throughout; the power meter is read before a gap and after it only."""
    feed, kwh = plant.channel("kiln", "feed").index, plant.channel("kiln", "kwh").index
    found = [(feed, BASE + t, 20, 0) for t in range(0, gap_ms + 2 * HOUR, 5 * MIN)]
    found += [(kwh, BASE, 0, 0), (kwh, BASE + gap_ms, 5000, 0), (kwh, BASE + gap_ms + HOUR, 5012, 0)]
    return sorted(found, key=lambda row: row[1])


@pytest.mark.parametrize("days", [0.2, 2])
def test_a_counter_across_a_gap(memory: str, days: float) -> None:
    """A meter read again after hours or days counts evenly over them: all steps of the gap are restated."""
    found = gap_rows(PLANT, int(days * 24) * HOUR)
    made = run(PLANT, found, 20)
    assert max(made.revisions.values()) == 1
    assert_twin(PLANT, found, made, random.Random(1), most=12)


def test_an_open_hour_of_a_stack(memory: str) -> None:
    """That the line ran again at minute 77 is known at 127, past grace and before the stack's hour is closed."""
    feed, *gas = (PLANT.channel(*name) for name in (("kiln", "feed"), ("cems", "nox"), ("cems", "o2")))
    rows_ = [(feed.index, BASE + m * MIN, 3 if m == 72 else 20, 0) for m in range(2, 240, 5) if m != 77]
    rows_ += [(c.index, BASE + m * MIN, 50, 0) for c in gas for m in range(2, 240, 5)]
    rows_.sort(key=lambda row: row[1])
    late_row = (feed.index, BASE + 77 * MIN, 20, 0)
    at = next(n for n, row in enumerate(rows_) if row[1] > BASE + 126 * MIN)
    told = run(PLANT, [*rows_[:at], late_row, *rows_[at:]], 4)
    assert not differing(run(PLANT, sorted([*rows_, late_row], key=lambda row: row[1]), 500), told)
    hour = told.told["stack:acme/wuhu/tail", "nox", "1h", BASE + HOUR]
    assert hour[13] == 55  # valid minutes: all but 72 to 77


def test_a_stop_of_three_days(memory: str) -> None:
    """A plant that stood: the steps before the stop are told with the sums as they were, not after they are gone."""
    day = rows(PLANT, random.Random(3), 300, 5, gap=0)
    found = day + [(c, ts + 73 * HOUR, value, rev) for c, ts, value, rev in day]
    made = run(PLANT, found, 1000)
    assert_twin(PLANT, found, made, random.Random(2), most=15)


def test_one_reading_a_year() -> None:
    """Far apart in time: each year's window holds its reading."""
    plant = works(windows='["1h", "365d"]')
    c = plant.channel("mill", "cement").index
    found = [(c, BASE + year * 365 * 24 * HOUR, 7, 0) for year in range(4)]
    made = run(plant, found, 1000)
    assert_twin(plant, found, made, random.Random(2))
    years = [v[6] for k, v in sorted(made.told.items()) if k[1:3] == ("lcd", "365d") and k[0].endswith("m1")]
    assert len(years) == 4
