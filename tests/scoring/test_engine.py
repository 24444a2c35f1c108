"""The engine end to end: semantics §6, cases 1 (before its late reading) to 4; steps, watermarks, alarms, snapshots."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from devices.plant import parse
from devices.plant.model import Plant
from devices.readings import Readings
from scoring.engine import Command, Engine, LineClose
from scoring.results import Changes, ChannelSum, Score

MINUTE = 60_000
HOUR = 60 * MINUTE
BASE = 1_760_000_400_000  # a whole hour


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def registry(
    channels: str, more: str = "", *, intake: str = "", windows: str = '["1min", "1h", "24h", "30d"]'
) -> Plant:
    """One cement line in Wuhu with one meter `m`, read every minute."""
    return parse(f"""
schema = 1
profiles = ["cement"]
[intake]
topic = "plant/{{enterprise}}/{{site}}/{{area}}/{{line}}/{{meter}}"
{intake}
[site.wuhu]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[line.k1]
site = "wuhu"
area = "pyro"
industry = "cement"
people = 14
lcd = {{ basis = "gross", power = true }}
[meter.m]
line = "k1"
every = "1min"
[meter.m.channels]
{channels}
{more}
[scoring]
windows = {windows}
""")


def rows(plant: Plant, channel: str, *points: tuple[int, int]) -> Readings:
    """Values of one channel in its steps, by minutes after BASE."""
    row = plant.channel("m", channel).index
    return Readings.of([row] * len(points), [BASE + t * MINUTE for t, _ in points], [v for _, v in points])


def file(plant: Plant, *batches: Readings, **more: Any) -> Engine:
    """An engine that has read a whole file."""
    engine = Engine(plant, event_clock=True, **more)
    for batch in batches:
        engine.push(batch)
    engine.finish()
    return engine


def total(engine: Engine, channel: str, window: str, minute: int) -> ChannelSum:
    found = engine.sums(BASE + minute * MINUTE)
    return next(s for s in found if (s.channel, s.window) == (channel, window))


def test_case_1_before_its_late_reading() -> None:
    """A wrapping kWh counter: 550 in 40 minutes, 100 of them in (10, 20]."""
    counter = 'unit = "kWh", kind = "counter", modulus = "10000", rise_max = "50/min", max_gap = "30min", step = "1"'
    plant = registry(f"kwh = {{ {counter} }}", windows='["10min", "40min"]')
    engine = file(plant, rows(plant, "kwh", (0, 9700), (10, 9900), (30, 100), (40, 250)))
    assert total(engine, "kwh", "40min", 40).sum == "550"
    assert total(engine, "kwh", "10min", 20).sum == "100"


@pytest.mark.parametrize(("values", "flag"), [((500, 0, 520, 540), "spikes"), ((500, 0, 20, 40), "resets")])
def test_case_2(values: tuple[int, ...], flag: str) -> None:
    """A dip is a spike, a fall a reset: 40 in both."""
    plant = registry('n = { unit = "t", kind = "counter", rise_max = "100/min", step = "1" }', windows='["1h"]')
    found = total(file(plant, rows(plant, "n", *enumerate(values))), "n", "1h", 4)
    assert (found.sum, found.flags) == ("40", {flag: 1})


def test_case_3() -> None:
    """A rate in t/h over half an hour, with gaps: exact tonnes, exact coverage, and again with the late reading."""
    plant = registry('feed = { unit = "t/h", kind = "rate", max_gap = "5min", step = "1" }', windows='["30min"]')
    readings = rows(plant, "feed", (0, 340), (4, 350), (20, 300), (22, 0))
    found = total(file(plant, readings), "feed", "30min", 30)
    assert (found.sum, found.covered, found.unit) == ("61.833333333", 16 / 30, "t")
    found = total(file(plant, readings, rows(plant, "feed", (8, 360))), "feed", "30min", 30)
    assert (found.sum, found.covered) == ("86.000000000", 20 / 30)


GRID = """
[[factor]]
id = "grid:CN"
value = 0.5366
unit = "kg CO2/kWh"
from = 2022-01-01
source = "test"
[[factor]]
id = "grid:CN"
value = 0.5306
unit = "kg CO2/kWh"
from = 2026-01-01
source = "test"
"""


@pytest.mark.parametrize("window", ["1h", "24h", "30d"])
def test_case_4(window: str) -> None:
    """A factor changes at local midnight, in the middle of a counter's hour: 1,600.8 kg CO2, not 1,609.8."""
    plant = registry(
        'kwh = { unit = "kWh", kind = "counter", step = "1", counts = "electricity", max_gap = "2h" }', GRID
    )
    kwh = plant.channel("m", "kwh").index
    engine = file(plant, Readings.of([kwh, kwh], [ms("2025-12-31T15:30"), ms("2025-12-31T16:30")], [1000, 4000]))
    ends = {"1h": ms("2025-12-31T16:30"), "24h": ms("2026-01-01T03:00"), "30d": ms("2026-01-01T03:00")}
    scores, _ = engine.at(ends[window])
    lcd = next(s for s in scores if (s.level, s.degree, s.window) == ("line", "lcd", window))
    assert lcd.denominator == 1.6008
    assert lcd.detail["co2_power"] == 1.6008


