"""What `greengauge check` says of a registry without mistakes."""

from __future__ import annotations

from datetime import date

import pytest

from devices.errors import RegistryError
from devices.plant import parse
from devices.plant.merge import profile_names
from devices.plant.report import describe, warnings
from tests.devices.registries import EXAMPLE, changed, example

DAY = date(2026, 5, 1)


def test_summary() -> None:
    """One row a line and a stack, with what it counts and how it is judged."""
    text = describe(example())
    assert "line acme/wuhu/pyro/k1: 2 meter(s), 3 channel(s)" in text
    assert "runs while k1-kiln.feed > 50 t/h" in text
    assert "nox 50, pm 10, so2 35 mg/m3 at 10 % O2" in text


def test_expired_and_illustrative_values_are_named() -> None:
    """An expired benchmark and values to be checked, each where it stands."""
    said = {(w.table, w.cause.partition(":")[0]) for w in warnings(example(), DAY)}
    assert ("benchmark.eu-ets-grey-clinker", "expired on 2025-12-31; it is used and marked") in said
    assert ("product.clinker", "rests on a value to be checked") in said
    assert not any("expired" in w.cause for w in warnings(example(), date(2025, 12, 31)))


@pytest.mark.parametrize(
    ("old", "new", "table", "cause"),
    [
        ("people = 14", "", "line.k1", "has no `people`"),
        (', counts = "product:clinker"', "", "line.k1", "no channel counts a product"),
        ('counts = "product:clinker"', 'counts = "product:cement"', "product.cement", "has no `theoretical`"),
        ("power = false, benchmark", "power = true, benchmark", "line.k1.lcd", "otherwise than benchmark"),
        ('electricity = "grid:CN"', "", "site.wuhu", "has no `electricity` factor"),
        ('o2 = { unit = "%", kind = "level", water = "dry" }', "", "stack.tail", "no channel `o2`"),
        ('moisture = { unit = "%", kind = "level", max_gap = "1h" }', "", "stack.tail", "no channel `moisture`"),
        ('temp = { unit = "degC", kind = "level" }', "", "stack.tail", "no channel `temp`"),
        (', state = "hot"', "", "meter.cems1.channels.nox", "does not say `state`"),
        (', water = "dry"', "", "meter.cems1.channels.o2", "does not say `water`"),
        ('"material:raw-meal"', '"material:raw-mael"', "material.raw-mael", "not declared"),
        ('"material:scrap"', '"material:pebbles"', "material.pebbles", "not declared"),
        ('counts = "product:eaf-carbon-steel"', 'counts = "product:ingots"', "product.ingots", "not declared"),
        ('source = "recalled; set your own"', "", "factor.grid:CN", "has no source"),
        (
            'unit = "t/h", kind = "rate", step = "0.001", max_gap = "30s", range = [0, 500]',
            'unit = "g/h", kind = "rate"',
            "meter.k1-kiln.channels.feed",
            "readings beyond 2,562,047 g/h",
        ),
        (
            'temp = { unit = "degC"',
            'so2 = { unit = "kg/h", kind = "rate" }\ntemp = { unit = "degC"',
            "stack.tail",
            "`so2` is in `kg/h`, no concentration",
        ),
        ("limits = { pm = 10, so2 = 35, nox = 50 }", "limits = { pm = 10, so2 = 35 }", "stack.tail", "measured is nox"),
        ("o2_ref = 10", "o2_ref = 0.1", "regime.cn-cement-ultra-low", "`o2_ref` is 0.1 %"),
        ("from = 2024-01-15", "from = 2027-01-01", "regime.cn-cement-ultra-low", ""),
    ],
)
def test_each_warning(old: str, new: str, table: str, cause: str) -> None:
    """What works but may not be meant is said, once, with a mend."""
    text = changed(old, new)
    if 'product:cement"' in new:
        text = text.replace('benchmark = "eu-ets-grey-clinker" }', 'benchmark = "eu-taxonomy-cement" }')
    found = [w for w in warnings(parse(text), DAY) if w.table == table and cause in w.cause]
    assert len(found) == 1 or (not cause and found)
    assert all(w.mend and str(w) for w in found)


def test_a_parent_on_another_line_is_doubtful() -> None:
    """Then the other line loses what its own meter counts."""
    text = EXAMPLE.replace('[meter.k1-kiln]\nline = "k1"', '[meter.k1-kiln]\nline = "k1"\nparent = "eaf1-main"')
    assert any("another line" in w.cause for w in warnings(parse(text), DAY))


