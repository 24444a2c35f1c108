"""Every regime: finals know nothing of order, batches and restarts; quadrants, substitution, days by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plant import parse
from devices.plant.model import Plant, Substitution
from devices.readings import Readings
from scoring.engine import Engine
from scoring.restate import MemoryTold
from scoring.results import Emission
from scoring.stacks import quadrants
from scoring.stacks.days import DaySum, add
from scoring.stacks.limits import Regimes
from scoring.stacks.localtime import Block, Calendar
from scoring.stacks.minutes import Atom
from scoring.stacks.operating_days import newest
from scoring.stacks.substitution import substituted
from scoring.stacks.tally import Tally
from tests.scoring.stacks.plants import CHINA, HOUR, MINUTE, at

T0 = at("2025-11-30T20:00+01:00")  # a month ends within the readings
REGISTRY = """
[site.w]
enterprise = "a"
timezone = "Europe/Berlin"
[line.k]
site = "w"
area = "p"
running = {{ channel = "kiln.clinker", above = 1 }}
[meter.kiln]
line = "k"
every = "5min"
[meter.kiln.channels]
clinker = {{ unit = "t/h", kind = "rate", counts = "product:clinker" }}
[stack.s]
lines = ["k"]
regime = "r"
permit = {{ nox = "1 t" }}
substitution = {{ rule = "max", hours = 3 }}
[meter.gas]
stack = "s"
every = "5min"
[meter.gas.channels]
nox = {{ unit = "mg/m3", kind = "level", max_gap = "12min" }}
flow = {{ unit = "m3/h", kind = "level", state = "standard", water = "dry" }}
calibration = {{ unit = "1", kind = "level" }}
[regime.r]
{regime}
"""
REGIMES = {
    "eu": """
block = "30min"
confidence = { nox = "20 %" }
day_discarded = 40
limits = { nox = 100 }
averages = ["1d"]
""",
    "us": """
hour_rule = "quadrants"
per = "clinker"
limits = { nox = "1 lb/short-ton" }
averages = ["2-operating-days"]
""",
    "cn": """
