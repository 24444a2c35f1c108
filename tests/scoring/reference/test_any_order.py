"""Readings of hours in any order, in pieces of any size: what is told at last is what the slow twin says of them.

Far more than what the engine keeps in memory comes late here: it restates from the past.
"""

from __future__ import annotations

import random

import pytest

from devices.plant.model import Plant
from scoring.engine import Engine
from scoring.reference.table import Comparison, Twin
from scoring.restate.restater import Restater
from tests.scoring.reference.works import HOUR, PARTS, Row, Run, batch, late, rows, run, works

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


class Sliced(Run):
    """As the service works: with patience, restating in slices of a moment between pieces of the backlog."""

    def __init__(self, plant: Plant) -> None:
        super().__init__(plant)
        self._options = {"event_clock": True}
        self.engine = Engine(plant, event_clock=True)
        self._job: Restater | None = None

    def slice(self, budget_s: float) -> bool:
        """One; whether there was anything to restate."""
        if self._job is None and (pending := self.engine.pending()):
            self._job = Restater(self.engine, pending[0], self.past)
        if self._job is None:
            return False
        self._keep(self._job.step(budget_s))
        self._job = None if self._job.done else self._job
        return True

    def rest(self, received: int) -> None:
        """Time passes without readings, until all is told again."""
        for second in range(20):
            self.engine.tick(received + second * 1000)
            self._keep(self.engine.advance(0.009))
            while self.slice(0.005):
                self._keep(self.engine.advance(0.009))


@pytest.mark.parametrize("ahead", [False, True])
def test_blocks_of_a_gateway_while_others_are_restated(ahead: bool) -> None:
    """Seven hours of one meter after those of another, again and again; the restating reads them, or they come to it,
    before the engine has them or after.
    """
    rng = random.Random(5)
    plant = works(every=5, zone="Europe/Berlin", windows='["1h", "30d"]', parts=frozenset(PARTS) - {"mill", "main"})
    found = list({(r[0], r[1], r[3]): r for r in rows(plant, rng, 30)}.values())
    sent = sorted(found, key=lambda r: ((r[1] - found[0][1]) // (7 * HOUR), plant.channels[r[0]].meter, r[1]))
    pieces = [batch(plant, sent[at : at + 250]) for at in range(0, len(sent), 250)]
    made = Sliced(plant)
    for piece in pieces if ahead else ():
        made.past.add(piece)
    for piece in pieces:
        if not ahead:
            made.past.add(piece)
        made.engine.push(piece)
        made._keep(made.engine.advance(0.009))
        made.slice(1e-6)
    made.rest(int(piece.received[-1]))
    made._keep(made.engine.finish())
    made.rest(int(piece.received[-1]) + 3_600_000)
    compared = Comparison()
    compared.add(Twin(plant, batch(plant, found)), made.told.values())
    assert not compared.differences, compared.differences[:5]
