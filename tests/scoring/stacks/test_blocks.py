"""Hour and day blocks: validity, means, limits, budgets, closing, late readings, snapshots."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.readings import Readings
from scoring.results import Emission
from scoring.stacks import Stacks
from scoring.stamp import Stamp
from tests.scoring.stacks.plants import CHINA, HOUR, MINUTE, PLAIN, Rig, at, plant

T0 = at("2025-11-22T13:00+08:00")
NOX = {"nox": {"unit": "mg/m3"}}


def rig(**keys: Any) -> Rig:
    """One NOx analyser, one reading a minute, no oxygen correction."""
    return Rig(plant(keys.pop("channels", NOX), regime=keys.pop("regime", PLAIN), **keys))


def pick(emissions: Iterable[Emission], average: str, pollutant: str = "nox") -> Emission:
    (found,) = (e for e in emissions if e.average == average and e.pollutant == pollutant)
    return found


def test_case_7_in_the_open_hour() -> None:
    """40 minutes at 350: 260 for the rest, unavoidable at 54.857 at 350; at 250 never."""
    r = rig()
    r.fill("nox", T0, 40, 350)
    now = T0 + 40 * MINUTE
    hour = pick(r.stacks.blocks(now), "1h")
    assert (hour.ts, hour.value, hour.limit, hour.headroom) == (T0, 350.0, 320.0, -30.0)
    assert (hour.valid_minutes, hour.elapsed_minutes, hour.block_minutes) == (40, 40, 60)
    assert hour.allowed_mean == 260.0
    assert hour.unavoidable_at == T0 + 3_291_429
    assert not hour.valid
    assert hour.lifecycle == "live"
    r.push(("nox", T0 + 39 * MINUTE, 250))
    assert pick(r.stacks.blocks(now), "1h").unavoidable_at is None


@pytest.mark.parametrize(("minutes", "valid"), [(44, False), (45, True)])
def test_an_hour_needs_45_minutes(minutes: int, valid: bool) -> None:
    """44 valid minutes are not an hour, 45 are; a withheld hour says how many are missing, and why."""
    r = rig()
    r.fill("nox", T0, minutes, 100)
    (hour,) = r.stacks.close(0, T0 + HOUR)
    assert hour.valid is valid
    assert hour.valid_minutes == minutes
    assert hour.lifecycle == "final"
    if valid:
        assert (hour.value, hour.reason) == (100.0, None)
    else:
        assert hour.value is None
        assert hour.headroom is None
        assert hour.quality == "bad"
        assert hour.reason == "44 valid minutes of 60, 45 are needed; 16 without: no readings"


def test_a_minute_needs_half_of_itself() -> None:
    """Readings that cover 30 s make a minute, 29 s don't."""
    channels = {"nox": {"unit": "mg/m3", "every_ms": 1000, "max_gap_ms": 1000}}
    for seconds, valid in ((30, True), (29, False)):
        r = rig(channels=channels)
        r.push(*(("nox", T0 + s * 1000, 50) for s in range(seconds)))
        minute = pick(r.stacks.minute(T0 + MINUTE), "1min")
        assert minute.valid is valid
        assert minute.completeness == seconds / 60
        assert minute.raw == 50.0
        assert (minute.reason is None) is valid


def test_valid_minutes_weigh_the_same() -> None:
    """A minute half covered weighs as much as a full one."""
    r = rig(channels={"nox": {"unit": "mg/m3", "every_ms": 1000, "max_gap_ms": 1000}})
    r.push(*(("nox", T0 + s * 1000, 10) for s in range(46 * 60)))
    r.push(*(("nox", T0 + 46 * MINUTE + s * 1000, 480) for s in range(30)))
    (hour,) = r.stacks.close(0, T0 + HOUR)
    assert hour.valid_minutes == 47
    assert hour.value == (46 * 10 + 480) / 47
    assert hour.raw == pytest.approx((46 * 60 * 10 + 30 * 480) / (46 * 60 + 30))


