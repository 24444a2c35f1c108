"""A closed step told a window at a time: the same as told whole, whatever comes in between."""

from __future__ import annotations

import pytest

from devices.durations import MINUTE
from devices.plant import parse
from devices.readings import Readings
from scoring import agenda, kinds
from scoring.engine import Engine
from scoring.results import Changes, Score, added

BASE = 1_767_225_600_000  # 2026-01-01T00:00Z
LINE = """
[line.k{n}]
site = "wuhu"
area = "pyro"
industry = "cement"
people = {n}
lcd = {{ basis = "gross", power = true }}
[meter.m{n}]
line = "k{n}"
every = "1min"
channels = {{ made = {{ unit = "t", kind = "amount", step = "1", period = "1min", counts = "product:clinker" }} }}
"""
PLANT = parse(
    """
schema = 1
profiles = ["cement"]
[intake]
grace = "2min"
[site.wuhu]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[scoring]
windows = ["1h", "8h", "24h"]
"""
    + LINE.format(n=1)
    + LINE.format(n=2)
)
NOW = 59
"""Minutes after BASE until which readings came: the steps to 57 are final, 59 is closed and not final."""


@pytest.fixture(autouse=True, params=[500, 3])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plant has eight scopes; pieces are as those of a large one, a window, or of a very large one, some scopes."""
    monkeypatch.setattr(kinds, "PIECE", 1)
    monkeypatch.setattr(kinds, "MOST", request.param)
    monkeypatch.setattr(agenda, "MOST", request.param)


def full() -> Engine:
    """Two lines that made 2 t a minute for an hour; steps to minute 55 are told."""
    engine = Engine(PLANT, patience_ms=0)
    for minute in range(NOW + 1):
        engine.push(Readings.of([0, 1], [BASE + minute * MINUTE] * 2, [2, 2], received=[BASE + minute * MINUTE] * 2))
        if minute == NOW - 2:
            engine.advance()
    return engine


def in_pieces(engine: Engine) -> list[Changes]:
    """All that is due, in the smallest pieces."""
    found = []
    while engine.agenda.behind():
        found.append(engine.advance(1e-9))
    return found


def of(changes: Changes, lifecycle: str) -> list[Score]:
    return [score for score in changes.scores if score.lifecycle == lifecycle]


def test_pieces_put_together_are_the_whole() -> None:
    """Final and live scores in the same order, each once, a window a piece; `behind` until the last is told."""
    whole, pieces = full().advance(), in_pieces(full())
    for lifecycle in ("final", "live"):
        assert of(added(pieces), lifecycle) == of(whole, lifecycle) != []
        assert max(len({score.window for score in of(piece, lifecycle)}) for piece in pieces) == 1
        assert max(len({score.scope for score in of(piece, lifecycle)}) for piece in pieces) <= kinds.MOST
    assert {(s.ts - BASE) // MINUTE for s in of(whole, "final")} == {56, 57}
    assert {(s.ts - BASE) // MINUTE for s in of(whole, "live")} == {59}
    assert {s.window for s in of(whole, "final")} == {"1h", "8h", "24h"}


def test_a_snapshot_in_the_midst_is_whole() -> None:
    """Restored after any piece, it tells just what was still to be told, and ends in the same bytes."""
    count = len(in_pieces(full()))
    assert count >= 3
    for pieces in range(1, count):
        one = full()
        for _ in range(pieces):
            one.advance(1e-9)
        other = Engine.restore(PLANT, one.snapshot(), patience_ms=0)
        assert in_pieces(one) == in_pieces(other)
        assert one.snapshot() == other.snapshot()


def test_what_comes_late_in_the_midst_is_told_again() -> None:
    """5 t instead of 2 t, received when one window of the oldest step was told without them.

    All of that step is told again, also what was told with them in it: equal, it is dropped by who keeps what was told.
    """
    engine = full()
    first = engine.advance(1e-9)
    late = BASE + 30 * MINUTE
    engine.push(Readings.of([0], [late], [5], rev=[1], received=[BASE + NOW * MINUTE]))
    found = [*of(first, "final"), *of(added(in_pieces(engine)), "final")]
    again = of(engine.advance(1e9), "restated")
    assert len({(s.ts, s.scope, s.degree, s.window) for s in again}) == len(again)

    def outputs(scores: list[Score], window: str) -> dict[int, float]:
        one = [s for s in scores if (s.scope, s.degree, s.window) == ("line:acme/wuhu/pyro/k1", "gd", window)]
        return {(s.ts - BASE) // MINUTE: s.output for s in one}

    [before] = {score.window for score in of(first, "final")}
    for window in ("1h", "8h", "24h"):
        at_first = {56: 114.0 if window == before else 117.0, 57: 119.0}
        assert outputs(found, window) == at_first
        assert outputs(again, window)[56] == 117.0
        assert 57 not in outputs(again, window)


def test_a_small_plant_s_step_is_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting it would cost more than it gains."""
    monkeypatch.undo()
    found = of(full().advance(1e-9), "final")
    assert {(s.ts - BASE) // MINUTE for s in found} == {56}
    assert {s.window for s in found} == {"1h", "8h", "24h"}
