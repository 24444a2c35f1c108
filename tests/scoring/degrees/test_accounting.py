"""Dated values, credits and the parts beside a degree, on a plant built by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from devices.plant.model import Dated
from devices.plant.values import Series
from tests.scoring.degrees.works import NOON, Works

DAY = 24 * 3_600_000
TODAY = date(2025, 11, 22)  # NOON's, in Shanghai


def series(id_: str, *values: tuple[str, date]) -> Series:
    return Series(id_, tuple(Dated(Fraction(v), "", start, None, "test") for v, start in values))


def kiln() -> Works:
    works = Works()
    works.product("clinker", theoretical="1.5", process="0.5", best_peer="2")
    works.benchmark("own", "clinker", "0.7")
    line = works.line("k", people=10)
    works.amount(works.channel(line, "product:clinker"), 240, start=NOON - DAY)
    works.amount(works.channel(line, "material:meal"), 400, start=NOON - DAY)
    return works


def test_a_value_not_yet_in_force_withholds_its_degree_alone() -> None:
    """The need of resources known from noon's own day on: of the day before, GD says so and the others stand."""
    works = kiln()
    works.products["clinker"] = replace(works.products["clinker"], theoretical=series("need", ("1.5", TODAY)))
    found = works.scores("24h")
    assert (found["k", "gd"].value, found["k", "gd"].reason) == (None, "factor need is not yet in force")
    assert found["k", "gd"].numerator == 180.0  # the twelve hours of the new day
    assert found["k", "lcd"].value == 168 / 120
    assert found["k", "sd"].value == 120 / 240


def test_each_half_of_the_day_has_its_own_factor() -> None:
    """0.5 t/t until midnight, 0.6 t/t after: 120 × 0.5 + 120 × 0.6 = 132."""
    works = kiln()
    dated = series("ef", ("0.5", date(2020, 1, 1)), ("0.6", TODAY))
    works.products["clinker"] = replace(works.products["clinker"], process=dated)
    assert works.scores("24h")["k", "lcd"].denominator == pytest.approx(132, abs=1e-12)


def test_exported_fuel_may_make_co2_negative() -> None:
    """120 t of process CO2 less 50 t of gas × 10 GJ/t × 0.3 t/GJ = −30: undefined, the sums stay."""
    works = kiln()
    works.fuel("gas", "10", "300")
    works.amount(works.channel(works.lines[0], "fuel:gas", exported=True), 50, start=NOON - DAY)
    found = works.scores("24h")["k", "lcd"]
    assert (found.value, found.denominator) == (None, -30.0)
    assert found.reason == "CO2 is negative: credits exceed what was emitted"


def test_power_of_waste_heat_is_told_and_carries_nothing() -> None:
    """100 MWh bought, 20 exported: 80 × 0.5 = 40 t on top of 120; 30 of waste heat beside them."""
    works = kiln()
    works.grid("0.5")
    works.lines[0] = replace(works.lines[0], lcd=replace(works.lines[0].lcd, power=True))
    works.benchmarks["own"] = (replace(works.benchmarks["own"][0], power=True),)
    for more, kwh in (({}, 100_000), ({"exported": True}, 20_000), ({"waste_heat": True}, 30_000)):
        channel = works.channel(works.lines[0], "electricity", symbol="kWh", **more)
        works.amount(channel, kwh, start=NOON - DAY)
    found = works.scores("24h")["k", "lcd"]
    assert found.denominator == 160.0
    told = ("co2_power", "co2_direct", "co2_total", "kwh_bought", "kwh_exported", "kwh_waste_heat")
    assert [found.detail[name] for name in told] == [40.0, 120.0, 160.0, 100_000.0, 20_000.0, 30_000.0]
    assert works.scores("24h")["k", "cd"].detail == {"waste_t": 0.0, "material_t": 400.0}