day_valid = "2h"
month_share = "95 %"
limits = { nox = 100 }
averages = ["1h", "1mo"]
flags = { T = "valid" }
""",
}
PLANTS = {name: parse(REGISTRY.format(regime=text)) for name, text in REGIMES.items()}


def readings(plant: Plant, seed: int) -> list[tuple[int, int, int, int, str]]:
    """(channel, ts, value, rev, letter) of six hours across midnight, with gaps, flags, corrections, calibrations."""
    dice = random.Random(seed)
    rows = {c.name: c.index for c in plant.channels}
    found = []
    for i in range(72):
        ts = T0 + i * 5 * MINUTE + dice.randrange(60) * 1000
        if dice.random() < 0.9:
            found.append((rows["nox"], ts, dice.randrange(200) * 10**6, 0, dice.choice("NNNNNNNNCDTS")))
            if dice.random() < 0.1:
                found.append((rows["nox"], ts, dice.randrange(200) * 10**6, 1, dice.choice("NC")))
        if dice.random() < 0.95:
            found.append((rows["flow"], ts, dice.randrange(1, 9) * 10**9, 0, "N"))
        found.append((rows["clinker"], ts, (0 if 20 < i < 30 else 10) * 10**6, 0, "N"))
        if dice.random() < 0.05:
            found.append((rows["calibration"], ts, dice.randrange(2) * 10**6, 0, "N"))
    return found


def run(plant: Plant, rows: list[tuple[int, int, int, int, str]], cuts: list[int], *, restart: bool) -> list[Emission]:
    """The final emissions, pushed in these batches. Receive times are event times in the order given."""
    engine, found, told = Engine(plant, event_clock=True, steps=False), [], MemoryTold()
    for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        part = rows[start:stop]
        if part:
            channel, ts, value, rev, letter = zip(*part, strict=True)
            engine.push(Readings.of(channel, ts, value, rev=rev, letter=[ord(q) for q in letter]))
        found += told.settle(engine.advance()).emissions
        if restart:
            engine = Engine.restore(plant, engine.snapshot(), event_clock=True, steps=False)
    found += told.settle(engine.finish()).emissions
    return [replace(e, known_at=0, last=None) for e in found]


@pytest.mark.parametrize("regime", REGIMES)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(0, 200), max_size=5), restart=st.booleans())
def test_finals_know_no_order_no_batches_no_restart(regime: str, seed: int, cuts: list[int], restart: bool) -> None:
    """Shuffled within grace, cut anywhere, restarted: each block, day, month and rolling value is the same."""
    plant = PLANTS[regime]
    rows = readings(plant, seed)
    dice = random.Random(seed)
    late = sorted(rows, key=lambda row: row[1] + dice.randrange(14 * MINUTE))
    cuts = sorted(min(cut, len(rows)) for cut in cuts)
    assert sorted(map(str, run(plant, late, cuts, restart=restart))) == sorted(
        map(str, run(plant, rows, [], restart=False))
    )


def test_those_runs_hold_what_they_are_about() -> None:
    """The comparison above is of something: every average is there, some of each is valid, mass was substituted."""
    for regime, wanted in (
        ("eu", {"30min", "1d"}),
        ("us", {"1h", "1d", "2-operating-days"}),
        ("cn", {"1h", "1d", "1mo", "1mo-within"}),
    ):
        found = run(PLANTS[regime], readings(PLANTS[regime], 1), [], restart=False)
        assert {e.average for e in found} == wanted
        assert any(e.valid for e in found)
        assert any((e.extra.get("substituted_share") or 0) > 0 for e in found)


def atom(level: int | None, *, began: bool = True, running: bool = True, check: bool = False, verdict: int = 0) -> Atom:
    micro = None if level is None else level * 10**6
    return Atom(
        micro, None if micro else "lost", 60_000, ((0, 0),), False, running, None, None, False, began, check, verdict
    )


def hour(points: dict[int, int], **others: dict[int, Atom]) -> list[Atom]:
    made = [atom(points.get(m), began=m in points) for m in range(60)]
    for minute, one in others.get("others", {}).items():
        made[minute] = one
    return made


def test_a_late_reading_makes_the_next_minute_its_point() -> None:
    """A reading 40 s into its minute leaves that minute invalid and the next one held: one point, not two, not none."""
    minutes = hour({20: 110, 37: 130, 52: 160})
    minutes[7], minutes[8], minutes[9] = atom(None, began=True), atom(100, began=False), atom(100, began=False)
    made = quadrants.fold(minutes)
    assert (made.valid, made.mean(), made.verdict) == (4, Fraction(125), "")


def test_an_hour_in_one_quarter_with_calibration_needs_one_point() -> None:
    """40 CFR 60.13(h)(2)(iii)(B): the line ran in one quarter only."""
    minutes = [atom(100 if m == 5 else None, began=m == 5, running=m < 15, check=m == 2) for m in range(60)]
    assert (quadrants.fold(minutes).verdict, quadrants.fold(minutes).mean()) == ("", Fraction(100))


def test_half_of_the_limit_takes_the_flow_there_is() -> None:
    """60 minutes lost at 1,000 l a minute, limit 50: 60·25·1,000 µg; a block without gas takes the last one's."""
    rule = Substitution("half-limit")
    lost = Tally(minutes=60, running=60, gas=60_000, gas_minutes=60)
    assert substituted(rule, lost, [], Fraction(50), CHINA) == 60 * 25 * 1000
    bare = Tally(minutes=60, running=60)
    assert substituted(rule, bare, [bare, lost], Fraction(50), CHINA) == 60 * 25 * 1000
    assert substituted(rule, bare, [bare], Fraction(50), CHINA) == 0
    assert substituted(rule, lost, [], None, CHINA) == 0


def test_missing_minutes_of_a_valid_hour_take_its_own_rate() -> None:
    """50 of 60 minutes at 12 µg: ten more at 12, whatever the rule; a standing line misses nothing."""
    tally = Tally(micro=1, valid=50, minutes=60, running=60, mass=600, mass_minutes=50)
    for rule in (Substitution("last"), Substitution("max", 9), Substitution("half-limit")):
        assert substituted(rule, tally, [], Fraction(1), CHINA) == 120
    assert substituted(None, tally, [], Fraction(1), CHINA) == 0
    assert substituted(Substitution("last"), replace(tally, running=50), [], None, CHINA) == 0


