"""The documented registry compiles to what it says."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from devices.errors import RegistryError
from devices.plant import load, parse
from devices.plant.model import Counts, Kind, LcdChoice
from tests.devices.registries import EXAMPLE, changed, example, mistakes


def test_lines_and_stacks() -> None:
    """Lines carry ids, people and how they are judged; a stack stands on its lines' site."""
    plant = example()
    eaf, kiln = plant.lines
    assert (kiln.id, kiln.people, kiln.min_output) == ("acme/wuhu/pyro/k1", 14, 1)
    assert kiln.lcd == LcdChoice("gross", False, "eu-ets-grey-clinker")
    assert kiln.running is not None
    assert (plant.channels[kiln.running.channel].name, kiln.running.above) == ("feed", 50_000)
    assert eaf.hours == "calendar"
    (tail,) = plant.stacks
    assert (tail.id, tail.ambient_pa, tail.lines) == ("acme/wuhu/tail", 101_300, (kiln.index,))


def test_channels_in_steps() -> None:
    """Range, modulus and rise are counts of the channel's step."""
    plant = example()
    feed, coal, kwh = (
        plant.channel("k1-kiln", "feed"),
        plant.channel("k1-coal", "coal"),
        plant.channel("eaf1-main", "kwh"),
    )
    assert (feed.kind, feed.step, feed.low, feed.high, feed.max_gap_ms) == (
        Kind.RATE,
        Fraction(1, 1000),
        0,
        500_000,
        30_000,
    )
    assert (coal.field, coal.modulus, coal.rise_max, coal.max_gap_ms) == (
        "TOT_1",
        10_000_000,
        Fraction(100, 60_000),
        30_000,
    )
    assert (kwh.modulus, kwh.rise_max) == (1_000_000, Fraction(2000, 60_000))
    assert plant.channel("cems1", "nox").step == Fraction(1, 1_000_000)
    assert plant.channel("cems1", "moisture").max_gap_ms == 3_600_000


def test_derived_channels_carry_their_source() -> None:
    """Kind, step and gaps are the source's; the factor and the delay are its own."""
    plant = example()
    feed, clinker = plant.channel("k1-kiln", "feed"), plant.channel("k1-kiln", "clinker")
    assert (clinker.source, clinker.times, clinker.delay_ms) == (feed.index, Fraction("0.62"), 1_800_000)
    assert (clinker.kind, clinker.unit.symbol, clinker.step, clinker.max_gap_ms) == (
        Kind.RATE,
        "t/h",
        feed.step,
        30_000,
    )
    assert clinker.counts == Counts("product", "clinker")


def test_what_counts_where() -> None:
    """Materials count in both degrees by default, fuels in neither, and a declared waste in R."""
    plant = example()
    feed, coal, scrap = (
        plant.channel("k1-kiln", "feed"),
        plant.channel("k1-coal", "coal"),
        plant.channel("eaf1-main", "scrap"),
    )
    assert (feed.counts_gd, feed.counts_cd, feed.waste) == (True, True, False)
    assert (coal.counts_gd, coal.counts_cd, coal.waste) == (False, False, False)
    assert (scrap.counts_gd, scrap.counts_cd, scrap.waste) == (True, True, True)


def test_values_in_the_units_of_the_engines() -> None:
    """Per t, GJ and person-hour, exactly."""
    plant = example()
    coal, clinker = plant.fuels["bituminous"], plant.products["clinker"]
    assert (coal.ncv, coal.ef, coal.unit.symbol, coal.alternative) == (Fraction("25.8"), Fraction("0.0946"), "t", False)
    assert (clinker.process, clinker.theoretical) == (Fraction("0.525"), Fraction("1.525"))
    assert clinker.best_peer == Fraction(12000, 8760)
    (alarm,) = plant.alarms
    assert (alarm.scope, alarm.at, alarm.deadband, alarm.on_delay_ms) == ("stack:acme/wuhu/tail", 50, 1, 10_000)


def test_scopes_in_order_of_level() -> None:
    """Lines first, then every level above; industry, region and country are tags."""
    assert [s.id for s in example().scopes] == [
        "line:acme/wuhu/meltshop/eaf1",
        "line:acme/wuhu/pyro/k1",
        "area:acme/wuhu/meltshop",
        "area:acme/wuhu/pyro",
        "site:acme/wuhu",
        "enterprise:acme",
        "industry:cement",
        "industry:steel",
        "region:CN/anhui",
        "country:CN",
    ]


def test_topics() -> None:
    """The template, a stack's meter, and a topic of one's own."""
    assert [m.topic for m in example().meters] == [
        "plant/acme/wuhu/stack/tail/cems1",
        "plant/acme/wuhu/meltshop/eaf1/eaf1-main",
        "legacy/kiln1/coal",
        "plant/acme/wuhu/pyro/k1/k1-kiln",
    ]


