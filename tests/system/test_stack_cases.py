"""Stacks under every regime, from outside: registries and readings as a user writes them, through `greengauge replay`.

Every expected value is derived by hand in its test's docstring.
"""

from __future__ import annotations

import random
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest

from tests.system.test_replay_cases import DRY, MG, MIN, O2, PPM, Bench, Row, T, bench, one

__all__ = ["bench"]  # the fixture

HOUR = 60 * MIN
DAY = 24 * HOUR


def plant(
    regime: str, channels: dict[str, str], *, zone: str = "UTC", stack: str = "", more: str = "", line: str = ""
) -> str:
    """One stack `tall` under regime `mine`, one meter `gas` that reports every minute."""
    rows = "".join(f"{name} = {channel}\n" for name, channel in channels.items())
    return (
        f'[site.works]\nenterprise = "acme"\ntimezone = "{zone}"\n[line.k]\nsite = "works"\narea = "hall"\n{line}\n'
        f'[stack.tall]\nlines = ["k"]\nregime = "mine"\n{stack}\n[regime.mine]\n{regime}\n'
        f'[meter.gas]\nstack = "tall"\nevery = "1min"\n[meter.gas.channels]\n{rows}{more}'
    )


def held(minutes: int, unit: str = "mg/m3") -> str:
    """A standard dry concentration whose readings hold for so long."""
    return f'{{ unit = "{unit}", kind = "level", water = "dry", state = "standard", max_gap = "{minutes}min" }}'


def steps(levels: list[Any], every: int, start: int = T, name: str = "nox", meter: str = "gas") -> list[Row]:
    """One reading at the start of each stretch; None: none."""
    return [(start + i * every, meter, name, v) for i, v in enumerate(levels) if v is not None]


def replay(bench: Bench, text: str, rows: list[Row], *flags: str) -> list[dict[str, Any]]:
    """The emissions alone."""
    return [thing for thing in bench.replay(text, rows, *flags) if "pollutant" in thing]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


# --- the EU ----------------------------------------------------------------------------------------

EU = """
block = "30min"
confidence = { nox = "20 %" }
day_discarded = 5
year_discarded = 10
limits = { nox = 500 }
averages = ["1d"]
"""
CASE_6 = [580] * 24 + [640] * 18 + [60] * 4


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("seed", [1, 2])
def test_case_6(bench: Bench, zone: str, seed: int) -> None:
    """24×580, 18×640, 4×60, two lost, in any order: (24·480 + 18·540 + 4·0)/46 = 21,240/46 = 461.7391.

    20 % of 500 is 100: 580 → 480, 640 → 540, 60 → 0 (not −40).
    """
    levels: list[Any] = [*CASE_6, None, None]
    random.Random(seed).shuffle(levels)
    midnight = ms("2025-11-22T00:00+01:00") if zone == "Europe/Berlin" else T
    things = replay(bench, plant(EU, {"nox": held(30)}, zone=zone), steps(levels, 30 * MIN, midnight))
    day = one(things, average="1d", ts=midnight)
    assert day["value"] == pytest.approx(461.7391, abs=5e-5)
    assert (day["valid"], day["discarded"], day["discarded_days"], day["lifecycle"]) == (True, 2, 0, "final")
    assert day["headroom"] == pytest.approx(500 - 461.7391, abs=5e-5)
    halves = [t for t in things if t["average"] == "30min"]
    assert len(halves) == 48
    shown = {None: None, 580: 480.0, 640: 540.0, 60: 0.0}
    assert [t["value"] for t in halves] == [shown[level] for level in levels]
    assert [t["measured"] for t in halves] == levels
    assert not [t for t in things if t["average"] == "1h"]


def test_case_6_six_discarded(bench: Bench) -> None:
    """One half-hour more than five: the day is invalid and says so; with five it is not."""
    for lost, valid in ((6, False), (5, True)):
        levels: list[Any] = [600] * (48 - lost) + [None] * lost
        day = one(
            replay(bench, plant(EU, {"nox": held(30)}), [*steps(levels, 30 * MIN), *_next_day()]), average="1d", ts=T
        )
        assert (day["valid"], day["discarded"]) == (valid, lost)
        assert day["value"] == (500.0 if valid else None)
        assert valid or "6 half-hours are discarded, 5 may be" in day["reason"]


