"""Whose message goes out next: at most one a second a scope, and what only slid holds nobody up."""

from __future__ import annotations

import random

import pytest

from greengauge.outputs.turns import EVERY_S, SLID_S, TOGETHER, Turns


def test_at_once_after_a_silence_else_when_the_second_is_over() -> None:
    """The first at once; the next a second later, however often news comes."""
    turns = Turns()
    turns.news({"a": True})
    assert turns.take(10.0) == ["a"]
    turns.news({"a": True})
    turns.news({"a": True})
    assert turns.take(10.4) == []
    assert turns.rest(10.4) == pytest.approx(0.6)
    assert turns.take(11.0) == ["a"]
    assert turns.rest(11.0) is None
    turns.news({"a": True})
    assert turns.take(13.0) == ["a"]


def test_what_only_slid_waits_for_the_next_reading() -> None:
    """It goes with it, or alone after ten seconds; and a reading after it is out at once."""
    turns = Turns()
    turns.news({"a": True, "b": True})
    turns.take(0.0)
    turns.news({"a": False, "b": False})
    assert turns.take(2.0) == []
    turns.news({"a": True})
    assert turns.take(2.1) == ["a"]
    assert turns.rest(2.1) == pytest.approx(SLID_S - 2.1)
    assert turns.take(SLID_S) == ["b"]
    assert turns.rest(SLID_S) is None


def test_who_was_silent_for_longest_goes_first() -> None:
    """A quiet scope does not wait until many busy ones are out."""
    turns = Turns()
    busy = {f"busy{n}": True for n in range(3 * TOGETHER)}
    turns.news({"quiet": True})
    turns.take(0.0)
    turns.news(busy)
    while turns.take(5.0):
        pass
    turns.news(busy)
    turns.news({"quiet": True})
    assert turns.take(6.0)[0] == "quiet"


def test_never_two_within_a_second_and_nothing_forgotten() -> None:
    """Whatever comes: turns are a second apart; what came has its turn within one, what slid within ten."""
    chance, turns, now = random.Random(3), Turns(), 0.0
    last: dict[str, float] = {}
    owed: dict[str, float] = {}
    for _ in range(20_000):
        now += chance.choice([0.0, 0.01, 0.1])
        scope, came = f"s{chance.randrange(40)}", chance.random() < 0.3
        turns.news({scope: came})
        owed[scope] = min(owed.get(scope, 1e9), now + (EVERY_S if came else SLID_S))
        while taken := turns.take(now):
            for one in taken:
                assert now - last.get(one, -9.0) >= EVERY_S
                last[one] = now
                del owed[one]
        assert all(due >= now - 1e-9 for due in owed.values())
