"""Why a degree moved, from outside: `greengauge replay --why`, each number derived by hand."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.system.test_replay_cases import Bench, bench  # noqa: F401 - a fixture
from tests.system.why_plant import FIRST, HOUR, LINE, REGISTRY, SECOND, T, rows

F = Fraction
Why = dict[str, Any]


def why(bench: Bench, registry: str, readings: Any, degree: str, window: str = "1h", scope: str = LINE) -> Why:
    """The one why object; its two lists must add up to the change as they are printed."""
    things = bench.replay(registry, readings, "--why", window)
    [found] = [t for t in things if "causes" in t and (t["scope"], t["degree"]) == (scope, degree)]
    for which in ("parts", "causes") if found["change"] is not None else ():
        assert sum(Decimal(repr(c["contribution"])) for c in found[which]) == Decimal(repr(found["change"]))
    return found


def causes(found: Why, *keys: str) -> dict[Any, float]:
    """(cause, …) → contribution."""
    return {tuple(c[k] for k in ("cause", *keys)): c["contribution"] for c in found["causes"]}


def near(expected: dict[Any, F]) -> Any:
    return pytest.approx({key: float(value) for key, value in expected.items()}, abs=2e-12)


def test_fuel_energy_and_factor(bench: Bench) -> None:
    """N 70 → 73.5; D = process 50 → 52.5, coal 25 → 27.5, electricity 4,000 kWh × 0.5 → 5,000 × 0.4 = 2 → 2.

    R0 = 70/77, R1 = 73.5/82. Coal −R0·R1·(27.5/73.5 − 25/70). Factor at the old amount −R1·4000·(0.4 − 0.5)/1000/77,
    energy at the new factor −R0·R1·(5000/73.5 − 4000/70)·0.4/1000. Process/N is 5/7 both times: nothing.
    """
    found = why(bench, REGISTRY, rows(), "lcd")
    r0, r1 = F(70, 77), F(147, 164)
    assert causes(found, "meter", "channel") == near(
        {
            ("fuel", "m1", "coal"): -r0 * r1 * (F(55, 147) - F(25, 70)),
            ("factor", "m1", "kwh"): r1 * F(4000, 10_000) / 77,
            ("energy", "m1", "kwh"): -r0 * r1 * (F(10_000, 147) - F(4000, 70)) * F(4, 10_000),
        }
    )
    assert (found["value_before"], found["value"]) == (70 / 77, 73.5 / 82)
    assert (found["before"], found["ts"]) == (T, T + HOUR)


def test_benchmark_first(bench: Bench) -> None:
    """0.7 → 0.6 from the second hour on, same amounts: (60 − 70)/77, then the grid's 2 → 1.6 t from 60/77 on."""
    table = REGISTRY[REGISTRY.index("[[benchmark]]") : REGISTRY.index("[line.k]")]
    newer = table.replace("0.7", "0.6") + "from = 2026-01-01\n"
    found = why(bench, REGISTRY.replace(table, table + newer), rows(FIRST, FIRST), "lcd")
    assert causes(found, "id") == near(
        {("benchmark", "clinker"): F(-10, 77), ("factor", "grid:X"): F(60) / F(766, 10) - F(60, 77)}
    )
    assert found["parts"][0]["part"] == "benchmark"


def test_green_per_output(bench: Bench) -> None:
    """N 150 → 157.5, meal 150 → 155, ash 10 → 14: −R0·R1·(155/157.5 − 1) and −R0·R1·(14/157.5 − 10/150)."""
    r0r1 = F(150, 160) * F(1575, 1690)
    assert causes(why(bench, REGISTRY, rows(), "gd"), "channel") == near(
        {("material", "meal"): -r0r1 * (F(1550, 1575) - 1), ("material", "ash"): -r0r1 * (F(140, 1575) - F(1, 15))}
    )


def test_circular_names_the_waste(bench: Bench) -> None:
    """10/160 → 14/169: the ash +4·(1 − 10/160)/169, the meal −(10/160)·5/169."""
    assert causes(why(bench, REGISTRY, rows(), "cd"), "channel") == near(
        {("waste", "ash"): F(4, 169) * F(150, 160), ("material", "meal"): -F(10, 160) * F(5, 169)}
    )


def test_smart_over_days(bench: Bench) -> None:
    """5 heads a whole day, best peer 4 t/person-h: 96 t → 0.2, 120 t the next day → 0.25; the people are the same."""
    days = [(T + day * 24 * HOUR, "m1", "made", tons) for day, tons in ((0, 96), (1, 120))]
    found = why(bench, REGISTRY, days, "sd", "24h")
    assert causes(found, "channel") == near({("output", "made"): F(5, 100)})
    [part] = found["parts"]
    assert (part["part"], part["line"], part["channel"]) == ("people", "acme/works/hall/k", None)


def second_line() -> str:
    """Line q like line k, with meter m2."""
    line = REGISTRY[REGISTRY.index("[line.k]") :]
    return REGISTRY + line.replace("[line.k]", "[line.q]").replace("m1", "m2").replace('"k"', '"q"')