KILN = """
clinker = { unit = "t", kind = "amount", period = "1min", step = "0.001", counts = "product:clinker" }
meal = { unit = "t/h", kind = "rate", counts = "material:raw-meal" }
kwh = { unit = "kWh", kind = "counter", modulus = "100000", rise_max = "2000/min", step = "1", counts = "electricity" }
"""

POWER = """
[meter.power]
line = "k1"
every = "1min"
[meter.power.channels]
kwh = { unit = "kWh", kind = "counter", modulus = "100000", rise_max = "2000/min", step = "1", counts = "electricity" }
"""


def kiln(plant: Plant, minutes: range, *, late: int = 0) -> Readings:
    """A kiln's readings each minute, received `late` ms after their time."""
    channels = [plant.channel("m", name).index for name in ("clinker", "meal", "kwh")]
    n = len(minutes)
    ts = [BASE + m * MINUTE for m in minutes for _ in channels]
    values = [v for m in minutes for v in (3500 + m % 7, 330_000_000 + m, 99_000 + 120 * m % 100_000)]
    return Readings.of(channels * n, ts, values, received=[t + late for t in ts])


def run(engine: Engine, readings: Readings, size: int) -> list[Changes]:
    told = []
    for at in range(0, len(readings), size):
        engine.push(readings.take(slice(at, at + size)))
        told.append(engine.advance())
    return told


def finals(told: list[Changes]) -> list[Score]:
    return [s for c in told for s in c.scores if s.lifecycle == "final"]


def test_a_step_is_final_when_the_watermark_has_passed_it() -> None:
    """Each closed minute is told once as final, a grace later, in order of time; live ones are told as they close."""
    plant = registry(KILN)
    engine = Engine(plant)
    told = run(engine, kiln(plant, range(60), late=2000), 3)
    final = [s for s in finals(told) if (s.level, s.degree, s.window) == ("line", "gd", "1h")]
    assert [s.ts for s in final] == [BASE + m * MINUTE for m in range(45)]
    assert all(s.known_at == s.ts + 15 * MINUTE + 2000 for s in final)
    live = [
        s.ts
        for c in told
        for s in c.scores
        if s.lifecycle == "live" and (s.level, s.degree, s.window) == ("line", "gd", "1h")
    ]
    assert live == [BASE + m * MINUTE for m in range(60)]
    assert engine.behind() == 0


