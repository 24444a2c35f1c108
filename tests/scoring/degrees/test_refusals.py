"""A degree that cannot be told honestly is not shown; it says why, and its sums stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from devices.plant.model import Kind
from scoring.degrees import DEGREES
from scoring.results import Score
from tests.scoring.degrees.works import HOUR, NOON, Works


def smelter(*, made: str = "100", **line: object) -> Works:
    """One line with all that the four degrees want, and one hour of it."""
    works = Works()
    works.product("steel", theoretical="1.05", best_peer="2")
    works.benchmark("ets", "steel", "0.2", power=True)
    works.grid("0.5")
    eaf = works.line("eaf", people=9, power=True, **line)  # type: ignore[arg-type]
    works.amount(works.channel(eaf, "product:steel"), made, start=NOON - 24 * HOUR)
    works.amount(works.channel(eaf, "material:scrap", waste=True), 110, start=NOON - 24 * HOUR)
    works.amount(works.channel(eaf, "electricity", symbol="kWh"), 60_000, start=NOON - 24 * HOUR)
    return works


def reasons(works: Works, window: str = "24h") -> dict[str, str | None]:
    return {degree: works.scores(window)["eaf", degree].reason for degree in DEGREES}


def withheld(score: Score) -> str:
    assert score.value is None
    assert score.reason is not None
    return score.reason


def test_all_shown() -> None:
    """With nothing missing all four degrees stand, without a word."""
    scores = smelter().scores("24h")
    assert [scores["eaf", d].value for d in DEGREES] == [105 / 110, 20 / 30, 1.0, 50 / 216]
    assert reasons(smelter()) == dict.fromkeys(DEGREES)


def test_smart_degree_not_below_a_day() -> None:
    """SD waits for 24 h; the others do not."""
    found = reasons(smelter(), "1h")
    assert found == {"gd": None, "lcd": None, "cd": None, "sd": "not shown below 24 h"}


def test_derived_output_not_below_an_hour() -> None:
    """Where the product is derived from the feed, GD and LCD wait for 1 h."""
    works = Works()
    works.product("clinker", theoretical="1.525", process="0.525")
    works.benchmark("ets", "clinker", "0.693")
    kiln = works.line("k1")
    feed = works.channel(kiln, "material:raw-meal", symbol="t/h", kind=Kind.RATE)
    clinker = works.channel(
        kiln, "product:clinker", symbol="t/h", kind=Kind.RATE, source=feed.index, times=works.number("0.62")
    )
    works.amount(feed, 340)
    works.booked.append((clinker.index, *works.booked[-1][1:]))  # the sums hold the source's integers
    minute, hour = works.scores("1min"), works.scores("1h")
    assert withheld(minute["k1", "gd"]) == withheld(minute["k1", "lcd"]) == "not shown below 1 h: output is derived"
    assert minute["k1", "cd"].value == 0.0
    assert hour["k1", "gd"].output == 210.8
    assert hour["k1", "gd"].numerator == 321.47
    assert hour["k1", "lcd"].value == hour["k1", "lcd"].numerator / hour["k1", "lcd"].denominator


def test_idle_below_min_output() -> None:
    """Below the least output every degree is withheld as idle, and the sums stay."""
    scores = smelter(made="10", min_output="1").scores("24h")
    for degree in DEGREES:
        assert withheld(scores["eaf", degree]) == "idle: output is below 1 t/h"
        assert scores["eaf", degree].operation == "idle"
    assert scores["eaf", "lcd"].denominator == 30.0
    assert smelter(made="24", min_output="1").scores("24h")["eaf", "gd"].value is not None


def test_no_readings() -> None:
    """A window without a reading is empty, not zero, and bad."""
    works = smelter()
    works.booked.clear()
    score = works.scores("24h")["eaf", "lcd"]
    assert withheld(score) == "no readings in the window"
    assert (score.quality, score.completeness, score.last) == ("bad", 0.0, None)


def test_nothing_below_the_line() -> None:
    """Output without any CO2 is undefined, not infinite."""
    works = Works()
    works.product("steel")
    works.benchmark("ets", "steel", "0.2")
    line = works.line("eaf")
    works.amount(works.channel(line, "product:steel"), 1)
    co2 = works.channel(line, "co2")
    assert withheld(works.scores()["eaf", "lcd"]) == "line eaf: at no time all was read that counts"
    works.amount(co2, 0)
    assert withheld(works.scores()["eaf", "lcd"]) == "no CO2 was emitted"


def test_a_silent_line_is_named_above_it() -> None:
    """Two lines make 1 t each, one says nothing of its CO2: the sum above stands on half of it, and says so."""
    works = Works()
    works.product("steel")
    works.benchmark("ets", "steel", "0.2")
    for name in ("eaf", "bof"):
        line = works.line(name)
        works.amount(works.channel(line, "product:steel"), 1)
        co2 = works.channel(line, "co2")
        if name == "eaf":
            works.amount(co2, 1)
    whole = works.scores()["acme", "lcd"]
    assert whole.value == 0.4
    assert whole.reason == "line bof: at no time all was read that counts"
    assert whole.quality == "bad"


def test_undeclared() -> None:
    """No theoretical value, no benchmark, no people, no best peer: each is named."""
    works = Works()
    works.product("steel")
    line = works.line("eaf")
    works.amount(works.channel(line, "product:steel"), 1, start=NOON - 24 * HOUR)
    works.amount(works.channel(line, "co2"), 1, start=NOON - 24 * HOUR)
    assert reasons(works) == {
        "gd": "no theoretical consumption for steel; no material is metered",
        "lcd": "no benchmark for steel, gross",
        "cd": "no material is metered",
        "sd": "no best peer's output for steel; no people declared for eaf",
    }


@pytest.mark.parametrize(
    ("benchmark", "why"),
    [
        ({"product": "iron", "power": True}, "benchmark ets is for iron, which the line does not make"),
        ({"power": False}, "benchmark ets is gross, the line counts gross with power: never mixed"),
        (
            {"basis": "net", "power": True},
            "benchmark ets is net with power, the line counts gross with power: never mixed",
        ),
    ],
)
def test_benchmark_that_does_not_fit(benchmark: dict[str, object], why: str) -> None:
    """A named benchmark of another product, basis or power choice is refused, never mixed."""
    works = smelter(benchmark="ets")
    works.benchmarks.clear()
    works.benchmark("ets", **({"product": "steel", "value": "0.2"} | benchmark))  # type: ignore[arg-type]
    assert withheld(works.scores("24h")["eaf", "lcd"]) == why


def test_ambiguous_benchmark() -> None:
    """Where two fit and the line names none, neither is taken."""
    works = smelter()
    works.benchmark("cbam", "steel", "0.3", power=True)
    assert reasons(works)["lcd"] == "2 benchmarks fit steel (cbam, ets): name one in `lcd`"
    named = smelter(benchmark="ets")
    named.benchmark("cbam", "steel", "0.3", power=True)
    assert named.scores("24h")["eaf", "lcd"].value == 20 / 30


def test_expired_benchmark_is_used_and_marked() -> None:
    """After its last local day a benchmark still counts, uncertain and said so."""
    works = smelter()
    works.benchmarks.clear()
    works.benchmark("ets", "steel", "0.2", power=True, start=date(2021, 1, 1), end=date(2025, 11, 21))
    score = works.scores("24h")["eaf", "lcd"]
    assert score.value == 20 / 30
    assert (score.quality, score.reason) == ("uncertain", "benchmark ets expired after 2025-11-21")


def test_last_day_is_included() -> None:
    """A benchmark that ends today is not expired at noon."""
    works = smelter()
    works.benchmarks.clear()
    works.benchmark("ets", "steel", "0.2", power=True, end=date(2025, 11, 22))
    assert works.scores("24h")["eaf", "lcd"].reason is None


def test_later_start_wins_within_the_window() -> None:
    """A window across a change of benchmark holds each part to its own value."""
    works = smelter()
    works.benchmark("ets", "steel", "0.1", power=True, start=date(2025, 11, 22))
    score = works.scores("24h")["eaf", "lcd"]
    assert score.numerator == 15.0  # half of the day at 0.2, half at 0.1
    assert score.denominator == 30.0


def test_not_yet_in_force() -> None:
    """Before the first value there is none; the CO2 that is known stays."""
    works = smelter()
    works.benchmarks.clear()
    works.factors.clear()
    works.benchmark("ets", "steel", "0.2", power=True, start=date(2030, 1, 1))
    works.grid("0.5", date(2030, 1, 1))
    score = works.scores("24h")["eaf", "lcd"]
    assert withheld(score) == "benchmark ets is not yet in force; no grid factor grid:CN in force"
    assert "co2_power" not in score.detail


def test_mixed_boundaries() -> None:
    """Stage and chain benchmarks are not added; a line alone is still told."""
    works = Works()
    for product, boundary in (("iron", "stage"), ("steel", "chain")):
        works.product(product)
        works.benchmark(f"b-{product}", product, "1", boundary=boundary)
        line = works.line(product)
        works.amount(works.channel(line, f"product:{product}"), 1)
        works.amount(works.channel(line, "co2"), 2)
    scores = works.scores()
    assert withheld(scores["wuhu", "lcd"]) == "stage and chain benchmarks are mixed: iron (stage), steel (chain)"
    assert scores["wuhu", "lcd"].denominator == 4.0
    assert scores["iron", "lcd"].value == scores["steel", "lcd"].value == 0.5


def chained(*, used: int = 90, waste: bool = False, **mill: object) -> Works:
    """A kiln with 90 t of clinker and a mill with 120 t of cement on chain benchmarks."""
    works = Works()
    for product, value in (("clinker", "0.7"), ("cement", "0.5")):
        works.product(product)
        works.benchmark(product, product, value, boundary="chain")
    kiln, grinding = works.line("kiln"), works.line("mill", **mill)  # type: ignore[arg-type]
    works.amount(works.channel(kiln, "product:clinker"), 90)
    works.amount(works.channel(kiln, "co2"), 70)
    works.amount(works.channel(grinding, "product:cement"), 120)
    works.amount(works.channel(grinding, "material:clinker"), used)
    works.product("slag")
    works.amount(works.channel(grinding, "material:slag", waste=waste), 5)
    return works


def test_a_chain_draws_from_stock() -> None:
    """Clinker ground from stock is no negative output, clinker put on stock is output."""
    assert chained(used=100, waste=True).scores()["wuhu", "lcd"].numerator == 60.0
    assert chained(used=80, waste=True).scores()["wuhu", "lcd"].numerator == 67.0


def test_a_chain_that_begins_outside() -> None:
    """A bought product carries its maker's CO2, so the chain is not inside; a bought waste carries none."""
    why = withheld(chained().scores()["wuhu", "lcd"])
    assert why == "the chain begins outside: slag is not made here"
    assert chained(waste=True).scores()["wuhu", "lcd"].reason is None