def test_a_sub_meter_is_shadowed() -> None:
    """Where a main meter counts electricity, its sub-meter does not count it again; what else it counts stays."""
    sub = """
        [meter.eaf1-sub]
        line = "eaf1"
        every = "1s"
        parent = "eaf1-main"
        [meter.eaf1-sub.channels]
        kwh = { unit = "kWh", kind = "amount", counts = "electricity" }
        lime = { unit = "t", kind = "amount", counts = "material:lime" }
    """
    plant = parse(EXAMPLE + sub)
    assert plant.channel("eaf1-sub", "kwh").shadowed
    assert not plant.channel("eaf1-sub", "lime").shadowed
    assert not plant.channel("eaf1-main", "kwh").shadowed


def test_a_product_may_be_a_material() -> None:
    """A material whose id is a product is an internal flow: it needs no table of its own."""
    plant = parse(changed('counts = "material:scrap", waste = true', 'counts = "material:clinker"'))
    assert plant.materials["clinker"].counts_gd


def test_an_alarm_takes_its_limit_from_the_regime() -> None:
    """Without `at`, an emission alarm stands at the regime's limit."""
    plant = parse(changed("limit = { at = 50, deadband", "limit = { deadband"))
    assert plant.alarms[0].at == 50


def test_a_line_without_choice_takes_the_one_benchmark_that_can_be_meant() -> None:
    """One benchmark for its product: the line is judged by it, on its basis."""
    own = changed('profiles = ["cement", "steel"]', "").replace(', counts = "material:scrap", waste = true', "")
    plant = parse(own.replace('lcd = { basis = "gross", power = false, benchmark = "eu-ets-grey-clinker" }', ""))
    eaf, kiln = plant.lines
    assert kiln.lcd == LcdChoice("gross", False, "eu-ets-grey-clinker")
    assert eaf.lcd == LcdChoice("gross", True, None)


def test_dated_entries_ascend_and_the_registry_replaces_the_same_day() -> None:
    """Entries of profile and registry are joined by `from`; the registry's wins for the same day."""
    plant = example()
    first, second = plant.benchmarks["eu-ets-grey-clinker"]
    assert (first.start, second.start) == (date(2013, 1, 1), date(2021, 1, 1))
    assert second.source == "EU ETS phase 4, first period (recalled)"
    later = EXAMPLE + '[[factor]]\nid = "grid:CN"\nvalue = 0.5306\nunit = "kg CO2/kWh"\nfrom = 2026-01-01\n'
    assert [d.value for d in parse(later).factors["grid:CN"]] == [Fraction("0.5366"), Fraction("0.5306")]


def test_tables_are_merged_key_by_key() -> None:
    """An override keeps what it does not name, but not the source of a value that it replaced."""
    plant = parse(EXAMPLE + "[fuel.rdf]\nbiogenic = 0.25\n")
    rdf = plant.fuels["rdf"]
    assert (rdf.biogenic, rdf.ef, rdf.alternative, rdf.source) == (Fraction(1, 4), Fraction("0.075"), True, "")


def test_a_later_regime_follows_the_profiles() -> None:
    """A regime of the registry that begins later follows; it inherits what it does not say."""
    text = (
        changed("from = 2024-01-15", "from = 2027-01-01")
        .replace("nox = 50 }", "nox = 30 }")
        .replace("pm = 10,", "pm = 5,")
    )
    now, then = parse(text).regimes["cn-cement-ultra-low"]
    assert (now.start, now.limits["nox"], then.start, then.limits["nox"]) == (
        date(2024, 1, 15),
        50,
        date(2027, 1, 1),
        30,
    )


def test_every_fuel_that_is_waste_or_biogenic_is_alternative() -> None:
    """`alternative` need not be said where waste or carbon tell it."""
    fuels = example().fuels
    assert fuels["tyres"].alternative
    assert fuels["wood"].alternative
    assert not fuels["petcoke"].alternative


def test_load_reads_a_file(tmp_path: Path) -> None:
    """A file gives what its text gives, with or without the mark that Windows editors put in front."""
    path = tmp_path / "plant.toml"
    path.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode())
    assert load(path) == example()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Not there, not text, not TOML: one mistake each, never a traceback."""
    path = tmp_path / "plant.toml"
    with pytest.raises(RegistryError) as missing:
        load(path)
    assert "cannot be read" in missing.value.mistakes[0].cause
    path.write_bytes(b"schema = 1\n\xff")
    with pytest.raises(RegistryError) as broken:
        load(path)
    assert "line 2 is not UTF-8" in broken.value.mistakes[0].cause
    assert "is not TOML" in mistakes("[line.k1\n")[0].cause
    assert "twice" in mistakes("schema = 1\nschema = 1\n")[0].mend
    assert "deep" in mistakes("x = " + "[" * 20_000)[0].cause


def test_an_empty_registry_is_a_plant_without_anything() -> None:
    """Nothing is wrong with nothing; defaults stand."""
    plant = parse("")
    assert plant.windows == ("1min", "15min", "1h", "8h", "24h", "30d")
    assert (plant.intake.past_ms, plant.intake.grace_ms, plant.lines) == (259_200_000, 900_000, ())