def test_the_hour_that_cannot_count_any_more() -> None:
    """When too few minutes are left for validity, no budget is promised."""
    r = rig()
    r.fill("nox", T0, 10, 400)
    hour = pick(r.stacks.blocks(T0 + 26 * MINUTE), "1h")
    assert (hour.value, hour.allowed_mean, hour.unavoidable_at) == (400.0, None, None)
    assert hour.reason is not None
    assert "cannot become valid" in hour.reason


def test_day_of_valid_hours() -> None:
    """A day is the mean of its valid hours, from 20 of them on; the hours come first when it closes."""
    midnight = at("2025-11-22T00:00+08:00")
    r = rig()
    for h in range(20):
        r.fill("nox", midnight + h * HOUR, 60 if h else 45, 100 + h)
    r.fill("nox", midnight + 20 * HOUR, 44, 1000)
    closed = r.stacks.close(0, midnight + 24 * HOUR)
    assert [e.average for e in closed] == ["1h"] * 24 + ["1d"]
    day = closed[-1]
    assert (day.ts, day.valid, day.value) == (midnight, True, 109.5)
    assert (day.valid_minutes, day.block_minutes) == (45 + 19 * 60 + 44, 1440)
    r = rig()
    for h in range(19):
        r.fill("nox", midnight + h * HOUR, 60, 100)
    day = r.stacks.close(0, midnight + 24 * HOUR)[-1]
    assert (day.valid, day.value) == (False, None)
    assert day.reason == "19 valid hours of 24, 20 are needed; 300 without: no readings"


@pytest.mark.parametrize(
    ("zone", "midnight", "hours"),
    [("Europe/Berlin", "2025-03-30T00:00+01:00", 23), ("Europe/Berlin", "2025-10-26T00:00+02:00", 25)],
)
def test_days_of_23_and_25_hours(zone: str, midnight: str, hours: int) -> None:
    """Daylight saving: the day closes after its own number of hours, each an hour of its own."""
    start = at(midnight)
    r = rig(timezone=zone)
    for h in range(hours):
        r.fill("nox", start + h * HOUR, 60, h)
    closed = r.stacks.close(0, start + hours * HOUR)
    assert [e.value for e in closed[:-1]] == [float(h) for h in range(hours)]
    assert (closed[-1].block_minutes, closed[-1].value) == (hours * 60, (hours - 1) / 2)


def test_day_budget_comes_true() -> None:
    """Averaging `allowed_mean` for the rest of the day lands on the limit, lost minutes and a lost hour included."""
    midnight = at("2025-11-22T00:00+08:00")
    r = rig()
    for h in range(10):
        r.fill("nox", midnight + h * HOUR, 60 if h != 4 else 20, 350 if h % 2 else 300)
    r.fill("nox", midnight + 10 * HOUR, 20, 340)
    now = midnight + 10 * HOUR + 25 * MINUTE
    day = pick(r.stacks.blocks(now), "1d")
    assert day.value == (5 * 350 + 4 * 300) / 9
    assert day.allowed_mean is not None
    r.fill("nox", now, 35, repr(day.allowed_mean))
    for h in range(11, 24):
        r.fill("nox", midnight + h * HOUR, 60, repr(day.allowed_mean))
    assert r.stacks.close(0, midnight + 24 * HOUR)[-1].value == pytest.approx(320, abs=1e-5)


def test_the_first_hour_of_a_day() -> None:
    """Before its first hour has ended a day has no value yet, which is nobody's fault."""
    r = rig()
    midnight = at("2025-11-22T00:00+08:00")
    r.fill("nox", midnight, 30, 100)
    day = pick(r.stacks.blocks(midnight + 30 * MINUTE), "1d")
    assert (day.value, day.quality, day.reason) == (None, "good", "no valid hour has ended yet")
    assert day.allowed_mean == pytest.approx((24 * 320 - 50) / 23.5)


def test_day_unavoidable_at() -> None:
    """The day's instant of no return lies where Σ of hour means reaches limit·n at the present level."""
    midnight = at("2025-11-22T00:00+08:00")
    r = rig()
    for h in range(12):
        r.fill("nox", midnight + h * HOUR, 60, 400)
    day = pick(r.stacks.blocks(midnight + 12 * HOUR), "1d")
    assert day.allowed_mean == 240.0
    assert day.unavoidable_at == midnight + round(Fraction(24 * 320, 400) * HOUR)


