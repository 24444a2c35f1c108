"""`Showing`: what is shown at once, what in rounds, and that nothing freezes."""

from __future__ import annotations

import math
from itertools import pairwise
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


def plant(lines: int, windows: str) -> Plant:
    """Lines of one meter each, all of one area."""
    text = f"""schema = 1
profiles = ["cement"]
[site.wuhu]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[scoring]
windows = {windows}
"""
    return parse(text + "".join(_LINE.format(line=f"k{n}") for n in range(lines)))


class Bench:
    """A plant, its engine, and a clock that only the test moves."""

    def __init__(self, lines: int = 3, windows: str = '["1h", "24h"]') -> None:
        self.plant = plant(lines, windows)
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


def test_a_seldom_line_is_shown_at_once_though_two_readings_came_together() -> None:
    """Each two seconds, one of them held up by 1.3 s: the one after it comes 0.7 s later, and is shown all the same.

    A line that reports each second is not: after some readings it keeps to the rounds.
    """
    bench = Bench()
    at_once = []
    for after in (2.0, 2.0, 2.0, 3.3, 0.7, 2.0, *[1.0] * 20):
        bench.looks()
        for tenth in range(1, round(after * 10)):
            bench.now += 0.1
            if tenth % 10 == 0:
                bench.looks()
        bench.now = round(bench.now + 0.1, 1)
        bench.reading("k1")
        few = bench.showing.look(alarmed=False)
        at_once.append(few is not None and few.meters is None and "line:acme/wuhu/pyro/k1" in scopes(few))
    assert at_once[:6] == [True] * 6
    assert at_once[-10:] == [False] * 10


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
    """A round's pieces, put together, are the engine's own look at everything; many quiet lines share one."""
    bench = Bench(lines=13)
    for line in range(13):
        bench.reading(f"k{line}")
    [shown] = bench.looks()
    everything, _ = bench.engine.live()
    key = lambda s: (s.scope, s.degree, s.window)  # noqa: E731 - a sort key
    assert sorted(shown.scores, key=key) == sorted(everything, key=key)


def test_after_a_backlog_every_window_is_shown_before_scoring_says_ok() -> None:
    """A round in the midst of a backlog showed the day by what had been read so far; the next is of all windows."""
    bench = Bench()
    bench.reading("k1")
    while bench.showing.look(alarmed=False, unread=100_000) is not None or bench.showing.rest() == 0.0:
        pass
    bench.now += 0.5
    bench.reading("k1")  # busy: it waits for the round
    bench.now += 0.5
    shown = [score for one in bench.looks() for score in one.scores if score.scope == "line:acme/wuhu/pyro/k1"]
    assert {score.window for score in shown} == {"1h", "24h"}
    assert {score.output for score in shown} == {2.0}


def test_what_nothing_comes_for_moves_on() -> None:
    """An untouched line is in a round every few seconds over each window, and not in each."""
    bench = Bench()
    bench.reading("k0")
    bench.looks()
    seen: dict[str, list[int]] = {"1h": [], "24h": []}
    for second in range(1, 14):
        for shown in bench.at(100.0 + second):
            for window in {s.window for s in shown.scores if s.scope == "line:acme/wuhu/pyro/k2"}:
                seen[window].append(second)
    assert seen["1h"] == [round(SLIDE_S), 2 * round(SLIDE_S)]
    assert [later - seen["24h"][0] for later in seen["24h"]] == [0, round(SLIDE_S)]


def test_a_window_is_shown_as_often_as_it_can_move() -> None:
    """Of a busy line: a minute each second, 15 min (600 s are one in 600 of 1.5 s) each two, longer ones each five.

    After the first round no two of the longest are in one.
    """
    bench = Bench(windows='["1min", "15min", "24h", "30d"]')
    rounds: list[set[str]] = []
    for half in range(82):
        bench.now = 100.0 + half / 2
        bench.reading("k0")
        rounds += [{s.window for s in shown.scores} for shown in bench.looks() if shown.meters is not None]
    assert len(rounds) == 41
    assert rounds[0] == {"1min", "15min", "24h", "30d"}
    assert all("1min" in windows for windows in rounds)
    for window, every in (("15min", 2), ("24h", 5), ("30d", 5)):
        at = [number for number, windows in enumerate(rounds) if window in windows][1:]
        assert {later - one for one, later in pairwise(at)} == {every}
    assert not any({"24h", "30d"} <= windows for windows in rounds[1:])


def test_the_last_reading_is_in_every_window_in_the_end() -> None:
    """A busy line that stops: within the time of the most seldom window all say 3 t, none what came before."""
    bench = Bench(windows='["15min", "1h", "24h", "30d"]')
    outputs: dict[str, float] = {}
    for half in range(16):
        bench.now = 100.0 + half / 2
        if half < 3:
            bench.reading("k1")
        for shown in bench.looks():
            outputs |= {s.window: s.output for s in shown.scores if s.scope == "line:acme/wuhu/pyro/k1"}
    assert outputs == dict.fromkeys(("15min", "1h", "24h", "30d"), pytest.approx(3.0))


