"""The worked examples of the specification: a number here is a promise."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from scoring.results import Score
from tests.scoring.degrees.works import HOUR, NOON, Works


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def near(value: float | None, expected: float, places: int = 6) -> None:
    assert value is not None
    assert round(value, places) == expected


def kiln_hour(*, power: bool = False, basis: str = "gross") -> Score:
    """One hour of a kiln."""
    works = Works()
    works.product("clinker", process="0.525")
    works.fuel("coal", "25.8", "94.6")
    works.fuel("rdf", "18", "75", "0.4", alternative=True)
    works.benchmark("ets", "clinker", "0.693", power=power, basis=basis)
    works.grid("0.5366", date(2022, 1, 1))
    kiln = works.line("k1", power=power, basis=basis)
    works.amount(works.channel(kiln, "product:clinker"), 210)
    works.amount(works.channel(kiln, "fuel:coal"), 21)
    works.amount(works.channel(kiln, "fuel:rdf", symbol="kg"), 6000)
    works.amount(works.channel(kiln, "electricity", symbol="kWh", step="1"), 10500)
    return works.scores()["k1", "lcd"]


def test_domain_9_parts() -> None:
    """Process, coal, RDF, memo and heat of domain §7 #9 are read from the detail."""
    detail = kiln_hour().detail
    assert detail["co2_process"] == 110.25
    assert detail["co2_fuel"] == 51.25428 + 4.86
    assert detail["co2_alternative"] == 4.86
    assert detail["co2_biogenic"] == 3.24
    assert detail["co2_gross"] == 166.36428
    assert detail["co2_net"] == 161.50428
    assert detail["heat_gj"] == 649.8
    near(detail["heat_per_t"], 3094.2857, 4)
    near(detail["co2_gross_per_t"], 0.792211)
    near(detail["co2_net_per_t"], 0.769068)
    near(detail["co2_total_per_t"], 0.819041)
    heat, kwh = {"heat_gj", "heat_per_t", "tsr"}, {"kwh_bought"}
    assert {key for key in detail if not key.startswith("co2_")} == heat | kwh | {"deductions"}  # one set of names


def test_domain_9_degree() -> None:
    """LCD (0.693, gross) of domain §7 #9 is 0.874767, from sums that are the nearest doubles."""
    score = kiln_hour()
    near(score.value, 0.874767)
    assert (score.numerator, score.denominator, score.unit) == (145.53, 166.36428, "t CO2")
    assert (score.output, score.output_unit, score.basis) == (210.0, "t", "gross")
    assert score.reason is None


@pytest.mark.parametrize(("basis", "power", "expected"), [("net", False, 161.50428), ("gross", True, 171.99858)])
def test_domain_9_other_bases(basis: str, power: bool, expected: float) -> None:
    """The line's choice of basis and power decides what the denominator holds, and is named."""
    score = kiln_hour(basis=basis, power=power)
    assert score.denominator == expected
    assert score.basis == (f"{basis} with power" if power else basis)


def test_domain_1_roll_up() -> None:
    """100 t at 0.80 and 300 t at 0.70 are 0.955862 together, no mean of 0.86625 and 0.99."""
    works = Works()
    works.product("clinker")
    works.benchmark("ets", "clinker", "0.693")
    for name, made, co2 in (("a", 100, 80), ("b", 300, 210)):
        line = works.line(name)
        works.amount(works.channel(line, "product:clinker"), made)
        works.amount(works.channel(line, "co2"), co2)
    scores = works.scores()
    near(scores["a", "lcd"].value, 0.86625)
    near(scores["b", "lcd"].value, 0.99)
    near(scores["wuhu", "lcd"].value, 0.955862)


def test_semantics_4_factor_changes_at_local_midnight() -> None:
    """A counter pair across a local New Year is priced with each year's grid factor in its own part: 1,600.8 kg."""
    works = Works()
    works.product("steel")
    works.grid("0.5366")
    works.grid("0.5306", date(2026, 1, 1))
    line = works.line("eaf", power=True)
    works.amount(works.channel(line, "product:steel"), 5, start=ms("2025-12-31T15:30"), end=ms("2025-12-31T16:30"))
    kwh = works.channel(line, "electricity", symbol="kWh", step="1")
    works.amount(kwh, 3000, start=ms("2025-12-31T15:30"), end=ms("2025-12-31T16:30"))
    score = works.scores(ts=ms("2025-12-31T16:30"))["eaf", "lcd"]
    assert score.detail["co2_power"] == 1.6008
    assert score.denominator == 1.6008


