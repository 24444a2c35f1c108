"""Semantics §6, cases 1 and 3 with their late readings, from outside: final, then restated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.test_replay_cases import FEED, KWH, MIN, PLACE, Bench, T, bench, timed

__all__ = ["bench"]

CASES = {
    # channel, readings in order, minute and window looked at, final, restated, came at minute
    "1": (KWH, "0:9700, 10:9900, 30:100, 40:250, 20:9980", 20, "10min", ["100", "80"], 40),
    "1, the 40 minutes": (KWH, "0:9700, 10:9900, 30:100, 40:250, 20:9980", 40, "40min", ["550"], 40),
    "3": (FEED, "0:340, 4:350, 20:300, 22:0, 45:0, 50:0, 8:360", 30, "30min", ["61.833333333", "86.000000000"], 50),
}


@pytest.mark.parametrize("case", CASES)
def test_sums(bench: Bench, case: str) -> None:
    """Each sum is told when it is final, and again where the late reading changed it."""
    channel, readings, minute, window, sums, _ = CASES[case]
    found = _told(bench, channel, readings, minute, window, "--sums", "--every", "10min")
    assert [t["sum"] for t in found] == sums
    assert [(t["lifecycle"], t["revision"]) for t in found] == [("final", 0), ("restated", 1)][: len(sums)]


@pytest.mark.parametrize("case", ["1", "3"])
def test_reason_and_known_at(bench: Bench, case: str) -> None:
    """The revision says which channel came how late, and when it became known; before that the first one held."""
    channel, readings, minute, window, _, came = CASES[case]
    found = _told(bench, channel, readings, minute, window, "--sums", "--every", "10min")
    late = came - int(readings.rpartition(", ")[2].partition(":")[0])
    assert found[-1]["reason"] == f"restated: a reading of m1.x came {late} min late"
    assert found[-1]["known_at"] == T + came * MIN


@pytest.mark.parametrize(("known", "sums"), [(44, []), (45, ["61.833333333"]), (50, ["86.000000000"])])
def test_as_known_at(bench: Bench, known: int, sums: list[str]) -> None:
    """Case 3: final at minute 45, when the watermark passed 30; restated at 50."""
    channel, readings, minute, window, *_ = CASES["3"]
    flags = ("--sums", "--every", "10min", "--known-at", str(T + known * MIN))
    assert [t["sum"] for t in _told(bench, channel, readings, minute, window, *flags)] == sums


def test_known_at_needs_a_zone(bench: Bench) -> None:
    """A time without zone is a mistake in words."""
    (bench.folder / "readings.csv").write_text("ts,meter,channel,value\n")
    registry = bench.registry(f"{PLACE}[meter.m1]\nline = 'k'\nevery = '1min'\n[meter.m1.channels]\nx = {KWH}\n")
    said = bench.command("replay", registry, bench.folder / "readings.csv", "--known-at", "2026-01-01T00:00:00", code=2)
    assert "--known-at" in said


def _told(bench: Bench, channel: str, readings: str, minute: int, window: str, *flags: str) -> list[dict[str, Any]]:
    meter = f'[meter.m1]\nline = "k"\nevery = "1min"\n[meter.m1.channels]\nx = {channel}\n'
    registry = f'{PLACE}{meter}[scoring]\nwindows = ["10min", "30min", "40min"]\n'
    things = bench.replay(registry, timed("m1", "x", readings), *flags)
    return [t for t in things if (t["ts"], t["window"]) == (T + minute * MIN, window)]
