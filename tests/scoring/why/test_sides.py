"""What the channels add to a degree explains all of it: on lines and roll-ups, stage and chain, netted or not."""

from __future__ import annotations

from datetime import date

import pytest

from scoring.degrees import DEGREES, Degrees, coverage_groups
from scoring.degrees.shares import Side, Who
from tests.scoring.degrees.works import HOUR, NOON, Ledger, Works


def works(boundary: str) -> Works:
    """A kiln with fuels, power and a grid factor that changes inside the window; a mill that grinds its clinker."""
    made = Works()
    made.product("clinker", process="0.525", theoretical="1.525", best_peer="1.4")
    made.product("cement", theoretical="0.98", best_peer="2.2")
    made.fuel("coal", "25.8", "94.6")
    made.fuel("rdf", "18", "75", "0.4", alternative=True)
    made.grid("0.5366")
    made.grid("0.53", date(2025, 11, 22))
    made.benchmark("c", "clinker", "0.7", power=True, boundary=boundary)
    made.benchmark("m", "cement", "0.5", power=True, boundary=boundary)
    kiln, mill = made.line("kiln", power=True, people=14), made.line("mill", power=True, people=5)
    for line, counts, amount, more in (
        (kiln, "product:clinker", 90, {}), (kiln, "material:raw-meal", 140, {}), (kiln, "fuel:coal", 9, {}),
        (kiln, "fuel:rdf", 3, {}), (mill, "product:cement", 120, {}), (mill, "material:clinker", 80, {}),
        (mill, "material:slag", 30, {"waste": True}),
    ):  # fmt: skip
        made.amount(made.channel(line, counts, **more), amount, start=NOON - 24 * HOUR)
    for line in (kiln, mill):
        made.amount(made.channel(line, "electricity", symbol="kWh"), 6000, start=NOON - 24 * HOUR)
    return made


def sides(made: Works) -> dict[tuple[str, str], Side]:
    plant = made.plant()
    groups = coverage_groups(plant)
    degrees = Degrees(plant, Ledger(plant, groups, made.booked, set()), groups)
    return {
        (scope.id, degree): degrees.side(scope.index, degree, NOON - 24 * HOUR, NOON)
        for scope in plant.scopes
        for degree in DEGREES
    }


@pytest.mark.parametrize("boundary", ["stage", "chain"])
def test_nothing_is_left_over(boundary: str) -> None:
    """The parts of both sides add up, and none of them is a remainder that nobody can name."""
    found = sides(works(boundary))
    for name, side in found.items():
        for parts, whole in ((side.above, side.numerator), (side.below, side.denominator)):
            assert sum(added for _, added in parts.values()) == whole, name
            assert Who(None, None) not in parts, name
    assert found["line:acme/wuhu/pyro/kiln", "lcd"].denominator > 0


def test_internal_flow_is_netted_where_it_is_measured() -> None:
    """On the site the mill's clinker is neither theory nor material: −80 t above, nothing below."""
    made = works("stage")
    side = sides(made)["site:acme/wuhu", "gd"]
    [clinker] = [c.index for c in made.channels if str(c.counts) == "material:clinker"]
    amount, added = side.above[Who(1, clinker)]
    assert amount == 80_000
    assert added < 0
    assert Who(1, clinker) not in side.below
    line = sides(made)["line:acme/wuhu/pyro/mill", "gd"]
    assert line.below[Who(1, clinker)][1] == -added