@pytest.mark.parametrize("lines", [1, 13])
def test_quiet_lines_are_shown_over_every_window_when_a_round_begins(lines: int) -> None:
    """Few are shown by themselves, many in the round; it matters not that the day and the month were not due in it."""
    bench = Bench(lines, windows='["1h", "24h", "30d"]')
    bench.looks()
    for time in range(1, 9):
        bench.now = 100.0 + 2 * time
        for line in range(lines):
            bench.reading(f"k{line}")
        outputs = {}
        for shown in bench.looks():
            outputs |= {s.window: s.output for s in shown.scores if s.scope == "line:acme/wuhu/pyro/k0"}
        assert outputs == dict.fromkeys(("1h", "24h", "30d"), pytest.approx(float(time)))


def test_a_round_brings_no_older_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet line's reading in the midst of a round is shown at once, and the round's end does not take it back."""
    bench = Bench()
    bench.looks()
    live = bench.engine.live

    def slow(**some: Any) -> Any:
        bench.spent += 0.1
        return live(**some)

    monkeypatch.setattr(bench.engine, "live", slow)
    bench.now = 110.0
    assert bench.showing.look(alarmed=False) is None  # a window of the round
    bench.reading("k1")
    shown = bench.showing.look(alarmed=False)
    assert shown is not None
    outputs = {s.window: s.output for s in shown.scores if s.scope == "line:acme/wuhu/pyro/k1"}
    for more in bench.looks():
        outputs |= {s.window: s.output for s in more.scores if s.scope == "line:acme/wuhu/pyro/k1"}
    assert outputs == {"1h": pytest.approx(1.0), "24h": pytest.approx(1.0)}


def test_rounds_take_no_more_than_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks that take 0.1 s each: a round of one window and the stacks takes 0.2 s, so one begins each 2 s."""
    bench = Bench(windows='["1h"]')
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
    assert ends == pytest.approx([100.0 + 2 * n for n in range(10)])
    assert bench.spent <= 20.0 / SHARE + 0.3


def test_one_long_look_holds_up_no_quiet_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look of 50 ms now and then is paid by the time before it; where each takes so long they keep to their share."""
    bench = Bench(lines=12, windows='["1h"]')
    bench.looks()
    live, took = bench.engine.live, [0.05] + [0.002] * 9

    def slow(**some: Any) -> Any:
        bench.spent += took[0] if some["scopes"] and "windows" not in some else 0.0
        return live(**some)

    monkeypatch.setattr(bench.engine, "live", slow)
    for line, _ in enumerate(tuple(took)):
        bench.now = 110.0 + line / 10
        bench.reading(f"k{line}")
        assert any(f"line:acme/wuhu/pyro/k{line}" in scopes(shown) for shown in bench.looks())
        del took[0]
    took, bench.spent = [0.05], 0.0
    for tenth in range(400):
        bench.now = 120.0 + tenth / 10
        bench.reading(f"k{tenth % 12}")
        bench.looks()
    assert 40.0 / SHARE - 0.3 <= bench.spent <= 40.0 / SHARE + 0.3


def test_a_large_plants_round_is_shown_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three scopes at a time over all windows; put together they are the engine's own look, each score once."""
    monkeypatch.setattr("greengauge.scorer.showing.MOST", 3)
    bench = Bench(lines=13)
    for line in range(13):
        bench.reading(f"k{line}")
    shown = bench.looks()
    rows = {scope.id: scope.index // 3 for scope in bench.plant.scopes}
    chunks = max(rows.values()) + 1
    assert [{rows[scope] for scope in scopes(one)} for one in shown] == [{chunk} for chunk in reversed(range(chunks))]
    assert [one.meters is None for one in shown] == [*[True] * (chunks - 1), False]
    everything, _ = bench.engine.live()
    key = lambda s: (s.scope, s.degree, s.window)  # noqa: E731 - a sort key
    assert sorted((s for one in shown for s in one.scores), key=key) == sorted(everything, key=key)


@pytest.mark.parametrize(("look_s", "every"), [(0.002, 1.0), (0.015, 3.0), (0.1, 5.0), (1.0, 20.0)])
def test_a_backlog_is_shown_more_seldom_the_more_it_costs(
    monkeypatch: pytest.MonkeyPatch, look_s: float, every: float
) -> None:
    """A round is two looks: of 2 ms each it comes each second, of 15 ms at a hundredth of the time, else each 5 s, but
    never at more than a tenth. The moment nothing is left to read the next one comes as ever.
    """
    bench = Bench(windows='["1h"]')
    live = bench.engine.live

    def slow(**some: Any) -> Any:
        bench.spent += look_s
        return live(**some)

    monkeypatch.setattr(bench.engine, "live", slow)
    begun = []
    for half in range(90):
        bench.now = 100.0 + half / 2
        bench.reading("k0")
        looks = [bench.showing.look(alarmed=False, unread=10 << 20) for _ in range(3)]
        begun += [bench.now for shown in looks if shown is not None and shown.meters is not None]
    assert begun == pytest.approx([100.0 + every * n for n in range(len(begun))])
    assert len(begun) == math.ceil(45 / every)
    bench.now = begun[-1] + max(1.0, SHARE * 2 * look_s)
    assert any(shown.meters is not None for shown in bench.looks())


def test_alarms_that_moved_are_shown_at_once() -> None:
    """Even where no gauge is due."""
    bench = Bench()
    bench.looks()
    bench.now += 0.1
    shown = bench.showing.look(alarmed=True)
    assert shown is not None
    assert shown.scores == []
