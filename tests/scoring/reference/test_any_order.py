"""Readings of hours in any order, in pieces of any size: what is told at last is what the slow twin says of them.

Far more than what the engine keeps in memory comes late here: it restates from the past.
"""

from __future__ import annotations

import random

import pytest

from scoring.reference.table import Comparison, Twin
from tests.scoring.reference.works import Row, batch, late, rows, run, works

ORDERS = ("reversed", "by channel", "late", "one piece")


def order(name: str, found: list[Row], rng: random.Random) -> list[Row]:
    """The same rows otherwise."""
    if name == "late":
        return late(found, rng, 0.2, 900)
    key = {"reversed": lambda r: -r[1], "by channel": lambda r: r[:2], "one piece": lambda r: r[1]}[name]
    return sorted(found, key=key)


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize(
    ("seed", "hours", "every", "zone", "parts"),
    [
        (1, 40, 20, "Asia/Shanghai", "cooler kwh"),  # a day and more, quadrant rule, operating days
        (2, 14, 5, "Asia/Kathmandu", "tail"),  # days that begin within an hour
        (104, 3, 1, "Europe/Berlin", "main slag"),  # half-hours, flags that say stopped
        (7, 30, 20, "Australia/Lord_Howe", "cooler main coal"),  # values stand in for hours long after them
    ],
)
def test_any_order(seed: int, hours: float, every: int, zone: str, parts: str, name: str) -> None:
    """No number differs: no minute is lost, none is counted twice."""
    rng = random.Random(seed)
    plant = works(every=every, zone=zone, parts=frozenset(parts.split()))
    found = list({(r[0], r[1], r[3]): r for r in rows(plant, rng, hours)}.values())
    size = len(found) if name == "one piece" else rng.choice([len(found) // 9, len(found) // 25])
    made = run(plant, order(name, found, rng), size, snapshot_every=rng.choice([0, 5]))
    compared = Comparison()
    compared.add(Twin(plant, batch(plant, found)), made.told.values())
    assert not compared.differences, compared.differences[:5]
