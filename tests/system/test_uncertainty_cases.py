"""Bands from outside, through `greengauge replay`: each width derived by hand."""

from __future__ import annotations

from math import hypot, sqrt
from typing import Any

import pytest

from tests.system.test_replay_cases import PLACE, Bench, bench, one  # noqa: F401 - a fixture
from tests.system.why_plant import HOUR, LINE, REGISTRY, T, rows

COAL = '[fuel.coal]\nncv = "25 GJ/t"\nef = "100 kg/GJ"\n'
CLINKER = """
[product.clinker]
process = "0.5 t CO2/t"
theoretical = "1.5 t/t"
[[benchmark]]
id = "b"
product = "clinker"
value = 0.7
unit = "t CO2/t"
basis = "gross"
power = false
boundary = "stage"
[scoring]
windows = ["1h"]
"""
KILN = PLACE + "lcd = { power = false }\n" + COAL + CLINKER
K = "line:acme/works/hall/k"


def meter(name: str, channels: str, *, every: str = "1h", more: str = "") -> str:
    return f'[meter.{name}]\nline = "k"\nevery = "{every}"\n{more}\n[meter.{name}.channels]\n{channels}\n'


def amount(counts: str, more: str = "") -> str:
    return f'{{ unit = "t", kind = "amount", period = "1h", counts = "{counts}"{more} }}'


def score(bench: Bench, registry: str, readings: Any, degree: str = "lcd", scope: str = K) -> dict[str, Any]:
    return one(bench.replay(registry, readings), scope=scope, degree=degree, window="1h")


def half(found: dict[str, Any]) -> float:
    """Half of a band that lies evenly around its value."""
    assert found["high"] - found["value"] == pytest.approx(found["value"] - found["low"], rel=1e-9, abs=1e-12)
    return float(found["value"] - found["low"])


def test_one_meter_and_a_factor(bench: Bench) -> None:
    """Everything on one meter at 2 %, so its channels add up; the grid factor at 5 % beside it.

    R = 73.5/82: coal R·27.5/82, electricity R·2/82, output (73.5 − R·52.5)/82; 2 % of their sum is 0.0128986. Grid:
    R·2/82·5 % = 0.0010931.
    """
    r = 73.5 / 82
    meters = 0.02 * (r * 27.5 + r * 2 + (73.5 - r * 52.5)) / 82
    assert half(score(bench, REGISTRY, rows(), scope=LINE)) == pytest.approx(hypot(meters, 0.05 * r * 2 / 82), rel=1e-9)


def test_two_meters_are_independent(bench: Bench) -> None:
    """100 t of clinker at 1 %, 10 t of coal at 3 %: R = 70/75; (70 − R·50)/75·1 % and R·25/75·3 % at right angles."""
    registry = KILN + meter("a", "made = " + amount("product:clinker", ', uncertainty = "1%"'))
    registry += meter("b", "coal = " + amount("fuel:coal"), more='uncertainty = "3 %"')
    found = score(bench, registry, [(T, "a", "made", 100), (T, "b", "coal", 10)])
    r = 70 / 75
    assert half(found) == pytest.approx(hypot(0.01 * (70 - r * 50) / 75, 0.03 * r * 25 / 75), rel=1e-9)
    assert found["uncertainty_missing"] == 0


def test_a_meter_s_error_does_not_average_out(bench: Bench) -> None:
    """The same day as 24 readings and as one: the same band."""
    one_day = REGISTRY.replace('period = "1h"', 'period = "24h"')
    hourly = [(T + h * HOUR, "m1", c, 10) for h in range(-23, 1) for c in ("coal", "made", "kwh", "meal", "ash")]
    daily = [(T, "m1", c, 240) for c in ("coal", "made", "kwh", "meal", "ash")]
    a, b = (
        one(bench.replay(text, data), scope=LINE, degree="lcd", window="24h")
        for text, data in ((REGISTRY, hourly), (one_day, daily))
    )
    assert (a["value"], a["low"], a["high"]) == (b["value"], b["low"], b["high"])
    assert half(a) > 0


FEED = '{ unit = "t/h", kind = "rate", max_gap = "1h", uncertainty = "5%", counts = "material:meal" }'