def test_days_add_up_to_what_their_hours_are() -> None:
    """A sum of two days' sums is the sum of all their blocks; a block at the limit is within it."""
    force = Regimes([CHINA]).on(Calendar("UTC").local_date(1))
    blocks = [
        (Block(h * HOUR, (h + 1) * HOUR), Tally(micro=60 * m * 10**6, valid=60, minutes=60, running=60))
        for h, m in enumerate((320, 321, 100))
    ]
    whole = DaySum.of(force, "nox", blocks)
    assert (whole.blocks, whole.total, whole.within) == (3, Fraction(741), 2)
    parts = [DaySum.of(force, "nox", blocks[:1]), DaySum.of(force, "nox", blocks[1:])]
    assert add(parts) == whole
    assert DaySum.from_json(whole.to_json()) == whole


def stood_up(regime: str, rows: list[tuple[int, int]]) -> list[Emission]:
    """Closed blocks of a line that always runs: NOx at (minutes from the first of December, mg/m3), each 15 min."""
    text = REGISTRY.format(regime=regime).replace("running = ", "# running = ").replace('"5min"', '"15min"')
    plant = parse(text.replace('max_gap = "12min"', 'max_gap = "15min"'))
    nox, start = plant.channel("gas", "nox").index, at("2025-12-01T00:00+01:00")
    found = [(nox, start + minute * MINUTE, value * 10**6, 0, "N") for minute, value in rows]
    return run(plant, found, [], restart=False)


def test_discarded_half_hours_are_in_no_longer_average() -> None:
    """A day of half-hours at 100, the third of which was measured for 15 of its 30 minutes: 47 · 30 minutes count in
    the day, its month and two days in work, and 47.5 · 30 of 48 · 30 were measured.
    """
    regime = REGIMES["eu"].replace('["1d"]', '["1d", "1mo", "1-operating-days"]')
    found = stood_up(regime, [(m, 100) for m in range(0, 1440, 15) if m != 75])
    for average in ("1d", "1mo", "1-operating-days"):
        (one,) = [e for e in found if e.average == average and e.pollutant == "nox"]
        assert (one.valid_minutes, one.completeness) == (47 * 30, 47.5 / 48), average
        assert one.value == 80.0


def test_points_of_a_slow_analyser_are_complete() -> None:
    """One point in each quarter of an hour is all that the US rule asks for: hours, days and operating days alike."""
    regime = REGIMES["us"].replace("2-operating-days", "1-operating-days").replace('per = "clinker"\n', "")
    regime = regime.replace('"1 lb/short-ton"', "100").replace('days"]', 'days", "1mo"]')
    found = stood_up(regime, [(m, 60) for m in range(0, 1440, 15)])
    assert {e.average for e in found} == {"1h", "1d", "1-operating-days", "1mo"}
    assert {(e.average, e.completeness, e.quality) for e in found if e.completeness != 1.0} == set()


@pytest.mark.parametrize("after", [30, 60])
def test_a_stop_lasts_as_long_as_its_reading_holds(after: int) -> None:
    """Letter F (stopped) at minute 30 holds for 12 minutes; the 18 after it have nothing, whether the flow is read or
    not: 30 of 48 running minutes are valid.
    """
    plant = parse(REGISTRY.format(regime=REGIMES["cn"]).replace("running = ", "# running = "))
    nox, flow = (plant.channel("gas", name).index for name in ("nox", "flow"))
    start = at("2025-12-01T00:00+01:00")
    rows = [(nox, start + m * MINUTE, 50 * 10**6, 0, "F" if m == 30 else "N") for m in range(0, 31, 5)]
    rows += [(flow, start + m * MINUTE, 10**9, 0, "N") for m in range(0, after, 5)]
    found = run(plant, sorted(rows, key=lambda row: row[1]), [], restart=False)
    (hour,) = [e for e in found if (e.average, e.ts) == ("1h", start)]
    assert (hour.valid_minutes, hour.completeness) == (30, 30 / 48)