def test_a_breach_of_the_day_stays_unavoidable(bench: Bench) -> None:
    """47 half-hours at 611 − 100 = 511: Σ = 24,017, above 48 · 500 = 24,000 from the last of them on, whatever comes: a
    half-hour counts as not below 0, so zeros in the open one give nothing back. Σ reaches 24,000 in the 47th
    half-hour, at (24,000 − 46 · 511)/511 = 494/511 of it; the day is 24,017/48 = 500.3542.
    """
    levels: list[Any] = [611] * 47 * 3 + [0] * 4
    things = replay(bench, plant(EU, {"nox": held(30)}), steps(levels, 10 * MIN), "--every", "10min")
    days = [t for t in things if t["average"] == "1d"]
    late = [t for t in days if 47 * 30 <= t["elapsed_minutes"] < 24 * 60 and t["lifecycle"] == "live"]
    assert len(late) == 3
    moment = T + 46 * 30 * MIN + round(Fraction(494, 511) * 30 * MIN)
    assert [t["unavoidable_at"] for t in late] == [moment] * 3
    # 17 too much over the 1, 2/3, 1/3 half-hours that are left
    assert [t["allowed_mean"] for t in late] == [pytest.approx(-17), pytest.approx(-25.5), pytest.approx(-51)]
    assert one(days, lifecycle="final", ts=T)["value"] == pytest.approx(24_017 / 48)


def test_what_an_open_half_hour_takes_up(bench: Bench) -> None:
    """46 half-hours at 600 − 100 = 500, then zeros for ten minutes of the 47th: Σ = 23,000 of 24,000. With x in what is
    left, the 47th comes to (2/3)·x − 100 where that is above 0, the 48th to x − 100: 5/3·x = 1,200, x = 720.
    """
    rows = steps([600] * 46 * 3 + [0] * 3, 10 * MIN)
    things = replay(bench, plant(EU, {"nox": held(30)}), rows, "--every", "10min")
    day = one([t for t in things if t["average"] == "1d"], elapsed_minutes=46 * 30 + 10, lifecycle="live")
    assert day["allowed_mean"] == pytest.approx(720)
    assert day["unavoidable_at"] is None


def test_an_hour_of_half_hours_stands_in(bench: Bench) -> None:
    """`max` over one hour looks back at two half-hours: 5 kg, then 2.5 kg, then none measured: 5 kg stand in."""
    flow = '{ unit = "m3/h", kind = "level", water = "dry", state = "standard", max_gap = "30min" }'
    text = plant(EU, {"nox": held(30), "flow": flow}, stack='substitution = { rule = "max", hours = 1 }')
    rows = [*steps([100, 50], 30 * MIN), *steps([100_000] * 3, 30 * MIN, name="flow"), *_next_day()]
    halves = [t for t in replay(bench, text, rows, "--final") if t["average"] == "30min"]
    assert [t["mass"] for t in halves[:3]] == [pytest.approx(5.0), pytest.approx(2.5), pytest.approx(5.0)]
    assert halves[2]["substituted_share"] == 1.0


