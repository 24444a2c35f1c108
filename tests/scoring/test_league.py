"""The league: ranks, ties, who is not ranked and who stands apart, of energies and of degrees."""

from __future__ import annotations

from typing import Any

import pytest

from devices.plant import parse
from scoring.league import Place, league, products
from scoring.results import Energy, Score
from tests.greengauge.results import score
from tests.scoring.league_plant import LINE, REGISTRY

PLANT = parse(REGISTRY, file="league.toml")


def energy(line: str, value: float | None, **given: Any) -> Energy:
    usual: dict[str, Any] = {
        "ts": 0, "scope": f"line:{line}", "level": "line", "energy": "comprehensive", "product": "clinker",
        "window": "24h", "value": value, "numerator": 1.0, "denominator": 1.0, "unit": "kgce/t", "output": 1.0,
        "output_unit": "t", "basis": "fuel + electricity at 0.1229 kgce/kWh", "boundary": "stage", "norm": None,
        "norm_level": None, "levels": (), "next": None, "distance": None, "distance_percent": None,
        "completeness": 1.0, "quality": "good", "operation": "running", "lifecycle": "live", "revision": 0,
        "reason": None, "known_at": 0, "stale": False, "last": 0,
    }  # fmt: skip
    return Energy(**(usual | given))


def degree(line: str, value: float, name: str = "lcd") -> Score:
    return score(scope=f"line:{line}", level="line", degree=name, value=value, completeness=1.0)


def table(things: list[Any], by: str = "comprehensive", least: float = 0.9, level: str = "line") -> list[Place]:
    return league(PLANT, "clinker", by, things, least=least)[level]


def told(places: list[Place]) -> list[tuple[str, str, int | None]]:
    return [(place.scope.rpartition("/")[2], place.standing, place.rank) for place in places]


def test_less_energy_is_better() -> None:
    """Ranked from the lowest; distance to the best in the unit and in percent of it."""
    places = table([energy(LINE["a1"], 110.0), energy(LINE["a2"], 100.0), energy(LINE["b1"], 125.0)])
    assert told(places) == [("a2", "ranked", 1), ("a1", "ranked", 2), ("b1", "ranked", 3)]
    assert [(p.distance, p.distance_percent) for p in places] == [(0.0, 0.0), (10.0, 10.0), (25.0, 25.0)]


def test_equal_values_share_a_rank() -> None:
    """Two first, then a third."""
    places = table([energy(LINE[n], v) for n, v in (("a1", 100.0), ("a2", 100.0), ("b1", 101.0))])
    assert told(places) == [("a1", "ranked", 1), ("a2", "ranked", 1), ("b1", "ranked", 3)]


def test_negative_values_rank_too() -> None:
    """A converter at −30 is better than one at −20, which is 10 behind: a third of 30."""
    places = table([energy(LINE["a1"], -20.0), energy(LINE["a2"], -30.0)])
    assert [(p.value, p.rank, p.distance) for p in places] == [(-30.0, 1, 0.0), (-20.0, 2, 10.0)]
    assert places[1].distance_percent == pytest.approx(100 / 3)


def test_too_little_is_not_ranked() -> None:
    """Withheld, or less complete than asked for: below the ranks with the reason; the best may be among them."""
    things = [
        energy(LINE["a1"], 90.0, completeness=0.5),
        energy(LINE["a2"], None, reason="idle: no output"),
        energy(LINE["b1"], 100.0),
    ]
    places = table(things)
    assert told(places) == [("b1", "ranked", 1), ("a1", "unranked", None), ("a2", "unranked", None)]
    assert [p.reason for p in places[1:]] == ["only 50 % of the data; 90 % are asked for", "idle: no output"]
    assert told(table(things, least=0.5))[0] == ("a1", "ranked", 1)


def test_who_counts_otherwise_stands_apart() -> None:
    """Another basis or boundary than most of those that can be ranked: apart, however good."""
    things = [
        energy(LINE["a1"], 105.0),
        energy(LINE["a2"], 104.0),
        energy(LINE["b1"], 50.0, basis="electricity at 0.1229 kgce/kWh"),
    ]
    places = table(things)
    assert told(places) == [("a2", "ranked", 1), ("a1", "ranked", 2), ("b1", "apart", None)]
    assert places[2].reason == (
        "counts electricity at 0.1229 kgce/kWh, stage; the table fuel + electricity at 0.1229 kgce/kWh, stage"
    )
    hardly = [energy(LINE["a1"], 1.0, completeness=0.1), energy(LINE["a2"], 1.0, completeness=0.1), things[2]]
    assert told(table(hardly))[0] == ("b1", "ranked", 1)  # who can be ranked decides, not the crowd


def test_only_the_product_and_kind_asked_for() -> None:
    """Another product, kind or level is in no table."""
    things = [
        energy(LINE["a1"], 1.0, product="cement"),
        energy(LINE["a2"], 1.0, energy="heat"),
        energy(LINE["b1"], 2.0, scope="area:acme/a/pyro"),
        energy(LINE["b1"], 3.0, scope="site:acme/b", level="site"),
    ]
    assert table(things) == []
    assert [p.value for p in table(things, level="site")] == [3.0]


def test_more_of_a_degree_is_better() -> None:
    """Ranked from the highest; the line on another benchmark and the one with two products stand apart."""
    things = [degree(LINE[n], v) for n, v in (("a1", 0.8), ("a2", 0.9), ("b1", 0.95), ("b2", 0.99))]
    places = table(things, "lcd")
    assert told(places) == [("a2", "ranked", 1), ("a1", "ranked", 2), ("b1", "apart", None), ("b2", "apart", None)]
    assert places[1].distance == pytest.approx(-0.1)
    assert places[2].reason == "counts gross, loose (stage); the table gross, strict (stage)"
    assert places[3].reason == "makes lime too: its degree is of all of them"
    assert [p.rank for p in table([degree(LINE["a1"], 0.5, "cd"), degree(LINE["b1"], 0.4, "cd")], "cd")] == [1, 2]


def test_products() -> None:
    """What may be asked for."""
    assert products(PLANT) == ["clinker", "lime"]
