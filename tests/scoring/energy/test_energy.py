"""Specific energy of a works built by hand: stage and chain, norms, and what is withheld."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from devices.plant.norm import Correction
from scoring.results import Energy
from tests.scoring.degrees.works import HOUR, NOON, Works, frac


def works_of_three(*, clinker_used: int = 80) -> Works:
    """Raw mill 150 t and 3 MWh; kiln 100 t, 11 t of coal and 3 MWh; mill 100 t and 4 MWh."""
    works = Works()
    for id_ in ("meal", "clinker", "cement"):
        works.product(id_)
    works.fuel("coal", "25.8", "94.6")
    raw, kiln, mill = works.line("raw"), works.line("kiln"), works.line("mill")
    booked = [
        (raw, "product:meal", "t", 150), (raw, "electricity", "kWh", 3000),
        (kiln, "material:meal", "t", 120), (kiln, "product:clinker", "t", 100), (kiln, "fuel:coal", "t", 11),
        (kiln, "electricity", "kWh", 3000),
        (mill, "material:clinker", "t", clinker_used), (mill, "product:cement", "t", 100),
        (mill, "electricity", "kWh", 4000),
    ]  # fmt: skip
    for line, counts, symbol, amount in booked:
        works.amount(works.channel(line, counts, symbol=symbol), amount)
    return works


def steel(power: str | None = "50", gas: str | None = None, made: str = "100") -> Works:
    """One line; gas in GJ may be negative: recovered."""
    works = Works()
    works.product("steel")
    works.fuel("gas", "1", "50")
    line = works.line("bof", min_output="1")
    works.amount(works.channel(line, "product:steel"), made)
    if power is not None:
        works.amount(works.channel(line, "electricity", symbol="kWh"), power)
    if gas is not None:
        works.amount(works.channel(line, "fuel:gas", symbol="GJ", step="1e-7"), gas)
    return works


def shown(energy: Energy) -> tuple[float | None, str | None]:
    return energy.value, energy.reason


def test_a_stage_is_its_own_lines_alone() -> None:
    """Kiln: 3,000 kWh / 100 t = 30; 11 · 25.8 GJ = 283,800 MJ / 100 t; the same as coal equivalent by 29.3076 MJ."""
    found = works_of_three().energies()
    power, heat = found["kiln", "electricity", "clinker"], found["kiln", "heat", "clinker"]
    assert (power.numerator, power.denominator, power.value, power.unit) == (3000.0, 100.0, 30.0, "kWh/t")
    assert (heat.numerator, heat.value, heat.unit) == (283_800.0, 2838.0, "MJ/t")
    both = found["kiln", "comprehensive", "clinker"]
    exact = (frac(283_800) + frac(3000) * frac("3.6")) / frac("29.3076")  # no norm: power at its 3.6 MJ
    assert both.numerator == exact.numerator / exact.denominator
    assert both.value == both.numerator / 100.0
    assert (both.basis, both.boundary) == ("fuel + electricity at 3.6 MJ/kWh", "stage")


def test_a_site_shows_each_product_of_its_own_lines() -> None:
    """Without a chain norm the site's clinker is the kiln's; products are never mixed into one number."""
    found = works_of_three().energies()
    for product, line in (("meal", "raw"), ("clinker", "kiln"), ("cement", "mill")):
        assert found["wuhu", "electricity", product].value == found[line, "electricity", product].value


def test_a_chain_brings_what_was_used() -> None:
    """Clinker: 3,000 + 120/150 · 3,000 = 5,400 kWh on 100 t. Cement: 4,000 + 80/100 · 5,400 = 8,320 kWh on 100 t."""
    works = works_of_three()
    works.norm("clinker", "clinker", "electricity", "48 57 61", chain=True)
    works.norm("cement", "cement", "electricity", "80 90", chain=True)
    found = works.energies()
    clinker, cement = found["wuhu", "electricity", "clinker"], found["wuhu", "electricity", "cement"]
    assert (clinker.numerator, clinker.value, clinker.boundary) == (5400.0, 54.0, "chain: meal")
    assert (clinker.norm_level, clinker.next, clinker.distance) == (2, 48.0, 6.0)
    assert clinker.distance_percent == 12.5
    assert (cement.numerator, cement.value, cement.boundary) == (8320.0, 83.2, "chain: meal, clinker")
    assert cement.norm_level == 2


def test_a_chain_that_begins_elsewhere_is_not_judged() -> None:
    """The kiln alone has no meal of its own: its number stands, without a level, and the levels are still told."""
    works = works_of_three()
    works.norm("clinker", "clinker", "electricity", "48 57 61", chain=True)
    kiln = works.energies()["kiln", "electricity", "clinker"]
    assert shown(kiln) == (30.0, "no level: clinker covers meal, not made here")
    assert (kiln.norm_level, kiln.next, kiln.levels) == (None, None, (48.0, 57.0, 61.0))


def test_surplus_is_not_charged() -> None:
    """The cement of a works that sells half its clinker: 4,000 + 50/100 · 3,000 kWh where meal is bought."""
    works = works_of_three(clinker_used=50)
    works.lines = [replace(line) for line in works.lines]
    works.norm("cement", "cement", "electricity", "80", chain=True)
    cement = works.energies()["wuhu", "electricity", "cement"]
    assert cement.value == (4000 + 0.5 * 5400) / 100


def test_more_used_than_made_is_remarked() -> None:
    """From the silo or bought: 150 t used of 100 t made count 1.5 times the energy, and it is said."""
    works = works_of_three(clinker_used=150)
    works.norm("cement", "cement", "electricity", "80", chain=True)
    cement = works.energies()["wuhu", "electricity", "cement"]
    said = "more clinker is used than made in the window: the rest counts as if made here"
    assert shown(cement) == ((4000 + 1.5 * 5400) / 100, said)


def test_used_but_not_made_in_the_window() -> None:
    """The kiln stands and the mill grinds from the silo: nobody knows that clinker's energy."""
    works = works_of_three()
    works.norm("cement", "cement", "electricity", "80", chain=True)
    works.booked = [row for row in works.booked if row[0] != 3]
    cement = works.energies()["wuhu", "electricity", "cement"]
    assert shown(cement) == (None, "clinker is used and none was made in the window")
    assert (cement.norm_level, cement.next) == (None, None)


