"""When a replay looks: between which readings it evaluates, and what it says again at the end."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.plant import parse
from devices.readings import Readings
from greengauge.replay.replay import hourly, late_apart, marked, replay

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


PLANT = parse("""
schema = 1
[scoring]
windows = ["1min", "1h"]
[site.works]
enterprise = "acme"
timezone = "UTC"
[line.k]
site = "works"
area = "hall"
[meter.m]
line = "k"
every = "10min"
[meter.m.channels]
scrap = { unit = "t", kind = "amount", step = "1", counts = "material:scrap" }
[material.scrap]
waste = true
""")


def tonnes(*minutes: int) -> Readings:
    """A tonne at each of these minutes, in this order."""
    return Readings.of([0] * len(minutes), [HOUR + m * MIN for m in minutes], [1] * len(minutes))


def told(things: Iterable[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Minute, tonnes in the hour before it, lifecycle, revision of the circular degree."""
    return [
        ((t["ts"] - HOUR) // MIN, t["denominator"], t["lifecycle"], t["revision"])
        for t in things
        if (t.get("degree"), t.get("window"), t["level"]) == ("cd", "1h", "line")
    ]


FILE = [tonnes(0, 10, 20, 30, 40, 50, 15, 60, 20)]
"""Minute 15 comes when the clock shows 50 and the watermark 35; the last row is a duplicate."""


def test_a_moment_is_live_then_final_then_restated() -> None:
    """Each multiple as the screens showed it, when its watermark passed, and when a late row changed it."""
    assert told(replay(PLANT, FILE, every_ms=30 * MIN)) == [
        (0, 1.0, "live", 0), (0, 1.0, "final", 0), (30, 4.0, "live", 0), (30, 4.0, "final", 0),
        (30, 5.0, "restated", 1), (60, 7.0, "live", 0), (60, 7.0, "final", 0),
    ]  # fmt: skip


def test_a_restated_object_says_why_and_since_when() -> None:
    """Which channel, how late, and the clock when it became known."""
    found = list(replay(PLANT, FILE, every_ms=30 * MIN))
    (one,) = [t for t in found if t["lifecycle"] == "restated" and (t["level"], t["degree"]) == ("line", "cd")]
    assert one["reason"] == "restated: a reading of m.scrap came 35 min late"
    assert one["known_at"] == HOUR + 50 * MIN


def test_final_says_each_key_once() -> None:
    """With --final only the last step, as there are no blocks here."""
    assert told(replay(PLANT, FILE, final=True)) == [(60, 7.0, "final", 0)]


@pytest.mark.parametrize(("minute", "tonnes_", "lifecycle"), [(49, 4.0, "live"), (50, 5.0, "restated")])
def test_as_known_at(minute: int, tonnes_: float, lifecycle: str) -> None:
    """Before the late row came its hour held four tonnes; since then five."""
    found = replay(PLANT, FILE, every_ms=30 * MIN, known_at=HOUR + minute * MIN)
    assert (30, tonnes_, lifecycle, int(lifecycle == "restated")) in told(found)


def test_sums_are_restated_too() -> None:
    """A sum is said when it is final and again with its revision."""
    found = replay(PLANT, FILE, every_ms=30 * MIN, sums=True)
    hour = [((t["ts"] - HOUR) // MIN, t["sum"], t["revision"]) for t in found if t["window"] == "1h"]
    assert hour == [(0, "1", 0), (30, "4", 0), (30, "5", 1), (60, "7", 0)]


def test_sums_of_a_file_that_goes_channel_by_channel() -> None:
    """Each sum that was final stays one when the second channel's hours come late: none is withdrawn.

    Two meters' worth of 3 h, a tonne every ten minutes: an hour's window holds six of them, the first one alone one.
    """
    plant = parse("""
schema = 1
[intake]
history = true
[site.works]
enterprise = "acme"
timezone = "UTC"
[line.k]
site = "works"
area = "hall"
[meter.m]
line = "k"
every = "10min"
[meter.m.channels]
a = { unit = "t", kind = "amount", step = "1" }
b = { unit = "t", kind = "amount", step = "1" }
[scoring]
windows = ["1h"]
""")
    ts = [HOUR + k * 10 * MIN for k in range(19)]
    rows = [Readings.of([c] * 19, ts, [1] * 19) for c in (0, 1)]
    last = {(t["channel"], t["ts"]): t["sum"] for t in replay(plant, rows, every_ms=10 * MIN, sums=True)}
    assert last == {(c, t): str(min(k + 1, 6)) for c in "ab" for k, t in enumerate(ts)}


def test_what_is_quiet_counts_when_another_meter_is_late() -> None:
    """A thousand tonnes at the beginning stay in a two days' window although only the past can say what came after.

    A tonne every ten minutes for 30 h; the one of 05:05 comes 25 h late, beyond what is kept in memory. At hour h
    there are 1,000 + 6 h, and one more from 06:00 on.
    """
    plant = parse("""
schema = 1
[intake]
history = true
[site.works]
enterprise = "acme"
timezone = "UTC"
[line.k]
site = "works"
area = "hall"
[meter.m]
line = "k"
every = "10min"
[meter.m.channels]
a = { unit = "t", kind = "amount", step = "1", counts = "material:stone" }
b = { unit = "t", kind = "amount", step = "1", counts = "material:slag", waste = true }
[material.stone]
[material.slag]
[scoring]
windows = ["1h", "48h"]
""")
    ts = [HOUR + k * 10 * MIN for k in range(1, 181)]
    one, thousand = Readings.of([0] * 180, ts, [1] * 180), Readings.of([1], [HOUR], [1000])
    late = Readings.of([0, 0], [6 * HOUR + 5 * MIN, 32 * HOUR], [1, 1])
    found = replay(plant, [thousand, one, late], every_ms=HOUR)
    last = {
        t["ts"] // HOUR - 1: (t["numerator"], t["denominator"])
        for t in found
        if (t.get("degree"), t.get("window"), t["level"]) == ("cd", "48h", "line")
    }
    assert last == {h: (1000.0, 1000.0 + 6 * h + (h >= 6) - 5 * (h == 31)) for h in range(32)}


def test_what_comes_late_in_one_batch_is_known_when_it_came() -> None:
    """Rows later than grace are taken apart from those around them."""
    assert seen(late_apart([batch(0, 60, 10, 20, 70)], 30)) == [[0, 60], [10, 20], [70]]


def test_no_readings_nothing_said() -> None:
    """An empty file has no last step."""
    assert list(replay(PLANT, [], every_ms=MIN)) == []