def test_oxygen_of_air_and_kiln_off() -> None:
    """O2 near air and a standing kiln invalidate the minute and say so; a standing kiln is no bad quality."""
    r = Rig(plant({**NOX, "o2": {"unit": "%"}}, running=True))
    r.push(("nox", T0, 100), ("o2", T0, "20.5"), ("feed", T0, 300))
    minute = pick(r.stacks.minute(T0 + MINUTE), "1min")
    assert (minute.value, minute.raw) == (None, 100.0)
    assert minute.reason == "oxygen is above 20 %: air instead of flue gas"
    assert (minute.operation, minute.quality) == ("running", "bad")
    r.push(("feed", T0 + MINUTE, 0))
    minute = pick(r.stacks.minute(T0 + 2 * MINUTE), "1min")
    assert (minute.value, minute.operation, minute.quality) == (None, "stopped", "good")
    assert (minute.reason, minute.completeness) == ("line k1 is not running", 1.0)
    hour = pick(r.stacks.blocks(T0 + 2 * MINUTE), "1h")
    assert (hour.operation, hour.completeness, hour.reason) == (
        "running",
        0.0,
        "no valid minute yet; 1 without: line k1 is not running",
    )


def test_missing_running_signal_hides_nothing() -> None:
    """Without a word from the kiln feed the stack counts as running: a gap must not hide an emission."""
    r = Rig(plant(NOX, regime=PLAIN, running=True))
    r.push(("nox", T0, 100))
    assert pick(r.stacks.minute(T0 + MINUTE), "1min").value == 100.0


def test_oxygen_held_within_its_max_gap() -> None:
    """An oxygen reading serves until its max_gap ends, then the minutes are invalid."""
    r = Rig(plant({**NOX, "o2": {"unit": "%", "max_gap_ms": 5 * MINUTE}}))
    r.fill("nox", T0, 10, 100)
    r.push(("o2", T0, 13))
    hour = pick(r.stacks.blocks(T0 + 10 * MINUTE), "1h")
    assert hour.valid_minutes == 5
    assert hour.value == 137.5
    assert pick(r.stacks.minute(T0 + 6 * MINUTE), "1min").reason == "no oxygen reading"


def test_late_oxygen_restates_every_pollutant() -> None:
    """Oxygen that comes late, within grace, mends all pollutants of its minutes."""
    channels = {**NOX, "so2": {"unit": "mg/m3"}, "o2": {"unit": "%"}}
    r = Rig(plant(channels))
    for name in ("nox", "so2"):
        r.fill(name, T0, 60, 20)
    assert pick(r.stacks.blocks(T0 + HOUR), "1h").value is None
    r.fill("o2", T0, 60, 13)
    live = r.stacks.blocks(T0 + HOUR)
    assert pick(live, "1h", "nox").value == pick(live, "1h", "so2").value == 27.5
    assert [e.value for e in r.stacks.close(0, T0 + HOUR)] == [27.5, 27.5]


def test_own_meter_first() -> None:
    """A dust meter with its own oxygen is corrected with it; one without takes the stack's."""
    p = plant(
        {"nox": NOX["nox"], "o2": {"unit": "%"}, "pm": {"unit": "mg/m3"}, "hg": {"unit": "ug/m3"}},
        meters={"gas": ["nox", "o2"], "mercury": ["hg"]},
    )
    r = Rig(p)
    r.push(("nox", T0, 8), ("o2", T0, 13), ("hg", T0, 8000))
    assert [e.value for e in r.stacks.minute(T0 + MINUTE)] == [11.0, 11.0]
    two = plant(
        {"nox": NOX["nox"], "o2": {"unit": "%"}, "pm": {"unit": "mg/m3"}},
        meters={"dust": ["pm", "o2"], "gas": ["nox", "o2"]},
    )
    r = Rig(two)
    batch = Readings.of([0, 1, 2, 3], [T0] * 4, [8_000_000, 10_000_000, 8_000_000, 13_000_000])
    r.sums.push(batch)
    r.stacks.push(batch)
    assert {e.pollutant: e.value for e in r.stacks.minute(T0 + MINUTE)} == {"pm": 8.0, "nox": 11.0}