@pytest.mark.parametrize("name", profile_names())
def test_each_profile_stands_alone(name: str) -> None:
    """A profile has no mistakes, and every dated value in it a source."""
    plant = parse(f'profiles = ["{name}"]')
    dated = [e for group in (plant.factors, plant.benchmarks, plant.regimes) for es in group.values() for e in es]
    assert dated
    assert all(entry.source for entry in dated)
    assert all(fuel.source for fuel in plant.fuels.values())


def test_the_shipped_regimes() -> None:
    """Limits of the domain's table."""
    regimes = parse('profiles = ["cement", "steel"]').regimes
    limits = {id_: {k: float(v) for k, v in entries[-1].limits.items()} for id_, entries in regimes.items()}
    assert limits["cn-cement-gb4915"] == {"pm": 30, "so2": 200, "nox": 400, "f": 5, "hg": 0.05, "nh3": 10}
    assert limits["cn-cement-gb4915-special"] == {"pm": 20, "so2": 100, "nox": 320, "f": 3, "hg": 0.05, "nh3": 8}
    assert limits["cn-cement-ultra-low"] == limits["cn-sinter-ultra-low"] == {"pm": 10, "so2": 35, "nox": 50}
    assert limits["cn-cement-gb4915-cooler"] == {"pm": 30}
    assert limits["cn-cement-gb4915-cooler-special"] == {"pm": 20}
    assert {id_: e[-1].o2_ref for id_, e in regimes.items() if e[-1].o2_ref is not None} == {
        "cn-cement-gb4915": 10,
        "cn-cement-gb4915-special": 10,
        "cn-cement-ultra-low": 10,
        "cn-sinter-ultra-low": 16,
        "eu-ied-co-incineration": 10,
        "us-subpart-lll": 7,
    }
    eu, us = regimes["eu-ied-co-incineration"][-1], regimes["us-subpart-lll"][-1]
    assert limits[eu.id] == {"pm": 30, "so2": 50, "nox": 500, "hcl": 10, "hf": 1, "toc": 10, "hg": 0.05}
    assert {k: float(v) for k, v in eu.confidence.items()} == {
        "so2": 0.2, "nox": 0.2, "toc": 0.3, "hcl": 0.4, "hf": 0.4, "co": 0.1, "pm": 0.3,
    }  # fmt: skip
    assert (eu.block_ms, eu.day_discarded, eu.year_discarded) == (1_800_000, 5, 10)
    assert (float(us.base), float(us.molar_litres), us.quadrants, us.per) == (20.9, 24.055, True, "clinker")
    assert {k: (str(v.value), v.unit) for k, v in us.specific.items()} == {
        "pm": ("7/100", "lb/short-ton"),
        "hg": ("11/200000", "lb/short-ton"),
    }
    assert limits[us.id]["thc"] == pytest.approx(24 * 44.097 / 24.055)


def test_what_only_counts_names_takes_the_defaults() -> None:
    """An undeclared product has the unit of its channel's amount, an undeclared material counts in both degrees."""
    plant = parse("""
[site.s]
enterprise = "e"
timezone = "UTC"
[line.l]
site = "s"
area = "a"
lcd = { benchmark = "b" }
[meter.m]
line = "l"
every = "1s"
[meter.m.channels]
flow = { unit = "kg/h", kind = "rate", counts = "material:flour" }
bread = { kind = "derived", of = "flow", times = "1.2", counts = "product:bread" }
own = { unit = "t", kind = "amount", counts = "material:bread" }
[[benchmark]]
id = "b"
product = "bread"
value = 600
unit = "kg CO2/t"
basis = "gross"
power = false
boundary = "stage"
""")
    assert plant.products["bread"].unit.symbol == "kg"
    assert not plant.products["bread"].declared
    assert set(plant.materials) == {"flour", "bread"}
    assert (plant.materials["flour"].counts_gd, plant.materials["flour"].counts_cd) == (True, True)
    said = {w.table: w.mend for w in warnings(plant, DAY)}
    assert {"product.bread", "material.flour"} <= said.keys()
    assert "material.bread" not in said  # it is the product, consumed again


def test_a_registry_without_meters_is_doubtful() -> None:
    """It is right, and good for nothing: an empty file by mistake."""
    assert [(w.table, "no meter" in w.cause) for w in warnings(parse("schema = 1"))] == [("meter", True)]


def test_a_topic_template_is_refused_together_with_all_else() -> None:
    """Of the template and of a duration, told at once."""
    intake = '[intake]\npast = "-1h"\ntopic = "{x}/{y}"'
    with pytest.raises(RegistryError) as refused:
        parse(f"schema = 1\n{intake}")
    assert {m.key for m in refused.value.mistakes} == {"past", "topic"}