def test_a_chain_is_counted_in_one_way() -> None:
    """Lines of one chain that count CO2 on different bases, or one product against two values, are not added."""
    works = chained(waste=True, basis="net", benchmark="net-cement")
    works.benchmark("net-cement", "cement", "0.4", basis="net", boundary="chain")
    assert withheld(works.scores()["wuhu", "lcd"]) == "lines of one chain count CO2 differently: gross, net"
    works = chained(waste=True)
    works.benchmark("other", "cement", "0.45", boundary="chain")
    works.lines[1] = replace(works.lines[1], lcd=replace(works.lines[1].lcd, benchmark="cement"))
    second = works.line("mill2", benchmark="other")
    works.amount(works.channel(second, "product:cement"), 1)
    assert withheld(works.scores()["wuhu", "lcd"]) == "lines hold cement against different chain benchmarks"


def test_output_taken_back_is_marked() -> None:
    """A correction larger than what was made: the line is idle (semantics §3), its sums roll up, and both say so."""
    works = Works()
    works.product("steel")
    works.benchmark("ets", "steel", "0.2")
    for name, made in (("eaf", 100), ("bof", -20)):
        line = works.line(name)
        works.amount(works.channel(line, "product:steel", kind=Kind.AMOUNT, period_ms=HOUR), made)
        works.amount(works.channel(line, "co2"), 10)
    scores = works.scores()
    why = "bof: more steel was taken back than made"
    line, site = scores["bof", "lcd"], scores["wuhu", "lcd"]
    assert (line.value, line.output, line.operation, line.quality) == (None, -20.0, "idle", "uncertain")
    assert line.reason == f"idle: no output; {why}"
    assert (site.value, site.output, site.quality, site.reason) == (16 / 20, 80.0, "uncertain", why)
    assert (scores["eaf", "lcd"].quality, scores["eaf", "lcd"].reason) == ("good", "above 1: better than the benchmark")