@pytest.mark.parametrize(("times", "width"), [("", 0.0), (', uncertainty = "3%"', 0.03)])
def test_what_comes_from_one_reading_cancels(bench: Bench, times: str, width: float) -> None:
    """Clinker is 0.6 × feed: GD = 1.5 · 0.6 whatever the feeder says; only the 0.6 itself may be off."""
    made = f'{{ kind = "derived", of = "feed", times = "0.6", counts = "product:clinker"{times} }}'
    registry = KILN + meter("a", f"feed = {FEED}\nmade = {made}")
    found = score(bench, registry, [(T - HOUR, "a", "feed", 100), (T, "a", "feed", 100)], "gd")
    assert found["value"] == pytest.approx(0.9, rel=1e-12)
    assert half(found) == pytest.approx(0.9 * width, abs=1e-12)


def test_absolute_and_relative(bench: Bench) -> None:
    """A feeder at 100 t/h ± 2 t/h and 1 % for an hour: √(2² + 1²) t of 100 t; GD = 1.5·60/100."""
    feed = FEED.replace('"5%"', '["2 t/h", "1%"]')
    registry = KILN + meter("a", f"feed = {feed}") + meter("b", "made = " + amount("product:clinker"))
    found = score(bench, registry, [(T - HOUR, "a", "feed", 100), (T, "b", "made", 60)], "gd")
    assert half(found) == pytest.approx(0.9 * sqrt(5) / 100, rel=1e-9)