def test_final_scores_do_not_depend_on_batches_or_order() -> None:
    """One batch, many batches, mixed within grace, each row twice: the same final scores, bit for bit."""
    plant = registry(KILN)
    readings = kiln(plant, range(180))
    straight = run(Engine(plant, event_clock=True), readings, 10_000)
    order = sorted(range(len(readings)), key=lambda i: int(readings.ts[i]) + (i * 7919) % (14 * MINUTE))
    mixed = Readings.concat([readings.take([i, i]) for i in order])  # type: ignore[arg-type] # a list of rows
    other = run(Engine(plant, event_clock=True), mixed, 17)

    def told(changes: list[Changes]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        return {
            (s.ts, s.scope, s.degree, s.window): (s.value, s.numerator, s.denominator, s.completeness, s.quality)
            for s in finals(changes)
        }

    assert told(straight)
    assert told(straight) == told(other)


def test_goes_on_from_a_snapshot() -> None:
    """An engine restored at any point tells the same from there on, and ends in the same bytes."""
    plant = registry(KILN)
    readings = kiln(plant, range(120), late=1500)
    one = Engine(plant)
    run(one, readings.take(slice(0, 200)), 7)
    other = Engine.restore(plant, one.snapshot())
    rest = readings.take(slice(200, len(readings)))
    assert [run(one, rest, 11), one.live()] == [run(other, rest, 11), other.live()]
    assert one.snapshot() == other.snapshot()


def test_a_state_of_another_plant_is_refused() -> None:
    """A snapshot fits no registry with other channels."""
    state = Engine(registry(KILN)).snapshot()
    with pytest.raises(ValueError, match="other meters"):
        Engine.restore(registry(KILN + 'x = { unit = "t", kind = "amount" }'), state)
    with pytest.raises(ValueError, match="not a state"):
        Engine.restore(registry(KILN), b"something else")


def test_a_closed_line_is_complete_at_once() -> None:
    """After a close message nothing waits for grace."""
    plant = registry(KILN, intake="history = true")
    engine = Engine(plant)
    readings = kiln(plant, range(30))
    engine.push(readings, [LineClose(len(readings), 0, BASE)])
    assert max(s.ts for s in finals([engine.advance()]) if s.window == "1min") == BASE + 29 * MINUTE
    assert engine.behind() == 0


def test_a_silent_line_does_not_hold_its_steps_back() -> None:
    """Once nothing came for three periods, the watermark follows the clock."""
    plant = registry(KILN)
    engine = Engine(plant)
    run(engine, kiln(plant, range(10)), 100)
    engine.tick(BASE + 9 * MINUTE + 14 * MINUTE)
    assert BASE + 9 * MINUTE not in {s.ts for s in finals([engine.advance()])}
    engine.tick(BASE + 9 * MINUTE + 15 * MINUTE)
    assert BASE + 9 * MINUTE in {s.ts for s in finals([engine.advance()])}


def test_a_meter_that_fell_silent_makes_its_degrees_stale() -> None:
    """Stale: no reading of a required channel for three periods."""
    plant = registry(KILN)
    engine = Engine(plant)
    run(engine, kiln(plant, range(10)), 100)
    for minutes, stale in ((11, False), (12, True)):
        engine.tick(BASE + minutes * MINUTE)
        scores, _ = engine.live()
        assert {s.stale for s in scores if s.level == "line" and s.degree == "gd"} == {stale}


def test_a_stale_degree_is_as_old_as_the_meter_it_waits_for() -> None:
    """The age that goes with "stale" is the silent meter's, however fresh the line's other readings are."""
    plant = registry(KILN, POWER)
    engine = Engine(plant)
    run(engine, kiln(plant, range(10)), 100)
    second = plant.channel("power", "kwh").index
    run(engine, Readings.of([second], [BASE + 4 * MINUTE], [7], received=[BASE + 9 * MINUTE]), 100)
    run(engine, kiln(plant, range(10, 20)), 100)
    told = {s.degree: (s.stale, s.last) for s in engine.live()[0] if s.level == "line" and s.window == "1h"}
    assert told["gd"] == (False, BASE + 19 * MINUTE)
    assert told["lcd"] == (True, BASE + 4 * MINUTE)


def test_days_at_once_are_closed_while_their_cells_are_kept() -> None:
    """Ten days in one batch give the same final scores as hour by hour."""
    plant = registry(KILN)
    readings = kiln(plant, range(0, 10 * 24 * 60, 30))
    at_once, by_hour = Engine(plant, event_clock=True), Engine(plant, event_clock=True)
    together = finals([*run(at_once, readings, len(readings)), at_once.finish()])
    apart = finals([*run(by_hour, readings, 6), by_hour.finish()])
    key = lambda s: (s.ts, s.scope, s.degree, s.window)  # noqa: E731 - a sort key
    plain = [
        [(key(s), s.numerator, s.denominator, s.completeness) for s in sorted(x, key=key)] for x in (together, apart)
    ]
    assert plain[0] == plain[1]


ALARM = """
[stack.tail]
lines = ["k1"]
regime = "cn-cement-ultra-low"
ambient = "101300 Pa"
[meter.cems]
stack = "tail"
every = "1s"
[meter.cems.channels]
nox = { unit = "mg/m3", kind = "level", water = "dry", state = "standard" }
o2 = { unit = "%", kind = "level", water = "dry" }
[[alarm]]
id = "nox-high"
on = { stack = "tail", pollutant = "nox", average = "1min" }
limit = { at = 50, deadband = "2%", on_delay = "10s", off_delay = "60s" }
"""


def stack(plant: Plant, seconds: range, nox: int) -> Readings:
    channels = [plant.channel("cems", name).index for name in ("nox", "o2")]
    ts = [BASE + s * 1000 for s in seconds for _ in channels]
    return Readings.of(channels * len(seconds), ts, [nox * 10**6, 10 * 10**6] * len(seconds))


@pytest.mark.parametrize("size", [2, 37, 10_000])
def test_an_alarm_trips_by_the_seconds_of_the_clock(size: int) -> None:
    """The rolling minute passes the limit, holds for the on-delay, is acknowledged, clears: whatever the batches."""
    plant = registry(KILN, ALARM)
    engine = Engine(plant)
    told = run(engine, stack(plant, range(300), 40), size)
    told += run(engine, stack(plant, range(300, 400), 100), size)
    engine.tick(BASE + 400_000)
    told.append(engine.advance())
    trips = [(e.event, e.ts) for c in told for e in c.alarms]
    # a minute of which x s are at 100 and 60 - x at 40 has the mean 40 + x: over 50 after 10 s, for 10 s at 20
    assert trips == [("trip", BASE + 320_000)]
    assert engine.alarms()[0].state == "unacknowledged"
    with pytest.raises(ValueError, match="there is no alarm"):
        engine.command(Command(BASE + 400_000, "stack:acme/wuhu/tail", "nox-low", "acknowledge", "kim"))
    engine.command(Command(BASE + 400_500, "stack:acme/wuhu/tail", "nox-high", "acknowledge", "kim"))
    assert engine.alarms()[0].state == "acknowledged"
    assert [e.event for e in engine.advance().alarms] == ["acknowledge"]