def test_unlike_bases_are_added_and_marked() -> None:
    """Stage benchmarks on unlike bases add up (semantics §4), but nobody may take the sum for one basis."""
    works = Works()
    works.product("steel")
    for basis in ("gross", "net"):
        works.benchmark(basis, "steel", "0.2", basis=basis)
        line = works.line(basis, basis=basis, benchmark=basis)
        works.amount(works.channel(line, "product:steel"), 10)
        works.amount(works.channel(line, "co2"), 4)
    scores = works.scores()
    assert (scores["acme", "lcd"].value, scores["acme", "lcd"].basis) == (0.5, "gross + net")
    assert scores["acme", "lcd"].quality == "uncertain"
    assert scores["acme", "lcd"].reason == "its lines count CO2 on unlike bases: gross, net"
    assert {(s.quality, s.reason) for key, s in scores.items() if key in [("gross", "lcd"), ("net", "lcd")]} == {
        ("good", None)
    }


def test_expired_grid_factor() -> None:
    """A grid factor past its end is used and marked, where electricity counts."""
    works = smelter()
    works.factors.clear()
    works.grid("0.5", date(2022, 1, 1), end=date(2022, 12, 31))
    score = works.scores("24h")["eaf", "lcd"]
    assert (score.value, score.quality) == (20 / 30, "uncertain")
    assert score.reason == "the grid factor expired after 2022-12-31"


def test_more_netted_than_accounted() -> None:
    """Where internal flows exceed the theoretical need of what they became, the registry is wrong, not the works."""
    works = chained()
    for product in ("clinker", "cement"):
        works.product(product, theoretical="0.4")
    works.amount(works.channel(works.lines[0], "material:meal"), 50)
    assert withheld(works.scores()["wuhu", "gd"]) == "more is netted as internal flow than the members account for"


def test_one_line_lacks_a_benchmark() -> None:
    """A roll-up with a product nobody benchmarks is withheld and names the line."""
    works = smelter()
    works.product("slab")
    works.amount(works.channel(works.line("caster"), "product:slab"), 5)
    assert withheld(works.scores("24h")["wuhu", "lcd"]) == "caster: no benchmark for slab, gross"


def test_above_one_is_said_not_clamped() -> None:
    """A value above 1 is shown as it is, and flagged."""
    score = smelter(made="200").scores("24h")["eaf", "lcd"]
    assert score.value == 40 / 30
    assert score.reason == "above 1: better than the benchmark"