def test_counter_with_a_drift(bench: Bench) -> None:
    """± 500 kg/h over the half hour covered: 0.25 t of the 20 t read; the silent half hour lets M double."""
    meal = '{ unit = "t", kind = "counter", max_gap = "40min", uncertainty = "500 kg/h", counts = "material:meal" }'
    registry = KILN + meter("a", f"meal = {meal}", every="30min") + meter("b", "made = " + amount("product:clinker"))
    found = score(
        bench, registry, [(T - HOUR, "a", "meal", 0), (T - HOUR // 2, "a", "meal", 20), (T, "b", "made", 20)], "gd"
    )
    assert found["value"] == 1.5
    assert found["high"] == pytest.approx(1.5 + 1.5 * 0.25 / 20, rel=1e-9)
    assert found["low"] == pytest.approx(0.75 - 1.5 * 0.25 / 20, rel=1e-9)
    assert found["uncertainty_missing"] == pytest.approx(0.75, rel=1e-9)


def test_estimated_time_may_have_been_nothing_or_twice(bench: Bench) -> None:
    """A counter pair longer than max_gap counts in full, marked: its 20 t may have been 0 or 40. Beside 10 t of ash
    at 1 %: GD = 30/30, low 30/50, high 30/10, less and plus 1·10/30·1 %.
    """
    meal = '{ unit = "t", kind = "counter", max_gap = "40min", uncertainty = "0%", counts = "material:meal" }'
    ash = amount("material:ash", ', uncertainty = "1%"')
    registry = KILN + meter("a", f"meal = {meal}", every="30min")
    registry += meter("b", f"made = {amount('product:clinker')}\nash = {ash}")
    readings = [(T - HOUR, "a", "meal", 0), (T, "a", "meal", 20), (T, "b", "made", 20), (T, "b", "ash", 10)]
    found = score(bench, registry, readings, "gd")
    wide = 0.01 * 10 / 30
    assert found["value"] == 1.0
    assert found["low"] == pytest.approx(30 / 50 - wide, rel=1e-9)
    assert found["high"] == pytest.approx(30 / 10 + wide, rel=1e-9)
    assert found["uncertainty_missing"] == pytest.approx(3 - 0.6, rel=1e-9)


def test_nothing_declared_no_band(bench: Bench) -> None:
    """And a meter that does not count in a degree gives it none."""
    registry = KILN + meter("a", f"made = {amount('product:clinker')}\nmeal = {amount('material:meal')}")
    readings = [(T, "a", "made", 60), (T, "a", "meal", 100)]
    assert [score(bench, registry, readings, "gd")[k] for k in ("low", "high", "uncertainty_missing")] == [None] * 3
    registry += meter("b", "coal = " + amount("fuel:coal", ', uncertainty = "3%"'))
    things = bench.replay(registry, [*readings, (T, "b", "coal", 10)])
    assert one(things, scope=K, degree="gd", window="1h")["low"] is None
    assert one(things, scope=K, degree="lcd", window="1h")["low"] is not None


@pytest.mark.parametrize(
    ("doubt", "points"),
    [("2%", 0.02 * 8), ("5000 ppm", 0.5), (None, 0.0)],  # of 8 % moisture
)
def test_a_laboratory_that_may_be_off(bench: Bench, doubt: str | None, points: float) -> None:
    """150 t of meal at 8 % moisture are 138 t dry: GD = 150/138, off by e/0.92 of itself; the scale's 1 % beside."""
    said = f', uncertainty = "{doubt}"' if doubt else ""
    registry = KILN + meter("s", "made = " + amount("product:clinker"))
    registry += meter("m", "meal = " + amount("material:meal", ', moisture = "lab.water", uncertainty = "1%"'))
    registry += meter("lab", f'water = {{ unit = "%", kind = "level"{said}, max_gap = "8h" }}')
    readings = [(T - 2 * HOUR, "lab", "water", 8), (T, "m", "meal", 150), (T, "s", "made", 100)]
    found = score(bench, registry, readings, "gd")
    value = 150 / 138
    assert found["value"] == pytest.approx(value)
    wide = value * hypot(0.01, points / 100 / 0.92)
    assert (found["low"], found["high"]) == (pytest.approx(value - wide), pytest.approx(value + wide))


def test_two_laboratories_of_one_fuel(bench: Bench) -> None:
    """CO2 50 + 10·0.9·25·0.1 t; moisture 10 % ± 1 point, heat value 25 ± 0.5: each of its share of the fuel's 22.5 t.

    One laboratory is one meter: both in the worst direction at once, 22.5·(0.01/0.9 + 0.02) of 72.5.
    """
    fuel = KILN.replace('ncv = "25 GJ/t"', 'ncv = "lab.ncv"')
    registry = fuel + meter("s", "made = " + amount("product:clinker"))
    registry += meter("f", "coal = " + amount("fuel:coal", ', moisture = "lab.water"'))
    registry += meter(
        "lab",
        'water = { unit = "%", kind = "level", uncertainty = "10000 ppm", max_gap = "8h" }\n'
        'ncv = { unit = "GJ/t", kind = "level", uncertainty = "2%", max_gap = "8h" }',
    )
    readings = [(T - 2 * HOUR, "lab", "water", 10), (T - 2 * HOUR, "lab", "ncv", 25)]
    found = score(bench, registry, [*readings, (T, "f", "coal", 10), (T, "s", "made", 100)], "lcd")
    assert found["value"] == pytest.approx(70 / 72.5)
    wide = 70 / 72.5 * 22.5 * (0.01 / 0.9 + 0.02) / 72.5
    assert (found["low"], found["high"]) == (pytest.approx(70 / 72.5 - wide), pytest.approx(70 / 72.5 + wide))


STACK = """
[site.works]
enterprise = "acme"
timezone = "UTC"
[stack.s]
site = "works"
lines = []
regime = "r"
[meter.cems]
stack = "s"
every = "1min"
[meter.cems.channels]
nox = { unit = "mg/m3", kind = "level", state = "standard"DOUBT }
[regime.r]
base = 21
minute_valid = "30s"
hour_valid = "45min"
limits = { nox = 50 }
averages = ["1h"]
"""


@pytest.mark.parametrize(
    ("level", "doubt", "low", "breach"),
    [
        (55, "", None, "beyond"),  # no band: every breach is beyond it
        (50, ', uncertainty = "5%"', 47.5, "none"),  # a breach is above the limit
        (55, ', uncertainty = "5%"', 52.25, "beyond"),
        (55, ', uncertainty = "10%"', 49.5, "within"),
        (55, ', uncertainty = "5 mg/m3"', 50.0, "within"),  # its low end is at the limit, not above
        (55, ', uncertainty = ["4 mg/m3", "3000 ug/m3"]', None, ""),  # says the same twice
        (55, ', uncertainty = ["8%", "3000 ug/m3"]', 55 - hypot(4.4, 3), "within"),
    ],
)
def test_breach_beyond_or_within(bench: Bench, level: int, doubt: str, low: float | None, breach: str) -> None:
    """The analyser's own uncertainty, as a share of the hour's mean."""
    registry = STACK.replace("DOUBT", doubt)
    readings = [(T + m * 60_000, "cems", "nox", level) for m in range(60)]
    if not breach:
        assert "twice" in bench.command("check", bench.registry(registry), code=1)
        return
    found = one(bench.replay(registry, readings), pollutant="nox", average="1h", ts=T)
    assert found["value"] == level
    assert found["breach"] == breach
    assert found["low"] == (None if low is None else pytest.approx(low, rel=1e-12))
    assert found["high"] == (None if low is None else pytest.approx(2 * level - low, rel=1e-12))


AROUND = """
[meter.gas]
stack = "s"
every = "1min"
UNSURE
[meter.gas.channels]
o2 = { unit = "%", kind = "level", water = "wet" }
moisture = { unit = "%", kind = "level" }
temp = { unit = "K", kind = "level" }
pressure = { unit = "hPa", kind = "level", gauge = true }
"""


def around(bench: Bench, gas: str, seen: dict[str, float], keys: str, regime: str = "") -> dict[str, Any]:
    """The hour of an analyser at 280 mg/m3 (2 %), with what stands around it on a meter of its own."""
    registry = STACK.replace('state = "standard"DOUBT', keys + ', uncertainty = "2%"') + regime
    registry = registry.replace('regime = "r"', 'regime = "r"\nambient = "1000 hPa"', 1)
    rows = [(T + m * 60_000, "cems", "nox", 280) for m in range(60)]
    rows += [(T + m * 60_000, "gas", name, value) for m in range(60) for name, value in seen.items()]
    return one(bench.replay(registry + gas, sorted(rows)), pollutant="nox", average="1h", ts=T)


@pytest.mark.parametrize(("never_down", "o2", "share"), [(False, 13, 0.2 / 8), (False, 5, 0.2 / 16), (True, 5, 0.0)])
def test_oxygen_that_may_be_off_widens_the_band(bench: Bench, never_down: bool, o2: int, share: float) -> None:
    """O2 off by 0.2 points moves (21 − 10)/(21 − O2) by 0.2/(21 − O2) of itself; nothing where it corrects nothing."""
    gas = """
[meter.gas]
stack = "s"
every = "1min"
[meter.gas.channels]
o2 = { unit = "%", kind = "level", water = "dry", uncertainty = "2000 ppm" }
"""
    regime = f"o2_ref = 10\nnever_down = {str(never_down).lower()}\n"
    hour = around(bench, gas, {"o2": o2}, 'state = "standard"', regime)
    value = 280 * (1 if never_down else 11 / (21 - o2))
    assert hour["value"] == pytest.approx(value, abs=1e-6)
    assert hour["high"] - hour["value"] == pytest.approx(value * hypot(0.02, share), rel=1e-6)
    assert hour["value"] - hour["low"] == pytest.approx(value * hypot(0.02, share), rel=1e-6)


def test_moisture_temperature_and_pressure_that_may_be_off(bench: Bench) -> None:
    """One meter, 1 % of each reading, all in the worst direction: shares add up; the analyser's 2 % is another's.

    20 % moisture: 0.2 points, 0.002/0.8 of the wet value. O2 8 % wet is 10 % dry: its 0.08/0.8 points are 0.1/11 of
    the value; the moisture's 0.0025 of 10 % dry are 0.025/11. 400.15 K: 4.0015/400 (127 °C + 273). A gauge of 10 hPa
    reads off by 0.1 hPa in 1,010.
    """
    seen = {"o2": 8, "moisture": 20, "temp": 400.15, "pressure": 10}
    regime = 'o2_ref = 10\nstandard = "273 K"\n'
    gas = AROUND.replace("UNSURE", 'uncertainty = "1%"')
    hour = around(bench, gas, seen, 'state = "hot", water = "wet"', regime)
    value = 280 * 1013.25 / 1010 * 400 / 273 / 0.8
    together = 0.0025 + 0.1 / 11 + 0.025 / 11 + 4.0015 / 400 + 0.1 / 1010
    assert hour["value"] == pytest.approx(value, abs=1e-6)
    assert hour["high"] - hour["value"] == pytest.approx(value * hypot(0.02, together), rel=1e-6)
    sure = around(bench, AROUND.replace("UNSURE", ""), seen, 'state = "hot", water = "wet"', regime)
    assert sure["high"] - sure["value"] == pytest.approx(value * 0.02, rel=1e-9)


def test_a_day_s_band_adds_up_its_minutes_widths(bench: Bench) -> None:
    """Half a day at 13 % O2 (385 ± 0.2/8), half at 5 % (192.5 ± 0.2/16): 9.625 and 2.40625 mg/m3."""
    registry = STACK.replace("DOUBT", "").replace('averages = ["1h"]', 'averages = ["1h", "1d"]') + "o2_ref = 10\n"
    registry += """
[meter.gas]
stack = "s"
every = "1min"
[meter.gas.channels]
o2 = { unit = "%", kind = "level", water = "dry", uncertainty = "2000 ppm" }
"""
    start = T - T % 86_400_000
    rows = [(start + m * 60_000, "cems", "nox", 280) for m in range(1440)]
    rows += [(start + m * 60_000, "gas", "o2", 13 if m < 720 else 5) for m in range(1440)]
    day = one(bench.replay(registry, sorted(rows)), pollutant="nox", average="1d", ts=start)
    assert day["value"] == pytest.approx(288.75)
    assert day["high"] - day["value"] == pytest.approx((9.625 + 2.40625) / 2, rel=1e-9)


@pytest.mark.parametrize(
    ("channel", "cause"),
    [
        ('uncertainty = "1"', "no unit"),
        ('uncertainty = "-1%"', "not a share"),
        ('uncertainty = "-0.2 t/h"', "below zero"),
        ('uncertainty = "0.2 m3/h"', "is volume per time"),
        ('uncertainty = "0.2 t"', "not per time"),
        ("uncertainty = []", "empty"),
        ('uncertainity = "1%"', "unknown key"),
    ],
)
def test_what_cannot_be_an_uncertainty(bench: Bench, channel: str, cause: str) -> None:
    """Each with its cause, no traceback."""
    meal = f'{{ unit = "t", kind = "counter", counts = "material:meal", {channel} }}'
    said = bench.command("check", bench.registry(KILN + meter("a", f"meal = {meal}")), code=1)
    assert cause in said


def test_a_meter_s_share_is_for_channels_that_say_nothing(bench: Bench) -> None:
    """Meter 1 %, one channel 4 %: GD = 1.5·60/100, both on the meter, so 0.9·(1 % + 4 %)."""
    meal = amount("material:meal", ', uncertainty = "4%"')
    channels = f"made = {amount('product:clinker')}\nmeal = {meal}"
    registry = KILN + meter("a", channels, more='uncertainty = "1%"')
    assert half(score(bench, registry, [(T, "a", "made", 60), (T, "a", "meal", 100)], "gd")) == pytest.approx(0.045)


def test_fuel_factor_on_two_lines_is_one_error(bench: Bench) -> None:
    """ncv × ef of the coal is off by 4 % on both lines alike, not independently: R·50/150·4 % on the site."""
    lines = KILN.replace("[product", '[line.q]\nsite = "works"\narea = "hall"\nlcd = { power = false }\n[product', 1)
    lines = lines.replace('ef = "100 kg/GJ"', 'ef = "100 kg/GJ"\nuncertainty = "4%"')
    for name, line in (("a", "k"), ("b", "q")):
        own = meter(name, f"made = {amount('product:clinker')}\ncoal = {amount('fuel:coal')}")
        lines += own.replace('line = "k"', f'line = "{line}"')
    readings = [(T, name, channel, x) for name in "ab" for channel, x in (("made", 100), ("coal", 10))]
    found = score(bench, lines, readings, scope="site:acme/works")
    assert half(found) == pytest.approx(140 / 150 * 50 / 150 * 0.04, rel=1e-9)


MEAN = (12 * 40 + 11 * 60) / 23


@pytest.mark.parametrize(
    ("average", "doubt", "share", "limit", "breach"),
    [
        ("1mo", ', uncertainty = "10%"', 0.1, 50, "none"),
        ("1mo", ', uncertainty = "10%"', 0.1, 46, "within"),
        ("1mo", ', uncertainty = "3 mg/m3"', 3 / MEAN, 46, "beyond"),
        ("1mo", "", None, 46, "beyond"),
        ("1-operating-days", ', uncertainty = "10%"', 0.1, 46, "within"),
    ],
)
def test_an_average_over_days(
    bench: Bench, average: str, doubt: str, share: float | None, limit: int, breach: str
) -> None:
    """Twelve hours at 40, eleven at 60: their mean ± what the analyser may be off by, the same all the time. An hour at
    500 of which half is lost is no valid one: it is neither in the mean nor in the band.
    """
    registry = STACK.replace("DOUBT", doubt).replace('averages = ["1h"]', f'averages = ["1h", "{average}"]')
    registry = registry.replace("limits = { nox = 50 }", f'limits = {{ nox = 50, "{average}" = {{ nox = {limit} }} }}')
    rows = [(T + m * 60_000, "cems", "nox", 40 if m < 720 else 60) for m in range(23 * 60)]
    rows += [(T + (23 * 60 + m) * 60_000, "cems", "nox", 500) for m in range(30)]
    found = one(bench.replay(registry, rows), pollutant="nox", average=average, ts=T)
    assert found["value"] == pytest.approx(MEAN, rel=1e-12)
    for end, sign in ("low", -1), ("high", 1):
        assert found[end] == (None if share is None else pytest.approx(MEAN * (1 + sign * share), rel=1e-12))
    assert found["breach"] == breach