def test_rolling_minute_at_any_second() -> None:
    """The rolling minute moves by seconds; its limit is an early warning."""
    r = rig(channels={"nox": {"unit": "mg/m3", "every_ms": 1000, "max_gap_ms": 1000}})
    r.push(*(("nox", T0 + s * 1000, 0 if s < 60 else 600) for s in range(120)))
    found = [pick(r.stacks.minute(T0 + MINUTE + s * 1000), "1min") for s in (0, 15, 30, 60)]
    assert [e.value for e in found] == [0.0, 150.0, 300.0, 600.0]
    assert [e.headroom for e in found] == [320.0, 170.0, 20.0, -280.0]
    assert found[1].ts == T0 + 75_000


def test_rows_before_the_first_reading() -> None:
    """Every pollutant has its rows from the start; what comes late into them is seen."""
    r = rig()
    now = T0 + 30 * MINUTE
    assert [(e.average, e.value, e.valid_minutes) for e in r.stacks.blocks(now)] == [("1h", None, 0), ("1d", None, 0)]
    assert pick(r.stacks.blocks(now), "1h").allowed_mean is None
    r.fill("nox", T0 + 10 * MINUTE, 20, 100)
    assert pick(r.stacks.blocks(now), "1h").valid_minutes == 20
    r.fill("nox", T0, 10, 100)
    hour = pick(r.stacks.blocks(now), "1h")
    assert (hour.valid_minutes, hour.allowed_mean) == (30, 540.0)


def test_late_reading_into_an_ended_hour() -> None:
    """An hour that has ended, and is not closed, follows what comes late into it; so does its day."""
    r = rig()
    r.fill("nox", T0, 90, 100)
    now = T0 + 90 * MINUTE
    assert pick(r.stacks.blocks(now), "1d").value == 100.0
    r.push(("nox", T0 + 5 * MINUTE, 160))
    assert pick(r.stacks.blocks(now), "1d").value == 101.0
    assert pick(r.stacks.blocks(T0 + HOUR), "1h").value == 101.0


def test_stale_and_last() -> None:
    """A pollutant is stale after three periods without a reading, at least 10 s; its last reading is told."""
    r = rig()
    assert pick(r.stacks.minute(T0), "1min").stale
    r.push(("nox", T0, 5))
    fresh, old = (pick(r.stacks.blocks(T0 + ms), "1h") for ms in (3 * MINUTE - 1, 3 * MINUTE))
    assert (fresh.stale, fresh.last) == (False, T0)
    assert old.stale


def test_averages_are_named_as_the_regime_writes_them() -> None:
    """`24h` means the day block; an average that the regime does not list has no limit."""
    r = rig(regime=replace(PLAIN, averages=("24h",)))
    r.fill("nox", T0, 30, 100)
    hour, day = r.stacks.blocks(T0 + 30 * MINUTE)
    assert (hour.average, hour.limit, hour.allowed_mean) == ("1h", None, None)
    assert (day.average, day.limit) == ("24h", 320.0)


def test_limit_of_the_block_date() -> None:
    """A block is held against the regime in force on its own date."""
    strict = replace(PLAIN, limits={"nox": Fraction(50)}, start=date(2025, 11, 23))
    r = rig(regime=(replace(PLAIN, start=date(2025, 1, 1)), strict))
    midnight = at("2025-11-23T00:00+08:00")
    r.fill("nox", midnight - HOUR, 120, 100)
    closed = r.stacks.close(0, midnight + HOUR)
    assert [(e.average, e.limit) for e in closed] == [("1h", 320.0), ("1d", 320.0), ("1h", 50.0)]


def test_silent_stack_closes_by_time() -> None:
    """Blocks without readings between others close too, invalid, and cost no sums."""
    r = rig()
    r.fill("nox", T0, 60, 100)
    r.stacks.close(0, T0 + HOUR)
    asked = r.sums.spans
    closed = r.stacks.close(0, T0 + 5 * HOUR)
    assert [e.valid for e in closed] == [False] * 4
    assert r.sums.spans == asked
    assert r.stacks.close(0, T0 + 5 * HOUR) == []