def test_semantics_4_in_another_zone() -> None:
    """The same counter in a UTC works has all of its hour in the old year: 1,609.8 kg."""
    works = Works()
    works.site("wuhu", zone="UTC")
    works.product("steel")
    works.grid("0.5366")
    works.grid("0.5306", date(2026, 1, 1))
    line = works.line("eaf", power=True)
    works.amount(
        works.channel(line, "electricity", symbol="kWh", step="1"), 3000,
        start=ms("2025-12-31T15:30"), end=ms("2025-12-31T16:30"),
    )  # fmt: skip
    assert works.scores(ts=ms("2025-12-31T16:30"))["eaf", "lcd"].denominator == 1.6098


def test_semantics_5_stage_roll_up() -> None:
    """Stage benchmarks with measured CO2, an idle line included: 0.939661, 0.920192, 0.936744."""
    works = Works()
    works.product("clinker", process="0.525")
    works.product("white-clinker", process="0.550")
    works.benchmark("grey", "clinker", "0.693")
    works.benchmark("white", "white-clinker", "0.957")
    for site, product, amounts in (
        ("a", "clinker", [(100, 80), (300, 210), (0, 5)]),
        ("b", "white-clinker", [(50, 52)]),
    ):
        for number, (made, co2) in enumerate(amounts):
            line = works.line(f"{site}{number}", site=site)
            works.amount(works.channel(line, f"product:{product}"), made)
            works.amount(works.channel(line, "co2"), co2)
    scores = works.scores()
    near(scores["a", "lcd"].value, 0.939661)
    near(scores["b", "lcd"].value, 0.920192)
    near(scores["acme", "lcd"].value, 0.936744)
    assert scores["a2", "lcd"].value is None
    assert scores["a2", "lcd"].operation == "idle"
    assert scores["a2", "lcd"].denominator == 5.0


def test_semantics_9_chain() -> None:
    """Both products on chain benchmarks: the site is held to its net output alone, 0.770959."""
    works = Works()
    works.product("clinker")
    works.product("cement")
    works.benchmark("k", "clinker", "0.693", boundary="chain")
    works.benchmark("c", "cement", "0.469", boundary="chain")
    kiln, mill = works.line("kiln"), works.line("mill")
    works.amount(works.channel(kiln, "product:clinker"), 90)
    works.amount(works.channel(kiln, "co2"), 70)
    works.amount(works.channel(mill, "product:cement"), 120)
    works.amount(works.channel(mill, "material:clinker"), 90)
    works.amount(works.channel(mill, "co2"), 3)
    scores = works.scores()
    near(scores["wuhu", "lcd"].value, 0.770959)
    near(scores["kiln", "lcd"].value, 0.891)  # a chain that begins and ends here
    assert scores["mill", "lcd"].value is None
    assert "clinker is not made here" in (scores["mill", "lcd"].reason or "")


def test_gd_cd_sd_of_one_line() -> None:
    """GD, CD and SD by hand: 1.525 × 210 / 340, 20 / 360, 210 t a day by 14 people against the best peer."""
    works = Works()
    works.product("clinker", theoretical="1.525", best_peer="100/73")
    kiln = works.line("k1", people=14)
    day = {"start": NOON - 24 * HOUR}
    works.amount(works.channel(kiln, "product:clinker"), 210, **day)
    works.amount(works.channel(kiln, "material:raw-meal"), 340, **day)
    works.amount(works.channel(kiln, "material:ash", waste=True, counts_gd=False), 20, **day)
    scores = works.scores("24h")
    assert scores["k1", "gd"].value == 1.525 * 210 / 340
    assert scores["k1", "cd"].value == 20 / 360
    assert scores["k1", "sd"].denominator == 14 * 24
    near(scores["k1", "sd"].numerator, 153.3)