@pytest.mark.parametrize("day", [30, 31])
def test_a_file_that_ends_in_a_month_tells_it(day: int) -> None:
    """At noon of the last day of a month as at noon of the day before: its month is told, once."""
    plant = parse(REGISTRY.format(regime=REGIMES["cn"]).replace("running = ", "# running = "))
    nox, start = plant.channel("gas", "nox").index, at(f"2025-12-{day}T00:00+01:00")
    found = run(plant, [(nox, start + m * MINUTE, 50 * 10**6, 0, "N") for m in range(0, 720, 5)], [], restart=False)
    (month,) = [e for e in found if e.average == "1mo"]
    assert (month.ts, month.value, month.valid_minutes) == (
        at("2025-12-01T00:00+01:00"),
        50.0,
        727,
    )  # the last one holds for 12 min


def test_operating_days_pass_over_those_without_operation() -> None:
    """The newest two of four, one of which stood still."""
    days = {d: DaySum(operated=int(d != 3)) for d in (1, 2, 3, 4)}
    assert list(newest(days, 2)) == [2, 4]
    assert list(newest(days, 0)) == []


@pytest.mark.parametrize(
    ("ts", "length", "start", "end"),
    [
        ("2025-11-22T10:30+01:00", 30, "2025-11-22T10:00+01:00", "2025-11-22T10:30+01:00"),
        ("2025-11-22T10:30:01+01:00", 30, "2025-11-22T10:30+01:00", "2025-11-22T11:00+01:00"),
        ("2025-11-22T10:30+01:00", 60, "2025-11-22T10:00+01:00", "2025-11-22T11:00+01:00"),
    ],
)
def test_half_hours(ts: str, length: int, start: str, end: str) -> None:
    """(start, end]: the half-hour itself belongs to the block that it ends."""
    block = Calendar("Europe/Berlin").block(at(ts), length * MINUTE)
    assert (block.start, block.end) == (at(start), at(end))


def test_months_and_years_are_local() -> None:
    """The last midnight of a month belongs to it; March has an hour less in Berlin."""
    calendar = Calendar("Europe/Berlin")
    march = calendar.month(at("2026-04-01T00:00+02:00"))
    assert (march.start, march.end) == (at("2026-03-01T00:00+01:00"), at("2026-04-01T00:00+02:00"))
    assert march.minutes == 31 * 1440 - 60
    assert calendar.new_year(at("2026-01-01T00:00+01:00")) == at("2025-01-01T00:00+01:00")


ALARMS = """
[[alarm]]
id = "{name}"
on = {{ stack = "s", pollutant = "nox", average = "{average}"{watch} }}
limit = {{ at = {at} }}
"""


def test_alarms_on_any_average_and_on_the_budget() -> None:
    """One average, four alarms: its value, its budget, the minutes left. 10 min at 70, then 170 of a half-hour's 100.

    20 come off: 50, then 150. Σ = 500 + 150·(m − 10): Σ/m passes 70 with minute 13 (which counts from 12:30 on), the
    rest may average (3000 − 2150)/9 + 20 = 114 with minute 21, 120 before it; Σ reaches 100·30 at 26:40.
    """
    rules = [("high", "30min", "", 70), ("tight", "30min", ', watch = "allowed_mean"', 118)]
    rules += [("soon", "30min", ', watch = "minutes_left"', 10), ("sure", "30min", ', watch = "minutes_left"', 0)]
    alarms = "".join(ALARMS.format(name=n, average=a, watch=w, at=at) for n, a, w, at in rules)
    text = REGISTRY.format(regime=REGIMES["eu"].replace("{ nox = 100 }", '{ nox = 100, "30min" = { nox = 100 } }'))
    plant = parse(text.replace("running = ", "# running = ") + alarms)
    start, nox = at("2025-12-01T10:00+01:00"), plant.channel("gas", "nox").index
    engine, times = Engine(plant, event_clock=True), range(0, 1800, 5)
    engine.push(
        Readings.of([nox] * 360, [start + s * 1000 for s in times], [(70, 170)[s >= 600] * 10**6 for s in times])
    )
    seen = [(e.alarm.id, e.ts - start) for e in engine.finish().alarms if e.event == "trip"]
    assert [name for name, _ in seen] == ["high", "soon", "tight", "sure"]
    when = dict(seen)
    for name, seconds in (
        ("high", 12 * 60 + 30),
        ("soon", 16 * 60 + 40),
        ("tight", 20 * 60 + 30),
        ("sure", 26 * 60 + 40),
    ):
        assert when[name] == pytest.approx(seconds * 1000, abs=5000), name
