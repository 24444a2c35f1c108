"""Roll-ups add sums, net what flows inside, and never average ratios."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from devices.plant.model import Kind
from scoring.degrees import DEGREES, coverage_groups
from scoring.results import Score
from tests.scoring.degrees.works import HOUR, NOON, Works


def kiln_and_mill(kiln_at: str = "wuhu") -> Works:
    """90 t clinker from 140 t of meal go into 120 t of cement with 30 t of slag."""
    works = Works()
    works.product("clinker", theoretical="1.525")
    works.product("cement", theoretical="0.98")
    kiln, mill = works.line("kiln", site=kiln_at), works.line("mill")
    works.amount(works.channel(kiln, "product:clinker"), 90)
    works.amount(works.channel(kiln, "material:raw-meal"), 140)
    works.amount(works.channel(mill, "product:cement"), 120)
    works.amount(works.channel(mill, "material:clinker"), 90)
    works.amount(works.channel(mill, "material:slag", waste=True), 30)
    return works


def test_internal_flow_is_no_material() -> None:
    """Clinker made and ground on one site is neither theory nor consumption there, and no CD material."""
    scores = kiln_and_mill().scores()
    assert scores["mill", "gd"].value == 117.6 / 120
    assert (scores["wuhu", "gd"].numerator, scores["wuhu", "gd"].denominator) == (137.25 + 117.6 - 90, 170.0)
    assert scores["mill", "cd"].value == 30 / 120
    assert scores["wuhu", "cd"].value == 30 / 170


def test_bought_clinker_is_a_material() -> None:
    """The mill's clinker is a resource from outside where no kiln stands in the scope."""
    scores = kiln_and_mill(kiln_at="anqing").scores()
    assert scores["wuhu", "cd"].value == 30 / 120
    assert scores["acme", "cd"].value == 30 / 170


def test_clinker_both_made_and_bought() -> None:
    """90 t made and 110 used: all 110 are the works' own, 20 of them from stock, so that windows add up. 15 t that are
    bought under a name of their own are a material.
    """
    works = kiln_and_mill()
    works.amount(works.channel(works.lines[1], "material:clinker"), 20)
    works.amount(works.channel(works.lines[1], "material:bought-clinker"), 15)
    scores = works.scores()
    assert (scores["wuhu", "gd"].numerator, scores["wuhu", "gd"].denominator) == (137.25 + 117.6 - 110, 140.0 + 30 + 15)
    assert scores["wuhu", "cd"].value == 30 / 185


def test_sub_meters_and_levels_do_not_count() -> None:
    """What a main meter already counts is not counted again; a level has no amount."""
    works = Works()
    works.product("steel")
    line = works.line("eaf")
    works.amount(works.channel(line, "product:steel"), 10)
    works.amount(works.channel(line, "product:steel", shadowed=True), 4)
    works.amount(works.channel(line, "product:steel", kind=Kind.LEVEL), 9)
    assert works.scores()["eaf", "gd"].output == 10.0


def test_measured_co2_replaces_the_calculated() -> None:
    """A line whose CO2 is measured does not count process and fuel CO2 a second time; its electricity adds."""
    works = Works()
    works.product("clinker", process="0.525")
    works.fuel("coal", "25.8", "94.6")
    works.benchmark("ets", "clinker", "0.693", power=True)
    works.grid("0.5")
    kiln = works.line("k1", power=True)
    works.amount(works.channel(kiln, "product:clinker"), 100)
    works.amount(works.channel(kiln, "fuel:coal"), 10)
    works.amount(works.channel(kiln, "co2", symbol="kg"), 80_000)
    works.amount(works.channel(kiln, "electricity", symbol="MWh"), 4)
    score = works.scores()["k1", "lcd"]
    assert score.denominator == 82.0
    assert [score.detail[f"co2_{name}"] for name in ("measured", "process", "fuel")] == [80.0, 0.0, 0.0]
    assert score.detail["heat_gj"] == 258.0


def test_units_meet_once() -> None:
    """kg, MWh and MJ/h come out as t, kWh and GJ, exactly."""
    works = Works()
    works.product("steel")
    works.fuel("gas", "48", "56.1")
    works.benchmark("b", "steel", "1", power=True)
    works.grid("0.6")
    line = works.line("eaf", power=True)
    works.amount(works.channel(line, "product:steel", symbol="kg"), 1000)
    works.amount(works.channel(line, "electricity", symbol="kW", kind=Kind.RATE), 500)
    works.amount(works.channel(line, "fuel:gas", symbol="MJ/h", kind=Kind.RATE), 10_000)
    score = works.scores()["eaf", "lcd"]
    assert (score.output, score.detail["co2_power"], score.detail["heat_gj"]) == (1.0, 0.3, 10.0)
    assert score.detail["co2_fuel"] == 0.561


