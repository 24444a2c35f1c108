"""When a replay looks: between which readings it evaluates, and what it says again at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from devices.plant.model import Intake, Plant
from devices.readings import Readings
from greengauge.replay import hourly, marked, replay
from scoring.engine import Engine, LineClose
from scoring.results import Changes, ChannelSum, Emission, Score
from tests.scoring.degrees.works import Works

MIN = 60_000
HOUR = 60 * MIN


def batch(*ts: int) -> Readings:
    return Readings.of([0] * len(ts), list(ts), [0] * len(ts))


def seen(items: Iterable[Readings | int]) -> list[list[int] | int]:
    return [item if isinstance(item, int) else item.ts.tolist() for item in items]


def test_a_multiple_sees_what_came_before_the_clock_passed_it() -> None:
    """A reading at the multiple itself still counts; the first one behind it does not."""
    found = seen(marked([batch(30, 60, 60, 61, 130)], 60))
    assert found == [[30, 60, 60], 60, [61], 120, [130], 180]


def test_late_readings_do_not_turn_the_clock_back() -> None:
    """Rows stay in order of arrival; a late one is pushed where it came."""
    assert seen(marked([batch(10, 70, 20, 90)], 60)) == [[10], 60, [70, 20, 90], 120]


def test_a_jump_passes_every_multiple() -> None:
    """Multiples in a gap are looked at one by one, before the row that jumped."""
    assert seen(marked([batch(60, 200)], 60)) == [[60], 60, 120, 180, [200], 240]


def test_ends_on_a_multiple() -> None:
    """The last multiple is the smallest that is not before the greatest ts."""
    assert seen(marked([batch(60, 120)], 60)) == [[60], 60, [120], 120]
    assert seen(marked([], 60)) == []
    assert seen(marked([batch(61)], None)) == [[61]]


@given(st.lists(st.lists(st.integers(0, 1000), max_size=6), max_size=5), st.integers(1, 300))
def test_batches_do_not_matter(batches: list[list[int]], every: int) -> None:
    """However the file is cut into batches, the same rows stand between the same multiples."""

    def flat(items: Iterable[Readings | int]) -> list[int | tuple[int]]:
        return [x for item in items for x in ([item] if isinstance(item, int) else [(int(t),) for t in item.ts])]

    whole = [t for part in batches for t in part]
    assert flat(marked(hourly([batch(*part) for part in batches]), every)) == flat(
        marked([batch(*whole)] if whole else [], every)
    )


@given(st.lists(st.integers(0, 20 * 60 * MIN), min_size=1, max_size=30))
def test_pieces_span_an_hour_of_the_clock(ts: list[int]) -> None:
    """No piece moves the clock over more than one hour's edge, and nothing is lost or reordered."""
    pieces = list(hourly([batch(*ts)]))
    assert [t for piece in pieces for t in piece.ts.tolist()] == ts
    clock = ts[0]
    for piece in pieces:
        reached = np.maximum(np.maximum.accumulate(piece.ts), clock)
        assert all(a // (60 * MIN) == b // (60 * MIN) for a, b in pairwise(reached.tolist()))
        clock = int(reached[-1])


class Counting(Engine):
    """An engine that counts readings: its scores and hour blocks are how many there are so far, its clock is theirs."""

    def __init__(self) -> None:
        self.ts: list[int] = []
        self.closed = 0
        self.done = False

    @property
    def clock(self) -> int:
        return max(self.ts, default=0)

    def push(self, readings: Readings, closes: Iterable[LineClose] = ()) -> None:  # noqa: ARG002 - the seam's signature
        self.ts += readings.ts.tolist()

    def advance(self, budget_s: float | None = None) -> Changes:  # noqa: ARG002 - the seam's signature
        blocks = []
        while self.closed + HOUR <= self.clock - 15 * MIN:
            blocks.append(self._emission(self.closed, "1h", "final"))
            self.closed += HOUR
        return Changes(emissions=tuple(blocks))

    def finish(self) -> Changes:
        self.done = True
        return Changes(emissions=(self._emission(0, "1h", "restated"),))

    def at(self, ts: int) -> tuple[list[Score], list[Emission]]:
        lifecycle = "final" if self.done or ts + 15 * MIN < self.clock else "live"
        scores = [
            Score(ts, "line:l", "line", "gd", w, 0.5, float(n), 2.0 * n, "t", 0.0, "t", "", 1.0, "good", "running",
                  lifecycle, 0, None, self.clock, False, None)
            for w in ("1min", "24h") for n in [sum(t <= ts for t in self.ts)]
        ]  # fmt: skip
        return scores, [
            self._emission(ts, "1min", lifecycle), self._emission(ts // HOUR * HOUR, "1h", "live", known=ts)
        ]  # fmt: skip

    def sums(self, ts: int) -> list[ChannelSum]:
        steps = {"1min": 1000, "24h": MIN}
        ends = {window: -(-ts // step) * step for window, step in steps.items()}
        return [ChannelSum(end, "m", "c", w, str(sum(t <= end for t in self.ts)), 1.0, "t") for w, end in ends.items()]

    def _emission(self, ts: int, average: str, lifecycle: Any, known: int = 0) -> Emission:
        counted = float(sum(t <= ts for t in self.ts))
        return Emission(ts, "stack:s", "nox", average, counted, None, "", "mg/m3", None, None, None, None, True, 0, 0,
                        60, 1.0, "good", "running", lifecycle, 0, None, known, False, None)  # fmt: skip


def plant() -> Plant:
    works = Works()
    works.line("l")
    return replace(works.plant(), intake=Intake("", 0, 0, 15 * MIN, history=True))


def told(things: Iterable[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [
        (t["ts"] / MIN, t.get("window") or t["average"], t.get("numerator", t.get("value")), t["lifecycle"])
        for t in things
    ]


FILE = [batch(0, MIN, 2 * MIN, 90 * MIN, 90 * MIN + 500)]


def test_by_default_closed_blocks_and_last_steps() -> None:
    """Blocks as they become final or are restated, then each rolling window at its own last step."""
    assert told(replay(plant(), FILE, engine=Counting())) == [
        (0.0, "1h", 1.0, "final"),
        (0.0, "1h", 1.0, "restated"),
        (90 + 1 / 60, "1min", 5.0, "final"),
        (90 + 1 / 60, "1min", 5.0, "final"),
        (91.0, "24h", 5.0, "final"),
    ]


def test_final_says_each_key_once() -> None:
    """With --final a block is said once, as it last stood."""
    found = told(replay(plant(), FILE, final=True, engine=Counting()))
    assert found[0] == (0.0, "1h", 1.0, "restated")
    assert [f[1] for f in found] == ["1h", "1min", "1min", "24h"]


def test_every_says_again_what_changed() -> None:
    """A late reading changes what was shown at minute 60; minute 30 stood and is not said twice."""
    late = [batch(0, 40 * MIN, 70 * MIN), batch(50 * MIN, 100 * MIN)]
    scores = [t for t in replay(plant(), late, every_ms=30 * MIN, engine=Counting()) if "degree" in t]
    at = [(t["ts"] // MIN, t["numerator"], t["lifecycle"]) for t in scores if t["window"] == "24h"]
    assert at == [
        (0, 1.0, "live"), (30, 1.0, "live"), (60, 2.0, "live"), (90, 4.0, "live"), (120, 5.0, "live"),
        (60, 3.0, "final"), (100, 5.0, "final"),
    ]  # fmt: skip


def test_every_shows_open_blocks_and_only_windows_on_their_step() -> None:
    """At 90 s the 24 h window has no step; the open hour is shown with the moment it was seen."""
    things = list(replay(plant(), [batch(0, 100_000)], every_ms=90_000, engine=Counting()))
    at = [t for t in things if t["ts"] == 90_000]
    assert {t.get("window") or t["average"] for t in at} == {"1min"}
    hours = [t for t in things if t.get("average") == "1h"]
    assert [(t["ts"], t["known_at"], t["lifecycle"]) for t in hours][:2] == [(0, 0, "live"), (0, 90_000, "live")]


def test_sums() -> None:
    """Sums alone: at the last steps, or final at the multiples."""
    found = [(t["ts"] / MIN, t["window"], t["sum"]) for t in replay(plant(), FILE, sums=True, engine=Counting())]
    assert found == [(90 + 1 / 60, "1min", "5"), (91.0, "24h", "5")]
    every = replay(plant(), FILE, sums=True, every_ms=45 * MIN, engine=Counting())
    assert [(t["ts"] / MIN, t["sum"]) for t in every if t["window"] == "24h"] == [
        (0, "1"), (45, "3"), (90, "4"), (135, "5"),
    ]  # fmt: skip


def test_no_readings_nothing_said() -> None:
    """An empty file has no last step."""
    assert list(replay(plant(), [], every_ms=MIN, engine=Counting())) == []