def test_an_emission_waits_for_its_oxygen(bench: Bench) -> None:
    """NOx each minute, oxygen silent for three of its minutes: stale, though its last value still counts."""
    oxygen = '{ unit = "%", kind = "level", water = "dry", max_gap = "1h" }'
    text = plant("o2_ref = 10\nlimits = { nox = 400 }", {"nox": held(1), "o2": oxygen})
    rows = sorted([*steps([280] * 10, MIN), *steps([13] * 5, MIN, name="o2")])
    things = [t for t in replay(bench, text, rows, "--every", "1min") if t["average"] == "1min" and t["ts"] > T]
    stale = {(t["ts"] - T) // MIN: (t["stale"], t["value"]) for t in things if t["lifecycle"] == "live"}
    assert {m: s for m, (s, _) in stale.items()} == {m: m >= 4 + 3 for m in stale}
    assert {v for _, v in stale.values()} == {385.0}


@pytest.mark.parametrize("flags", [("--final",), ("--every", "24h")])
def test_a_discarded_half_hour_is_in_no_number_of_its_day(bench: Bench, flags: tuple[str, ...]) -> None:
    """Of 48 half-hours at 200 two have only ten minutes, at 900: 46 · 30 minutes are valid, raw mean and value are
    those of the 46 (200 − 100). Measured was 46 · 30 + 2 · 10 of 1,440: the completeness.
    """
    lost = (5, 20)
    rows = [
        (T + i * 30 * MIN + m * MIN, "gas", "nox", 900 if i in lost else 200)
        for i in range(48)
        for m in range(10 if i in lost else 30)
    ]
    things = replay(bench, plant(EU, {"nox": held(1)}), [*rows, *_next_day()], *flags)
    for day in (t for t in things if (t["average"], t["ts"]) == ("1d", T) and t["elapsed_minutes"] == 1440):
        assert (day["value"], day["raw"], day["valid_minutes"], day["discarded"]) == (100.0, 200.0, 1380, 2)
        assert day["completeness"] == pytest.approx(1400 / 1440)
    assert any(t["average"] == "1d" and t["lifecycle"] == "final" and t["ts"] == T for t in things)


@pytest.mark.parametrize(("stands", "discarded"), [(True, 0), (False, 16)])
def test_before_the_first_reading(bench: Bench, stands: bool, discarded: int) -> None:
    """The analyser's first reading comes at 08:10. What it missed before is lost only if the kiln may have run: where
    the kiln is known to stand until 08:00, no half-hour is discarded; where nobody says so, 16 are, and that is one
    day too many.
    """
    kiln = [(T, "kiln", "clinker", 0), (T + 8 * HOUR, "kiln", "clinker", 200)]
    rows = steps([200] * (16 * 60 - 10), MIN, T + 8 * HOUR + 10 * MIN)
    text = plant(EU, {"nox": held(1)}, more=KILN, line=RUNS)
    things = replay(bench, text, sorted([*(kiln if stands else kiln[1:]), *rows, *_next_day()]))
    day = one(things, average="1d", ts=T)
    assert (day["discarded"], day["valid"], day["discarded_days"]) == (discarded, stands, int(not stands))
    assert day["completeness"] == pytest.approx(950 / (960 if stands else 1440))
    first = one(things, average="30min", ts=T + 8 * HOUR)
    assert (first["valid_minutes"], first["valid"], first["value"]) == (20, True, 100.0)


def _next_day() -> list[Row]:
    return [(T + DAY + MIN, "gas", "nox", 100)]


def test_eleven_discarded_days(bench: Bench) -> None:
    """Ten days a year may be discarded: the eleventh says that it is one too many. A new year counts from 1."""
    start = T - 8 * DAY  # 2025-12-24: eight days of 2025, then 2026
    levels: list[Any] = ([600] * 40 + [None] * 8) * 20
    things = replay(bench, plant(EU, {"nox": held(30)}), steps(levels, 30 * MIN, start))
    days = [t for t in things if t["average"] == "1d"]
    assert [t["discarded_days"] for t in days] == [*range(1, 9), *range(1, 13)]
    said = ["may be" in t["reason"] and "of this year" in t["reason"] for t in days]
    assert said == [False] * 18 + [True] * 2


def test_the_flags_of_hj_212(bench: Bench) -> None:
    """A half-hour flagged D, C or M is discarded and says why; one flagged S counts, unless the regime says no."""
    rows = [(*row, "", "", q) for row, q in zip(steps([100] * 6, 30 * MIN), "NDCMSN", strict=True)]
    things = replay(bench, plant(EU, {"nox": held(30)}), rows)
    halves = [one(things, average="30min", ts=T + i * 30 * MIN) for i in range(6)]
    assert [t["valid"] for t in halves] == [True, False, False, False, True, True]
    for at, words in ((1, "flag D: fault"), (2, "flag C: calibration"), (3, "flag M: maintenance")):
        assert words in halves[at]["reason"]
    strict = plant(EU + 'flags = { S = "maintenance", D = "valid" }\n', {"nox": held(30)})
    halves = [one(replay(bench, strict, rows), average="30min", ts=T + i * 30 * MIN) for i in range(6)]
    assert [t["valid"] for t in halves] == [True, True, False, False, False, True]


def test_a_stopped_kiln_discards_nothing(bench: Bench) -> None:
    """The line stands for 8 h: 32 half-hours of operation, none discarded, the day's mean is theirs (600 − 100)."""
    line = 'running = { channel = "kiln.feed", above = 50 }\n'
    feed = 'feed = { unit = "t/h", kind = "rate", max_gap = "30min" }'
    more = f'[meter.kiln]\nline = "k"\nevery = "1min"\n[meter.kiln.channels]\n{feed}\n'
    rows = steps([600] * 32 + [None] * 16, 30 * MIN) + steps([300] * 32 + [0] * 16, 30 * MIN, name="feed", meter="kiln")
    day = one(replay(bench, plant(EU, {"nox": held(30)}, line=line, more=more), sorted(rows)), average="1d", ts=T)
    assert (day["value"], day["valid"], day["discarded"], day["completeness"]) == (500.0, True, 0, 1.0)


def test_the_budget_of_a_half_hour_and_of_a_day(bench: Bench) -> None:
    """10 minutes at 1,300 of a half-hour limited to 1,000: 100 come off, (1000·30 − 10·1200)/20 = 900, measured 1,000.

    At 1,300 it is unavoidable when m·1200 = 30,000: minute 25. The day: (500·48 − 1200·⅓)/(47⅔) + 100.
    """
    regime = EU.replace("{ nox = 500 }", '{ nox = 500, "30min" = { nox = 1000 } }')
    things = replay(bench, plant(regime, {"nox": held(1)}), steps([1300] * 11, MIN), "--every", "10min")
    live = [t for t in things if t["lifecycle"] == "live" and t["valid_minutes"] == 10]
    half, day = one(live, average="30min"), one(live, average="1d")
    assert half["limit"] == 1000.0
    assert half["allowed_mean"] == pytest.approx(1000)
    assert half["unavoidable_at"] == T + 25 * MIN
    assert day["allowed_mean"] == pytest.approx((500 * 48 - 400) / (47 + 2 / 3) + 100)


# --- the US ----------------------------------------------------------------------------------------

US = """
base = 20.9
standard = "293.15 K"
molar_litres = 24.055
hour_rule = "quadrants"
limits = { nox = 100 }
averages = ["1h"]
"""
POINTS = {7: 100, 22: 110, 37: 130, 52: 160}
RESULT = '{ unit = "1", kind = "level", max_gap = "1min" }'


def us_hour(
    bench: Bench, points: dict[int, int], *, gap: int, calibrations: str = "", letters: str = ""
) -> dict[str, Any]:
    """The hour of these points; `calibrations` like "5:0, 30:1", `letters` like "12:C"."""
    rows: list[Row] = [(T + m * MIN, "gas", "nox", v, "", "", "") for m, v in points.items()]
    for part in filter(None, calibrations.split(", ")):
        minute, passed = part.split(":")
        rows.append((T + int(minute) * MIN, "gas", "calibration", passed, "", "", ""))
    for part in filter(None, letters.split(", ")):
        minute, q = part.split(":")
        rows.append((T + int(minute) * MIN, "gas", "nox", 999, "", "", q))
    text = plant(US, {"nox": held(gap), "calibration": RESULT})
    return one(replay(bench, text, sorted(rows), "--final"), average="1h", ts=T)


@pytest.mark.parametrize("gap", [1, 3, 45])
def test_example_12(bench: Bench, gap: int) -> None:
    """A point in each quarter: (100 + 110 + 130 + 160)/4 = 125, however long a value is held; without :22 invalid."""
    hour = us_hour(bench, POINTS, gap=gap)
    assert (hour["value"], hour["valid"], hour["completeness"]) == (125.0, True, 1.0)
    hour = us_hour(bench, {m: v for m, v in POINTS.items() if m != 22}, gap=gap)
    assert (hour["value"], hour["valid"]) == (None, False)
    assert "quarter 2" in hour["reason"]


@pytest.mark.parametrize("gap", [1, 10])
@pytest.mark.parametrize(
    ("calibrations", "value"),
    [
        ("5:0, 30:1", 145.0),
        ("5:0, 50:1", None),
        ("5:0", None),
        ("5:1", 125.0),
        ("2:0, 5:1", 125.0),
        ("5:1, 55:0", None),
    ],
)
def test_example_13(bench: Bench, gap: int, calibrations: str, value: float | None) -> None:
    """Fails :05, passes :30: (130 + 160)/2 = 145. Passes :50: one point is left. Never: none counts.

    A pass alone takes nothing away; a failure is over when one passes before the first point; one at the end voids all.
    """
    hour = us_hour(bench, POINTS, gap=gap, calibrations=calibrations)
    assert (hour["value"], hour["valid"]) == (value, value is not None)


def test_an_hour_with_calibration_needs_two_points(bench: Bench) -> None:
    """Flagged C at :30, points :07 and :22 are 15 min apart: 105. At :07 and :21 they are not; the 999 never counts."""
    hour = us_hour(bench, {7: 100, 22: 110}, gap=1, letters="30:C")
    assert (hour["value"], hour["valid"]) == (105.0, True)
    hour = us_hour(bench, {7: 100, 21: 110}, gap=1, letters="30:C")
    assert (hour["value"], hour["valid"]) == (None, False)
    assert "15 min apart" in hour["reason"]


KILN = """
[meter.kiln]
line = "k"
every = "1min"
[meter.kiln.channels]
clinker = { unit = "short-ton/h", kind = "rate", counts = "product:clinker", max_gap = "24h" }
"""
RUNS = 'running = { channel = "kiln.clinker", above = 1 }\n'


def test_a_partial_hour(bench: Bench) -> None:
    """The kiln stops at :30: a point in each of the two quarters in which it ran makes the hour, (100 + 110)/2."""
    ran = [(T, "kiln", "clinker", 200), (T + 30 * MIN, "kiln", "clinker", 0)]
    rows = [*steps([100, 110], 15 * MIN, T + 7 * MIN), *ran]
    hour = one(replay(bench, plant(US, {"nox": held(1)}, more=KILN, line=RUNS), sorted(rows)), average="1h", ts=T)
    assert (hour["value"], hour["valid"]) == (105.0, True)
    still = [(T, "kiln", "clinker", 200), *rows[:2]]
    hour = one(replay(bench, plant(US, {"nox": held(1)}, more=KILN, line=RUNS), sorted(still)), average="1h", ts=T)
    assert hour["valid"] is False


@pytest.mark.parametrize(
    ("keys", "o2", "value"),
    [
        ("base = 21", "20", 90 * 11.0),
        ("base = 21", "20.001", None),
        ("base = 20.9", "19.9", 90 * 10.9),
        ("base = 20.9", "19.95", None),
        ("base = 21\no2_max = 20.5", "20.5", 90 * 22.0),
        ("base = 21\no2_max = 20.5", "20.6", None),
    ],
)
def test_oxygen_near_air(bench: Bench, keys: str, o2: str, value: float | None) -> None:
    """domain.md §4, "guard O2 → 21": 90 · (21 − 10) / (21 − 20) is the most that a regime without `o2_max` corrects
    to; nearer to air than 1 % the minutes are invalid and say why.
    """
    rows = [row for i in range(60) for row in ((T + i * MIN, "gas", "nox", 90), (T + i * MIN, "gas", "o2", o2))]
    regime = f'{keys}\no2_ref = 10\nlimits = {{ nox = 100 }}\naverages = ["1h"]\n'
    found = one(replay(bench, plant(regime, {"nox": MG, "o2": O2}), rows), average="1h", ts=T)
    assert found["value"] == (None if value is None else pytest.approx(value, rel=1e-9))
    assert (found["reason"] is None) == (value is not None)
    if value is None:
        assert "60 without: oxygen is above" in found["reason"]


@pytest.mark.parametrize(("o2", "reference", "value"), [("6.5", 5, 88.3333), ("6.5", 8, 71.6667)])
def test_example_3(bench: Bench, o2: str, reference: int, value: float) -> None:
    """80 at 6.5 % O2, base 20.9: 80·15.9/14.4 = 88.33 at 5 %, 80·12.9/14.4 = 71.67 at 8 %; `never_down` leaves 80."""
    rows = [row for i in range(60) for row in ((T + i * MIN, "gas", "nox", 80), (T + i * MIN, "gas", "o2", o2))]
    regime = f'base = 20.9\no2_ref = {reference}\nlimits = {{ nox = 100 }}\naverages = ["1h"]\n'
    for extra, expected in (("", value), ("never_down = true\n", max(value, 80.0))):
        found = one(replay(bench, plant(regime + extra, {"nox": MG, "o2": O2}), rows), average="1h", ts=T)
        assert found["value"] == pytest.approx(expected, abs=5e-5)


def test_ppm_at_20_degrees(bench: Bench) -> None:
    """HCl at 3 ppm under the US frame is at its limit of 3 ppm: 3·36.461/24.055 = 4.54720 mg/m3, headroom 0."""
    regime = US.replace("{ nox = 100 }", '{ hcl = "3 ppm" }')
    things = replay(bench, plant(regime, {"hcl": PPM}), steps([3] * 60, MIN, name="hcl"))
    hour = one(things, average="1h", ts=T)
    assert hour["value"] == pytest.approx(4.5472043, abs=1e-6)
    assert hour["headroom"] == pytest.approx(0, abs=1e-6)


FLOW = '{ unit = "m3/h", kind = "level", state = "standard", water = "dry", max_gap = "30min" }'


def test_pounds_per_ton_over_operating_days(bench: Bench) -> None:
    """Three days run, the kiln stands on the second of four: operating days are not wall time.

    12 mg/m3 × 400,000 m3/h = 4.8 kg/h = 10.58219 lb/h; at 150 short tons an hour 0.0705479 lb/short-ton. On the last
    day 6 mg/m3: (2 × 0.0705479 + 0.0352740)/3 = 0.0587899, as much is made each day. Two days alone close nothing.
    """
    regime = US.replace("{ nox = 100 }", '{ pm = "0.07 lb/short-ton" }').replace('"1h"', '"3-operating-days"')
    regime += 'per = "clinker"\n'
    rows: list[Row] = []
    for quarter in range(4 * 24 * 4):
        ts, day = T + quarter * 15 * MIN, quarter // 96
        rows.append((ts, "kiln", "clinker", 0 if day == 1 else 150))
        if day != 1:
            rows += [(ts, "gas", "pm", 6 if day == 3 else 12), (ts, "gas", "flow", 400_000)]
    text = plant(regime, {"pm": held(15), "flow": FLOW}, more=KILN.replace("24h", "15min"), line=RUNS)
    things = [t for t in replay(bench, text, rows) if t["average"] == "3-operating-days"]
    assert [t["ts"] for t in things] == [T, T + 2 * DAY, T + 3 * DAY]
    assert [t["value"] for t in things[:2]] == [None, None]
    assert "2 operating days so far of 3" in things[1]["reason"]
    last = things[-1]
    assert (last["unit"], last["limit"], last["valid"], last["lifecycle"]) == ("lb/short-ton", 0.07, True, "final")
    one_day = 12 * 400_000 / 1e6 / 0.45359237 / 150
    assert last["value"] == pytest.approx((2 * one_day + one_day / 2) / 3, rel=1e-9)
    assert last["headroom"] == pytest.approx(0.07 - last["value"])


def test_the_budget_of_pounds_per_ton(bench: Bench) -> None:
    """Limit 0.07 over two days, all at 0.0705479: after 30 of 48 h the rest may be (48·0.07 − 30·0.0705479)/18.

    As much is made every hour, so Σ reaches 48·0.07 after 3.36/0.0705479 = 47.627 h.
    """
    regime = US.replace("{ nox = 100 }", '{ pm = "0.07 lb/short-ton" }').replace('"1h"', '"2-operating-days"')
    rows: list[Row] = []
    for quarter in range(30 * 4 + 1):
        ts = T + quarter * 15 * MIN
        rows += [(ts, "gas", "flow", 400_000), (ts, "gas", "pm", 12), (ts, "kiln", "clinker", 150)]
    channels = {"pm": held(15), "flow": FLOW}
    text = plant(regime + 'per = "clinker"\n', channels, more=KILN.replace("24h", "15min"), line=RUNS)
    things = replay(bench, text, rows, "--every", "6h")
    found = one(things, average="2-operating-days", ts=T + DAY, lifecycle="live")
    rate = 12 * 400_000 / 1e6 / 0.45359237 / 150
    assert found["allowed_mean"] == pytest.approx((48 * 0.07 - 30 * rate) / 18)
    assert found["unavoidable_at"] == pytest.approx(T + 48 * 0.07 / rate * HOUR, abs=2)


def test_the_budget_of_rolling_operating_days(bench: Bench) -> None:
    """Limit 100 over two operating days: yesterday 24 h at 120, today 6 h at 90: (100·48 − 24·120 − 6·90)/18 = 76.667.

    At 90 Σ reaches 4,800 after (4800 − 2880)/90 = 21⅓ h of today: no minute of return after 21:20.
    """
    regime = US.replace('"1h"', '"2-operating-days"').replace('hour_rule = "quadrants"\n', "")
    rows = steps([120] * 48 + [90] * 13, 30 * MIN)
    things = replay(bench, plant(regime, {"nox": held(30)}), rows, "--every", "6h")
    found = one(things, average="2-operating-days", ts=T + DAY, lifecycle="live")
    assert found["operating_days"] == 2
    assert found["value"] == pytest.approx((24 * 120 + 6 * 90) / 30)
    assert found["allowed_mean"] == pytest.approx(1380 / 18)
    assert found["unavoidable_at"] == T + DAY + 21 * HOUR + 20 * MIN


# --- China -----------------------------------------------------------------------------------------

CN = """
hour_valid = "45min"
day_valid = "20h"
month_share = "95 %"
limits = { nox = 50 }
averages = ["1h"]
"""


def test_a_month_of_hours(bench: Bench) -> None:
    """February 2026, Shanghai: 672 hours, 33 over 50, 2 lost: 637/670 within = 95.0746 %; 5 % of 670 is 33.5."""
    start = ms("2026-02-01T00:00+08:00")
    levels: list[Any] = [40] * 672
    for i in range(33):
        levels[i * 20 + 3] = 62
    levels[5] = levels[500] = None
    rows = [(ts + k * 30 * MIN, *rest) for ts, *rest in steps(levels, HOUR, start) for k in (0, 1)]
    things = replay(bench, plant(CN, {"nox": held(30)}, zone="Asia/Shanghai"), rows)
    share = one(things, average="1mo-within", ts=start)
    assert share["value"] == pytest.approx(100 * 637 / 670)
    assert (share["unit"], share["limit"], share["valid"], share["lifecycle"]) == ("%", 95.0, True, "final")
    assert share["headroom"] == pytest.approx(100 * 637 / 670 - 95)
    assert (share["hours"], share["hours_over"], share["hours_over_left"]) == (670, 33, 0)
    month = one(things, average="1mo", ts=start)
    assert month["value"] == pytest.approx((637 * 40 + 33 * 62) / 670)
    assert month["block_minutes"] == 28 * 24 * 60


def test_a_month_in_work(bench: Bench) -> None:
    """After 30 h of which 4 were over, with 5 % of 672 h = 33.6 allowed: 29 may still be over."""
    start = ms("2026-02-01T00:00+08:00")
    rows = steps([62] * 8 + [40] * 53, 30 * MIN, start)
    things = replay(bench, plant(CN, {"nox": held(30)}, zone="Asia/Shanghai"), rows, "--every", "30h")
    asked = [t for t in things if t["average"] == "1mo-within" and t["lifecycle"] == "live" and t["hours"] == 30]
    assert asked
    assert (asked[0]["hours_over"], asked[0]["hours_over_left"]) == (4, 29)


def test_limits_for_each_average(bench: Bench) -> None:
    """One limit for hours, another for days: each object has its own, an average without one has none."""
    regime = CN.replace("{ nox = 50 }", '{ so2 = 35, "1h" = { nox = 50 }, "1d" = { nox = 40 } }')
    rows = sorted(steps([45] * 48, 30 * MIN) + steps([20] * 48, 30 * MIN, name="so2"))
    things = replay(bench, plant(regime, {"nox": held(30), "so2": held(30)}), rows)
    found = {(t["pollutant"], t["average"]): (t["limit"], t["headroom"]) for t in things}
    assert found["nox", "1h"] == (50.0, 5.0)
    assert found["nox", "1d"] == (40.0, -5.0)
    assert found["so2", "1h"] == (35.0, 15.0)
    assert found["so2", "1d"] == (None, None)


# --- mass ------------------------------------------------------------------------------------------

HOT_FLOW = {
    "nox": '{ unit = "mg/m3", state = "hot", water = "wet", kind = "level", max_gap = "30min" }',
    "o2": f'{{ unit = "%", {DRY}, max_gap = "30min" }}',
    "moisture": '{ unit = "%", kind = "level", max_gap = "30min" }',
    "temp": '{ unit = "degC", kind = "level", max_gap = "30min" }',
    "pressure": '{ unit = "kPa", kind = "level", max_gap = "30min" }',
    "flow": '{ unit = "m3/h", kind = "level", state = "hot", water = "wet", max_gap = "30min" }',
}
HOT_IS = {"nox": 50, "o2": 13, "moisture": 10, "temp": 137, "pressure": 100, "flow": 600_000}


@pytest.mark.parametrize("standard", ["273 K", "293.15 K"])
def test_mass_knows_no_oxygen_and_no_standard(bench: Bench, standard: str) -> None:
    """50 mg in each of 600,000 hot wet m3/h are 30 kg/h, whatever the standard state and the O2 reference.

    A day is 720 kg: 0.6 % of a permit of 120 t. The concentration is corrected: ×8/(21 − 13) at 10 % and more.
    """
    rows = [(T + i * 30 * MIN, "gas", name, v) for i in range(48) for name, v in HOT_IS.items()]
    regime = f'o2_ref = 10\nstandard = "{standard}"\n{CN}'
    things = replay(bench, plant(regime, HOT_FLOW, stack='permit = { nox = "120 t" }'), rows)
    hour, day = one(things, average="1h", ts=T), one(things, average="1d", ts=T)
    assert hour["mass"] == pytest.approx(30, rel=1e-7)
    assert (hour["substituted_share"], hour["measured_minutes"]) == (0.0, 60)
    assert day["mass"] == pytest.approx(720, rel=1e-7)
    assert day["permit_share"] == pytest.approx(720 / 120_000, rel=1e-7)
    kelvin, zero = {"273 K": (273, 273), "293.15 K": (293.15, 273.15)}[standard]
    dry = 50 * 101.325 / 100 * (zero + 137) / kelvin / 0.9
    assert hour["value"] == pytest.approx(dry * 11 / 8, rel=1e-7)


@pytest.mark.parametrize(
    ("rule", "lost"),
    [('rule = "last"', 20.0), ('rule = "max", hours = 2', 40.0), ('rule = "half-limit"', 2.5), (None, 0.0)],
)
def test_substitution_is_for_mass_only(bench: Bench, rule: str | None, lost: float) -> None:
    """Hours at 100, 400 and 200 mg/m3 × 100,000 m3/h = 10, 40, 20 kg, then an hour in which NOx is lost.

    It takes 20 kg (last), 40 kg (greatest of two) or half of the limit of 50 mg/m3: 2.5 kg; without a rule nothing.
    Its concentration stays invalid, the day's mean is that of three hours.
    """
    nox: list[Any] = [100, 100, 400, 400, 200, 200, None, None, 100]
    rows = sorted(steps(nox, 30 * MIN) + steps([100_000] * 9, 30 * MIN, name="flow"))
    stack = f"substitution = {{ {rule} }}" if rule else ""
    regime = CN.replace('"20h"', '"3h"')
    things = replay(bench, plant(regime, {"nox": held(30), "flow": FLOW}, stack=stack), rows, "--every", "4h")
    hours = [one(things, average="1h", ts=T + i * HOUR, lifecycle="final") for i in range(4)]
    assert [t["mass"] for t in hours] == pytest.approx([10, 40, 20, lost])
    assert [t["substituted_share"] for t in hours] == [0.0, 0.0, 0.0, 1.0 if lost else 0.0]
    assert (hours[3]["value"], hours[3]["valid"]) == (None, False)
    day = one(things, average="1d", lifecycle="live", valid_minutes=180)
    assert day["value"] == pytest.approx(700 / 3)
    assert day["mass"] == pytest.approx(70 + lost)
    assert day["substituted_share"] == pytest.approx(lost / (70 + lost))


def test_a_backup_fills_what_the_main_loses(bench: Bench) -> None:
    """Main at 100 for 30 min, then flagged D; its backup shows 160 ppm all the time: (100 + 160·M/V)/2."""
    backup = f'[meter.spare]\nstack = "tall"\nevery = "1min"\nbackup_of = "gas"\n[meter.spare.channels]\nnox = {PPM}\n'
    rows: list[Row] = []
    for i in range(60):
        rows.append((T + i * MIN, "gas", "nox", 100 if i < 30 else 900, "", "", "N" if i < 30 else "D"))
        rows.append((T + i * MIN, "spare", "nox", 160, "", "", ""))
    hour = one(replay(bench, plant(CN, {"nox": MG}, more=backup), rows), average="1h", ts=T)
    assert hour["value"] == pytest.approx((100 + 160 * 46.005 / 22.4) / 2, abs=1e-6)
    assert (hour["valid_minutes"], hour["backup_minutes"], hour["quality"]) == (60, 30, "uncertain")
    refused = bench.registry(plant(CN, {"nox": MG}, more=backup.replace('backup_of = "gas"\n', "")))
    assert "backup_of" in bench.command("check", refused, code=1)


def test_the_open_minute_moves_the_budget(bench: Bench) -> None:
    """Two minutes at 40, then 100: 29 s into it nothing has moved, at 30 s it is (40 + 40 + 100)/3 = 60."""
    rows = [(T + s * 1000, "gas", "nox", 40 if s < 120 else 100) for s in range(181)]
    text = plant(CN, {"nox": held(1)}).replace('max_gap = "1min"', 'max_gap = "1s"')
    things = [
        t for t in replay(bench, text, rows, "--every", "1s") if t["average"] == "1h" and t["lifecycle"] == "live"
    ]
    at = {t["known_at"]: t for t in things}
    assert [at[T + 120_000 + s * 1000]["value"] for s in (0, 29, 30, 60)] == [40.0, 40.0, 60.0, 60.0]
    assert at[T + 150_000]["allowed_mean"] == pytest.approx((50 * 60 - 180) / 57)


def test_mass_of_a_flow_that_does_not_say_its_state_is_withheld(bench: Bench) -> None:
    """A guess could be wrong by half: no `mass` at all, and `check` says what is missing."""
    text = plant(CN, {"nox": held(30), "flow": '{ unit = "m3/h", kind = "level" }'})
    hour = one(replay(bench, text, [*steps([40, 40], 30 * MIN), (T + HOUR, "gas", "flow", 5)]), average="1h", ts=T)
    assert "mass" not in hour
    assert "`water`" in bench.command("check", bench.registry(text))


def test_hot_flow_at_20_degrees(bench: Bench) -> None:
    """SO2 100 ppm dry beside 410,000 hot m3/h of 410 K at 101,325 Pa: 100 · 64.06/24.055 mg in each of 293,150 m3/h.

    410,000 · 293.15/410 is the flow at 20 °C; t above the standard temperature would say 279,413.
    """
    seen = {"so2": 100, "temp": 136.85, "pressure": 101_325, "flow": 410_000}
    channels = {
        "so2": '{ unit = "ppm", kind = "level", water = "dry", max_gap = "30min" }',
        "temp": '{ unit = "degC", kind = "level", max_gap = "30min" }',
        "pressure": '{ unit = "Pa", kind = "level", max_gap = "30min" }',
        "flow": '{ unit = "m3/h", kind = "level", state = "hot", water = "dry", max_gap = "30min" }',
    }
    rows = [(T + i * 30 * MIN, "gas", name, v) for i in range(3) for name, v in seen.items()]
    regime = 'standard = "293.15 K"\nhour_valid = "45min"\nlimits = { so2 = 300 }\naverages = ["1h"]\n'
    hour = one(replay(bench, plant(regime, channels), rows), average="1h", ts=T)
    assert hour["mass"] == pytest.approx(100 * 64.06 / 24.055 * 293_150 / 1e6, rel=1e-7)