def test_the_share_moves_the_levels() -> None:
    """80 % clinker: five points above 75, so 80 + 5.5, 87 + 5.75, 94 + 6."""
    works = works_of_three()
    share = Correction("clinker", frac(75), (frac("1.10"), frac("1.15"), frac("1.20")))
    works.norm("cement", "cement", "comprehensive", "80 87 94", chain=True, electricity="0.1229", correction=share)
    cement = works.energies()["wuhu", "comprehensive", "cement"]
    assert cement.levels == (85.5, 92.75, 100.0)
    heat = frac(283_800) / frac("29.3076")
    exact = frac("0.8") * (heat + frac("0.1229") * 5400) + frac("0.1229") * 4000
    assert cement.numerator == exact.numerator / exact.denominator
    assert cement.norm_level == 2  # (7,746.8 + 530.9 + 491.6) / 100 is 87.69 kgce/t


def test_a_converter_may_be_negative() -> None:
    """−87.9228 GJ is −3,000 kgce; with 1,000 kWh at 0.1229 it is −2,877.1 on 100 t: −28.771, level 2 of −30/−28/−12."""
    works = steel("1000", "-87.9228")
    works.norm("GB 21256", "steel", "comprehensive", "-30 -28 -12", electricity="0.1229")
    bof = works.energies()["bof", "comprehensive", "steel"]
    assert (bof.numerator, bof.value) == (-2877.1, -2877.1 / 100)
    assert (bof.norm_level, bof.next) == (2, -30.0)
    assert bof.distance == pytest.approx(1.229)
    assert works.energies()["bof", "heat", "steel"].value == -87922.8 / 100


@pytest.mark.parametrize(
    ("works", "energy", "why"),
    [
        (steel(None, "10"), "electricity", "no electricity is metered on bof"),
        (steel(None, "10"), "comprehensive", "no electricity is metered on bof"),
        (steel("50"), "heat", "no fuel is metered"),
        (steel("50", made="0"), "electricity", "idle: output is below 1 t/h"),
        (steel("50", made="0.5"), "electricity", "idle: output is below 1 t/h"),
    ],
)
def test_withheld(works: Works, energy: str, why: str) -> None:
    """What is missing is said, and the sums stand all the same."""
    found = works.energies()["bof", energy, "steel"]
    assert shown(found) == (None, why)
    if why.startswith("idle"):
        assert found.numerator == 50.0