def test_output_moves_between_lines(bench: Bench) -> None:
    """k burns 10 t, q 20 t for 100 t each; then k makes 150 of 15, q 50 of 10: no line got better, the mix did.

    N 140; D = 100 + 25 + 50 = 175 → 100 + 37.5 + 25 = 162.5. Intensities as they were, shares of N 1/2 → 3/4 and
    1/4: −R0·R1·(D_k0/70)·(1/4) with D_k0 = 75, +R0·R1·(D_q0/70)·(1/4) with D_q0 = 100.
    """
    both = [
        (ts, meter, channel, amount)
        for ts, k, q in ((T, (10, 100), (20, 100)), (T + HOUR, (15, 150), (10, 50)))
        for meter, values in (("m1", k), ("m2", q))
        for channel, amount in zip(("coal", "made"), values, strict=True)
    ]
    found = why(bench, second_line(), both, "lcd", scope="site:acme/works")
    r0r1 = F(140, 175) * F(1400, 1625)
    assert causes(found, "line", "meter") == near(
        {
            ("output", "acme/works/hall/k", "m1"): -r0r1 * F(75, 280),
            ("output", "acme/works/hall/q", "m2"): r0r1 * F(100, 280),
        }
    )
    assert found["text"] == "WHY 0.800>0.862: output +.062"  # of both lines together
    parts = {(p["part"], p["meter"]): p["contribution"] for p in found["parts"]}  # the formula, line by line
    assert parts["fuel", "m1"] == pytest.approx(float(-r0r1 * F(125, 10) / 140), abs=2e-12)
    assert parts["fuel", "m2"] == pytest.approx(float(r0r1 * F(25) / 140), abs=2e-12)


CHAIN = """
[site.works]
enterprise = "acme"
timezone = "UTC"
[line.kiln]
site = "works"
area = "hall"
lcd = { power = false }
[line.mill]
site = "works"
area = "hall"
lcd = { power = false }
[meter.a]
line = "kiln"
every = "1h"
[meter.a.channels]
clinker = { unit = "t", kind = "amount", period = "1h", counts = "product:clinker" }
co2 = { unit = "t", kind = "amount", period = "1h", counts = "co2" }
[meter.b]
line = "mill"
every = "1h"
[meter.b.channels]
cement = { unit = "t", kind = "amount", period = "1h", counts = "product:cement" }
used = { unit = "t", kind = "amount", period = "1h", counts = "material:clinker" }
[product.clinker]
[product.cement]
[[benchmark]]
id = "c1"
product = "clinker"
value = 0.7
unit = "t CO2/t"
basis = "gross"
power = false
boundary = "chain"
[[benchmark]]
id = "c2"
product = "cement"
value = 0.5
unit = "t CO2/t"
basis = "gross"
power = false
boundary = "chain"
[scoring]
windows = ["1h"]
"""


def test_chain_by_net_output(bench: Bench) -> None:
    """100 t clinker, 80 t of it ground to 120 t cement: N = 20·0.7 + 120·0.5 = 74; then 90, 80, 120: N = 7 + 60 = 67.

    CO2 80 → 75, one part alone: all of 67/75 − 74/80 is its.
    """
    amounts = (
        (T, {"clinker": 100, "co2": 80, "cement": 120, "used": 80}),
        (T + HOUR, {"clinker": 90, "co2": 75, "cement": 120, "used": 80}),
    )
    readings = [(ts, "a" if c in ("clinker", "co2") else "b", c, x) for ts, row in amounts for c, x in row.items()]
    found = why(bench, CHAIN, readings, "lcd", scope="site:acme/works")
    assert causes(found, "channel") == near({("measured", "co2"): F(67, 75) - F(74, 80)})


def test_a_withheld_side_says_so(bench: Bench) -> None:
    """An idle hour before cannot be split: which side, and why; no numbers, no traceback."""
    found = why(bench, REGISTRY, rows({"coal": 10, "made": 0}, SECOND), "lcd")
    assert (found["change"], found["parts"], found["causes"], found["value_before"]) == (None, [], [], None)
    assert found["reason"] == "before: idle: no output"
    assert found["text"] == "WHY ––>0.896: before: idle: no output"
    never = why(bench, REGISTRY, [(T, "m1", "made", 5)], "gd")
    assert never["reason"] == "now: line k: at no time all was read that counts; before: no readings in the window"


def test_names_and_windows_that_are_not_there(bench: Bench) -> None:
    """Bad usage is exit code 2 with a mend."""
    file = bench.folder / "r.csv"
    file.write_text("ts,meter,channel,value\n" + "\n".join(",".join(map(str, row)) for row in rows()))
    said = bench.command("replay", bench.registry(REGISTRY), file, "--why", "2h", code=2)
    assert "there is no window `2h`" in said


def test_what_prints_as_nothing_is_not_named(bench: Bench) -> None:
    """CD = 10/160: a kilogram of meal more is −R0·0.001/160.001 = −.0000004; alone, or beside 4 t more of ash."""
    more: dict[str, Any] = FIRST | {"meal": 150.001}
    assert why(bench, REGISTRY, rows(FIRST, more), "cd")["text"] == "WHY 0.062>0.062: nothing moved by .001"
    found = why(bench, REGISTRY, rows(FIRST, more | {"ash": 14}), "cd")
    assert found["text"].endswith("  1 other .000")
    assert {c["id"] for c in found["causes"]} == {"ash", "meal"}  # the list names every one