def test_closed_hours_stay() -> None:
    """What is final does not move silently: restating is another act."""
    r = rig()
    r.fill("nox", T0, 60, 100)
    r.stacks.close(0, T0 + HOUR)
    r.push(("nox", T0 + MINUTE, 999))
    day = pick(r.stacks.blocks(T0 + HOUR + MINUTE), "1d")
    assert day.value == 100.0


def test_finish_closes_the_last_hour_and_day() -> None:
    """At the end of a readings file the hour and the day of the newest reading are closed as well."""
    r = rig()
    r.fill("nox", T0, 130, 100)
    made = r.stacks.finish(0)
    assert [(e.average, e.valid) for e in made] == [("1h", True), ("1h", True), ("1h", False), ("1d", False)]
    assert r.stacks.finish(0) == []


def test_a_question_about_the_past() -> None:
    """Open blocks as they stood an hour ago can be asked for after their hours are closed."""
    r = rig()
    r.fill("nox", T0, 240, 100)
    r.fill("nox", T0, 40, 350)
    then = T0 + 40 * MINUTE
    before = r.stacks.blocks(then)
    r.stacks.close(0, T0 + 4 * HOUR)
    again = r.stacks.blocks(then)
    assert [replace(e, last=None, stale=False) for e in again] == [replace(e, last=None, stale=False) for e in before]


def test_stamp_is_carried() -> None:
    """Lifecycle, revision and known_at are the caller's."""
    r = rig()
    r.fill("nox", T0, 60, 1)
    stamp = Stamp("restated", 3, T0 + 9 * HOUR)
    for e in (
        *r.stacks.minute(T0 + MINUTE, stamp),
        *r.stacks.blocks(T0 + HOUR, stamp),
        *r.stacks.close(0, T0 + HOUR, stamp),
    ):
        assert (e.lifecycle, e.revision, e.known_at) == ("restated", 3, T0 + 9 * HOUR)


def test_every_emission_is_plain_json() -> None:
    """The emission object is JSON as it stands."""
    r = rig()
    r.fill("nox", T0, 50, 100)
    for e in (*r.stacks.minute(T0 + MINUTE), *r.stacks.blocks(T0 + 30 * MINUTE)):
        json.dumps(e.to_json(T0 + HOUR, simulated=False), allow_nan=False)


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 6), st.integers(0, 5))
def test_order_batches_and_snapshots_change_nothing(rnd: random.Random, batches: int, looks: int) -> None:
    """Permuted, split, watched and restarted on the way: closed blocks are bit-identical."""
    p = plant({**NOX, "o2": {"unit": "%", "max_gap_ms": 3 * MINUTE}}, running=True)
    readings = [
        *(("nox", T0 + m * MINUTE + rnd.randrange(1, MINUTE), rnd.randrange(600)) for m in range(0, 150, 2)),
        *(("nox", T0 + m * MINUTE, rnd.randrange(600)) for m in range(1, 150)),
        *(("o2", T0 + m * MINUTE, rnd.choice((9, 13, 20.5))) for m in range(0, 150, 2)),
        *(("feed", T0 + m * MINUTE, rnd.choice((0, 300, 300))) for m in range(150)),
    ]
    clean = Rig(p)
    clean.push(*readings)
    expected = clean.stacks.close(0, T0 + 2 * HOUR)
    rnd.shuffle(readings)
    other = Rig(p)
    for i in range(batches):
        other.push(*readings[i::batches])
        for _ in range(looks):
            other.stacks.blocks(T0 + rnd.randrange(150) * MINUTE)
        state = json.loads(json.dumps(other.stacks.snapshot()))
        other.stacks = Stacks(p, other.sums)
        other.stacks.restore(state)
    assert other.stacks.close(0, T0 + HOUR) + other.stacks.close(0, T0 + 2 * HOUR) == [
        replace(e, known_at=T0 + HOUR if e.ts == T0 else e.known_at) for e in expected
    ]