def test_nothing_read() -> None:
    """No reading in the window is no zero."""
    works = steel()
    works.booked.clear()
    found = works.energies()["bof", "electricity", "steel"]
    assert (*shown(found), found.quality) == (None, "no readings in the window", "bad")


def test_power_alone_is_comprehensive_energy_too() -> None:
    """A line that burns nothing: 50 kWh · 3.6 / 29.3076 on 100 t, and the basis says that no fuel is in it."""
    found = steel("50").energies()["bof", "comprehensive", "steel"]
    assert found.basis == "electricity at 3.6 MJ/kWh"
    assert found.value == pytest.approx(50 * 3.6 / 29.3076 / 100)


def test_two_products_of_one_line_cannot_be_told_apart() -> None:
    """The line's energy belongs to both: withheld for each, at the line and above."""
    works = steel()
    works.product("slag")
    works.amount(works.channel(works.lines[0], "product:slag"), 10)
    for scope in ("bof", "wuhu"):
        found = works.energies()[scope, "electricity", "slag"]
        assert shown(found) == (None, "mixed products: bof makes slag, steel, its energy cannot be told apart")


def test_one_maker_without_a_meter_withholds_the_sum() -> None:
    """Two lines make steel and one of them meters no fuel: the site's heat would flatter."""
    works = steel("50", "10")
    other = works.line("bof2")
    works.amount(works.channel(other, "product:steel"), 100)
    works.amount(works.channel(other, "electricity", symbol="kWh"), 70)
    found = works.energies()
    assert found["wuhu", "electricity", "steel"].value == 120 / 200
    assert found["wuhu", "heat", "steel"].reason == "no fuel is metered on bof2, as it is where else steel is made"
    assert found["bof", "heat", "steel"].value == 100.0


def test_a_circle_has_no_first_step() -> None:
    """Dust that goes back and forth between two products: withheld, not endless."""
    works = works_of_three()
    works.amount(works.channel(works.lines[0], "material:clinker"), 1)
    works.norm("clinker", "clinker", "electricity", "48", chain=True)
    why = works.energies()["wuhu", "electricity", "clinker"].reason
    assert why == "clinker → meal → clinker: a circle has no first step"


def test_dated_norms() -> None:
    """The norm in force at the window's end judges; before the first there is no level; after `to` it is marked."""
    works = steel("40000")
    works.norm("power", "steel", "electricity", "350", start=date(2025, 11, 22), end=date(2025, 11, 22))
    midnight = NOON - 12 * HOUR
    works.amount(works.channels[0], 100, start=midnight - HOUR, end=midnight)
    works.amount(works.channels[1], 40000, start=midnight - HOUR, end=midnight)
    now = works.energies()["bof", "electricity", "steel"]
    assert (now.norm_level, now.next, now.reason) == (None, 350.0, None)
    before = works.energies(ts=midnight)["bof", "electricity", "steel"]
    assert (before.value, before.next, before.reason) == (400.0, None, "norm power is not yet in force")
    after = works.energies("24h", ts=NOON + 13 * HOUR)["bof", "electricity", "steel"]
    assert (after.value, after.next, after.quality) == (400.0, 350.0, "bad")  # an hour of data in a day
    assert after.reason == "norm power expired after 2025-11-22"


def test_completeness_asks_for_its_own_channels() -> None:
    """The fuel meter is silent for half the hour: heat knows half of its time, power all of it."""
    works = steel("50")
    works.fuel("gas", "1", "50")
    works.amount(works.channel(works.lines[0], "fuel:gas", symbol="GJ"), 10, start=NOON - HOUR // 2)
    found = works.energies()
    told = {
        kind: (found["bof", kind, "steel"].completeness, found["bof", kind, "steel"].quality) for _, kind, _ in found
    }
    assert told == {"electricity": (1.0, "good"), "heat": (0.5, "uncertain"), "comprehensive": (0.5, "uncertain")}


def test_what_is_stored() -> None:
    """From one hour on, at whole hours while meters report every second, and nothing that never has a value."""
    works = steel("50")
    assert {key[1] for key in works.energies(stored=True)} == {"electricity", "comprehensive"}
    assert works.energies("1min", stored=True) == {}
    assert works.energies(ts=NOON + 15 * 60_000, stored=True) == {}
    assert works.energies(ts=NOON + HOUR, stored=True)
