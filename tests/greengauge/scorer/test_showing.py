"""`Showing`: what is shown at once, what in rounds, and that nothing freezes."""

from __future__ import annotations

from typing import Any

import pytest

from devices.plant import parse
from devices.plant.model import Plant
from devices.readings import Readings
from greengauge.scorer.showing import SHARE, SLIDE_S, Showing, Shown
from scoring.engine import Engine

T0 = 1_763_800_020_000
_LINE = """
[line.{line}]
site = "wuhu"
area = "pyro"
industry = "cement"
people = 1
lcd = {{ basis = "gross", power = true }}
[meter.{line}-m]
line = "{line}"
every = "1min"
channels = {{ made = {{ unit = "t", kind = "amount", counts = "product:clinker" }} }}
"""


def plant(lines: int) -> Plant:
    """Lines of one meter each, all of one area."""
    text = """schema = 1
profiles = ["cement"]
[site.wuhu]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[scoring]
windows = ["1h", "24h"]
"""
    return parse(text + "".join(_LINE.format(line=f"k{n}") for n in range(lines)))


class Bench:
    """A plant, its engine, and a clock that only the test moves."""

    def __init__(self, lines: int = 3) -> None:
        self.plant = plant(lines)
        self.engine = Engine(self.plant)
        self.now, self.spent = 100.0, 0.0
        self.showing = Showing(self.plant, self.engine, now=lambda: self.now, spent=lambda: self.spent)

    def reading(self, line: str) -> None:
        ts = T0 + round(self.now * 1000)
        row = self.plant.channel(f"{line}-m", "made").index
        readings = Readings.of([row], [ts], [1_000_000], received=[ts])
        self.engine.push(readings)
        self.showing.hear(readings)

    def looks(self) -> list[Shown]:
        """All that is due now."""
        found = []
        while (shown := self.showing.look(alarmed=False)) is not None or self.showing.rest() == 0.0:
            found += [shown] if shown else []
        return found

    def at(self, now: float) -> list[Shown]:
        self.now = now
        return self.looks()


def scopes(shown: Shown) -> set[str]:
    return {score.scope for score in shown.scores}


def test_a_quiet_line_is_shown_at_once_with_all_above_it() -> None:
    """Within a round's second, in one look, over all windows; the other lines are not looked at."""
    bench = Bench()
    bench.looks()
    bench.now += 0.5
    bench.reading("k1")
    [shown] = bench.looks()
    above = {"area:acme/wuhu/pyro", "site:acme/wuhu", "enterprise:acme", "country:CN", "region:CN/anhui"}
    assert scopes(shown) == {"line:acme/wuhu/pyro/k1", "industry:cement", *above}
    assert {score.window for score in shown.scores} == {"1h", "24h"}


def test_a_busy_line_waits_for_the_round() -> None:
    """What came a moment after the last is shown when the round's second is over, and not before."""
    bench = Bench()
    bench.looks()
    bench.now += 0.5
    bench.reading("k1")
    bench.looks()
    bench.now += 0.2
    bench.reading("k1")
    assert bench.looks() == []
    [shown] = bench.at(101.0)
    assert "line:acme/wuhu/pyro/k1" in scopes(shown)
    assert max(s.output for s in shown.scores if s.scope == "line:acme/wuhu/pyro/k1") == pytest.approx(2.0)


def test_a_round_shows_what_the_looks_at_once_show() -> None:
    """A round's pieces, put together, are the engine's own look at everything."""
    bench = Bench()
    for line in ("k0", "k1", "k2"):
        bench.reading(line)
    [shown] = bench.looks()
    everything, _ = bench.engine.live()
    key = lambda s: (s.scope, s.degree, s.window)  # noqa: E731 - a sort key
    assert sorted(shown.scores, key=key) == sorted(everything, key=key)


def test_what_nothing_comes_for_moves_on() -> None:
    """An untouched line is in a round every few seconds, and not in each."""
    bench = Bench()
    bench.reading("k0")
    bench.looks()
    seen = []
    for second in range(1, 12):
        for shown in bench.at(100.0 + second):
            seen += [second] if "line:acme/wuhu/pyro/k2" in scopes(shown) else []
    assert seen == [round(SLIDE_S), 2 * round(SLIDE_S)]


def test_rounds_take_no_more_than_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks that take 0.1 s each: a round of two windows and the stacks takes 0.3 s, so one begins each 3 s."""
    bench = Bench()
    bench.reading("k0")
    live = bench.engine.live

    def slow(**some: Any) -> Any:
        bench.spent += 0.1
        return live(**some)

    monkeypatch.setattr(bench.engine, "live", slow)
    ends = []
    for tenth in range(200):
        bench.now = 100.0 + tenth / 10
        bench.reading("k0")
        ends += [bench.now for shown in bench.looks() if shown.meters is not None]
    assert ends == pytest.approx([100.0 + 3 * n for n in range(7)])
    assert bench.spent <= 20.0 / SHARE + 0.3


def test_alarms_that_moved_are_shown_at_once() -> None:
    """Even where no gauge is due."""
    bench = Bench()
    bench.looks()
    bench.now += 0.1
    shown = bench.showing.look(alarmed=True)
    assert shown is not None
    assert shown.scores == []