def test_restart_between_blocks() -> None:
    """A snapshot after closed hours goes on to the same day."""
    midnight = at("2025-11-22T00:00+08:00")
    p = plant(NOX, regime=CHINA)
    days = []
    for restart in (False, True):
        r = Rig(plant({**NOX, "o2": {"unit": "%"}}))
        for h in range(24):
            r.fill("nox", midnight + h * HOUR, 50, 100 + h)
            r.fill("o2", midnight + h * HOUR, 60, 12)
            r.stacks.close(0, midnight + h * HOUR)
            if restart:
                state = json.loads(json.dumps(r.stacks.snapshot()))
                r.stacks = Stacks(r.plant, r.sums)
                r.stacks.restore(state)
        days.append(r.stacks.close(0, midnight + 24 * HOUR))
    assert days[0] == days[1]
    assert days[0][-1].average == "1d"
    assert p.version == 1


def test_the_open_minute_counts_when_half_of_it_is_valid() -> None:
    """An excursion moves the hour as soon as 30 s of its minute are valid, to what the whole minute then gives."""
    r = rig(channels={"nox": {"unit": "mg/m3", "every_ms": 1000, "max_gap_ms": 1000}})
    r.push(*(("nox", T0 + s * 1000, 100 if s < 120 else 700) for s in range(180)))
    before, early, counts, whole = (r.stacks.blocks(T0 + 2 * MINUTE + s * 1000) for s in (0, 29, 30, 60))
    for average in ("1h", "1d"):
        assert pick(early, average).to_json(0, simulated=False) | {"last": 0} == (
            pick(before, average).to_json(0, simulated=False) | {"known_at": T0 + 149_000, "last": 0}
        )
    hours = [pick(e, "1h") for e in (early, counts, whole)]
    assert [(e.value, e.valid_minutes) for e in hours] == [(100.0, 2), (300.0, 3), (300.0, 3)]
    assert [e.elapsed_minutes for e in hours] == [2, 3, 3]
    assert [e.allowed_mean for e in hours] == [(320 * 60 - 200) / 58, (320 * 60 - 900) / 57, (320 * 60 - 900) / 57]
    reached = T0 + 3 * MINUTE + round(Fraction(320 * 60 - 900, 700) * MINUTE)
    assert [e.unavoidable_at for e in hours[1:]] == [reached] * 2
    days = [pick(e, "1d") for e in (counts, whole)]
    assert days[0].allowed_mean == days[1].allowed_mean
    assert days[0].valid_minutes == days[1].valid_minutes == 3


def test_the_last_minute_of_an_hour_while_it_is_open() -> None:
    """It counts too; the hour is then as it ends, its day does not lose it, and the closed one is no other."""
    r = rig(channels={"nox": {"unit": "mg/m3", "every_ms": 1000, "max_gap_ms": 1000}})
    start = at("2025-11-22T00:00+08:00")
    r.push(*(("nox", start + s * 1000, 60 if s < 59 * 60 else 660) for s in range(3600)))
    live = r.stacks.blocks(start + HOUR - 20_000)
    hour, day = pick(live, "1h"), pick(live, "1d")
    assert (hour.value, hour.valid_minutes, hour.allowed_mean) == (70.0, 60, None)
    assert day.valid_minutes == 60
    assert day.allowed_mean == pytest.approx((320 * 24 - 70) / 23)
    assert r.stacks.close(0, start + HOUR)[0].value == 70.0


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=4, max_size=12), st.integers(1, 20))
def test_whole_minutes_know_nothing_of_open_ones(values: list[int], period: int) -> None:
    """Whoever looked within the minutes before: at whole minutes and in closed blocks nothing is different."""
    channels = {"nox": {"unit": "mg/m3", "every_ms": 1000, "max_gap_ms": 25_000}}
    asked, quiet = rig(channels=channels), rig(channels=channels)
    for n, value in enumerate(values):
        reading = ("nox", T0 + n * period * 7000, value)
        asked.push(reading)
        quiet.push(reading)
        for second in range(0, period * 7, 5):
            asked.stacks.blocks(T0 + n * period * 7000 + second * 1000)
    end = T0 + (len(values) * period * 7000 // MINUTE + 1) * MINUTE
    assert asked.stacks.blocks(end) == quiet.stacks.blocks(end)
    assert asked.stacks.close(0, T0 + 24 * HOUR) == quiet.stacks.close(0, T0 + 24 * HOUR)