def test_worked_hours() -> None:
    """Person-time on the worked basis stops with the line; on the calendar it does not. H always adds."""
    works = Works()
    works.product("steel", best_peer="2")
    for name, hours in (("a", "worked"), ("b", "calendar")):
        line = works.line(name, people=5, hours=hours)
        feed = works.channel(line, None, symbol="t/h", kind=Kind.RATE)
        works.runs_with(line, feed)
        works.amount(feed, 50, start=NOON - 6 * HOUR)
        works.amount(works.channel(line, "product:steel"), 60, start=NOON - 6 * HOUR)
    scores = works.scores("24h")
    assert (scores["a", "sd"].denominator, scores["b", "sd"].denominator) == (30.0, 120.0)
    assert (scores["wuhu", "sd"].numerator, scores["wuhu", "sd"].denominator) == (60.0, 150.0)


def test_completeness_is_of_running_time() -> None:
    """Half of the running time known on one line, all on the other: 75 % together, quality of the worse one."""
    works = Works()
    works.product("steel", theoretical="1")
    for name, start in (("a", NOON - HOUR // 2), ("b", NOON - HOUR)):
        line = works.line(name)
        works.amount(works.channel(line, "product:steel"), 10)
        works.amount(works.channel(line, "material:ore"), 12, start=start)
    scores = works.scores()
    assert [scores[n, "cd"].completeness for n in ("a", "b", "wuhu")] == [0.5, 1.0, 0.75]
    assert [scores[n, "cd"].quality for n in ("a", "b", "wuhu")] == ["uncertain", "good", "uncertain"]
    assert scores["a", "sd"].completeness == 1.0


def test_bad_below_half() -> None:
    """What is known for less than half of the running time is bad, even where the rest is good."""
    works = kiln_and_mill()
    works.booked[1] = (*works.booked[1][:1], NOON - HOUR // 2 + 1, *works.booked[1][2:])
    scores = works.scores()
    assert [scores[n, "gd"].quality for n in ("kiln", "mill", "wuhu")] == ["bad", "good", "bad"]


def test_standing_still_is_complete() -> None:
    """A line known to stand still lacks nothing; an unknown one does."""
    works = Works()
    works.product("steel")
    line = works.line("a")
    feed = works.channel(line, None, symbol="t/h", kind=Kind.RATE)
    works.runs_with(line, feed)
    works.channel(line, "product:steel")
    works.amount(feed, 0, start=NOON - HOUR // 4)
    score = works.scores()["a", "gd"]
    assert (score.operation, score.completeness) == ("stopped", 0.25)
    assert score.quality == "bad"


def test_a_silent_running_channel_is_not_good() -> None:
    """What says that the line runs was read in the last half of the hour alone: complete to the letter (all of the
    known running time), and uncertain, with the reason; of less than half of it: bad. The site says whose it is.
    """
    for known, quality in ((HOUR, "good"), (HOUR // 2, "uncertain"), (HOUR // 5, "bad")):
        works = Works()
        works.product("steel", theoretical="1")
        line = works.line("a")
        feed = works.channel(line, None, symbol="t/h", kind=Kind.RATE)
        works.runs_with(line, feed)
        works.amount(feed, 50, start=NOON - known)
        works.amount(works.channel(line, "product:steel"), 10)
        works.amount(works.channel(line, "material:ore"), 12)
        scores = works.scores()
        why = None if quality == "good" else "line a: not always known whether it runs"
        for scope in ("a", "wuhu"):
            gd = scores[scope, "gd"]
            assert (gd.completeness, gd.quality, gd.reason) == (1.0, quality, why)


def test_instants_need_no_coverage() -> None:
    """Amounts at an instant cover no time: they are never asked for, unless everything is one."""
    works = Works()
    works.product("steel")
    line = works.line("a")
    works.channel(line, "product:steel", kind=Kind.AMOUNT)
    works.channel(line, "material:scrap", kind=Kind.AMOUNT, period_ms=60_000)
    works.channel(line, "electricity", symbol="kWh", required=False)
    works.channel(line, None, symbol="kW", kind=Kind.RATE, required=True)
    groups = coverage_groups(works.plant())
    assert [(g.degree, g.channels) for g in groups] == [("gd", (1, 3)), ("lcd", (3,)), ("cd", (1, 3)), ("sd", (3,)),
        ("electricity", (3,)), ("heat", (3,)), ("comprehensive", (3,)),
    ]  # fmt: skip


def test_flags_make_uncertain() -> None:
    """A flagged counter makes uncertain what it counts in, and nothing else."""
    works = kiln_and_mill()
    works.flagged.add(1)  # the kiln's meal
    scores = works.scores()
    assert [scores["kiln", d].quality for d in DEGREES] == ["uncertain", "good", "uncertain", "good"]
    assert scores["mill", "gd"].quality == "good"


def test_stale_and_last() -> None:
    """A scope is stale with any of its lines, and as old as its newest reading."""
    works = kiln_and_mill()
    scores = works.scores(stale=lambda line, degree: (line, degree) == (1, "cd"))
    assert {key for key, score in scores.items() if score.stale} == {("mill", "cd"), ("wuhu", "cd"), ("acme", "cd")}
    assert scores["kiln", "gd"].last == NOON
    assert works.scores(ts=NOON - HOUR // 2)["kiln", "gd"].last == NOON - HOUR // 2  # as it was known then


def test_products_in_different_units_have_no_sum() -> None:
    """Where products mix units the output is not a number of anything."""
    works = kiln_and_mill()
    scores = works.scores()
    assert (scores["wuhu", "gd"].output, scores["wuhu", "gd"].output_unit) == (210.0, "t")
    assert "co2_gross_per_t" not in scores["wuhu", "lcd"].detail  # a t of clinker is no t of cement
    for degree in ("gd", "lcd", "cd", "sd"):  # so each says how much
        detail = scores["wuhu", degree].detail
        assert {key: detail[key] for key in detail if "output" in key} == {"output_cement": 120, "output_clinker": 90}
        assert not any("output" in key for key in scores["kiln", degree].detail)
    works.product("oxygen", "m3")
    works.amount(works.channel(works.line("asu"), "product:oxygen", symbol="m3"), 7)
    scores = works.scores()
    assert (scores["asu", "gd"].output, scores["asu", "gd"].output_unit) == (7.0, "m3")
    assert (scores["wuhu", "gd"].output, scores["wuhu", "gd"].output_unit) == (0.0, "")


amounts = st.tuples(*[st.integers(1, 10**9)] * 4)


def many_lines(rows: list[tuple[int, int, int, int]], order: list[int], times: int = 1) -> dict[tuple[str, str], Score]:
    works = Works()
    works.product("steel", theoretical="1.05", best_peer="1.7", process="0.01")
    works.benchmark("ets", "steel", "0.21537", power=True)
    works.grid("0.5366")
    for number in order:
        line = works.line(f"l{number}", power=True, people=7)
        for counts, symbol, amount in zip(
            ("product:steel", "material:scrap", "electricity", "co2"),
            ("t", "t", "kWh", "kg"),
            rows[number],
            strict=True,
        ):
            booked = works.channel(line, counts, symbol=symbol, waste=counts == "material:scrap")
            works.booked.append((booked.index, NOON - 24 * HOUR, NOON, amount * times))
    return works.scores("24h")


@given(
    st.lists(amounts, min_size=1, max_size=5).flatmap(lambda r: st.tuples(st.just(r), st.permutations(range(len(r)))))
)
def test_order_of_lines_changes_nothing(drawn: tuple[list[tuple[int, int, int, int]], list[int]]) -> None:
    """Listing the lines in another order leaves every number of every scope bit-identical."""
    rows, order = drawn
    assert _numbers(rows, order) == _numbers(rows, sorted(order))


def _numbers(rows: list[tuple[int, int, int, int]], order: list[int]) -> dict[tuple[str, str], tuple[object, ...]]:
    found = many_lines(rows, order)
    return {key: (s.value, s.numerator, s.denominator, s.output, s.detail) for key, s in found.items()}


@given(st.lists(amounts, min_size=1, max_size=4), st.integers(2, 1000))
def test_scaling_changes_no_ratio(rows: list[tuple[int, int, int, int]], times: int) -> None:
    """A works k times as large is as green, as low in carbon and as circular (to the rounding of one double)."""
    small, large = many_lines(rows, list(range(len(rows)))), many_lines(rows, list(range(len(rows))), times)
    for degree in ("gd", "lcd", "cd"):
        a, b = small["wuhu", degree], large["wuhu", degree]
        assert a.value is not None
        assert b.value is not None
        assert abs(a.value - b.value) <= 2**-51 * a.value


@given(st.lists(amounts, min_size=2, max_size=5))
def test_a_roll_up_is_the_ratio_of_sums(rows: list[tuple[int, int, int, int]]) -> None:
    """Numerator and denominator are the nearest doubles of the exact sums; a mean of ratios never appears."""
    site = many_lines(rows, list(range(len(rows))))["wuhu", "lcd"]
    made = sum(Fraction(r[0], 1000) for r in rows)
    co2 = sum(Fraction(r[2], 1000) * Fraction("0.5366") / 1000 + Fraction(r[3], 1_000_000) for r in rows)
    leading = made * Fraction("0.21537")
    assert site.numerator == leading.numerator / leading.denominator
    assert site.denominator == co2.numerator / co2.denominator
    assert site.value == site.numerator / site.denominator
