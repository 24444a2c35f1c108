from __future__ import annotations

import pytest

from ingest.clock import Clock, Jump

HOUR = 3_600_000


class _Hands:
    """A wall clock and a monotonic one, moved by hand."""

    wall = 1_763_800_000_000
    steady = 5_000

    def pass_ms(self, steady: int, wall: int | None = None) -> None:
        self.steady += steady
        self.wall += steady if wall is None else wall


@pytest.fixture
def hands() -> _Hands:
    return _Hands()


@pytest.fixture
def clock(hands: _Hands) -> Clock:
    return Clock(wall=lambda: hands.wall, steady=lambda: hands.steady)


def test_it_follows_a_wall_clock_that_is_slewed(hands: _Hands, clock: Clock) -> None:
    """Half a millisecond a second, for hours, is no jump, and the time shown is the wall's."""
    for _ in range(10_000):
        hands.pass_ms(1000, 1001)
        assert clock.now() == hands.wall
    assert clock.jump is None


@pytest.mark.parametrize("jump", [3_600_000, -3_600_000, 315_360_000_000, -315_360_000_000])
def test_a_jump_is_held_until_the_wall_comes_back(hands: _Hands, clock: Clock, jump: int) -> None:
    """An hour or ten years, ahead or back: time goes on steadily, the jump is reported, then forgotten."""
    before = clock.now()
    hands.pass_ms(1000, 1000 + jump)
    assert clock.now() == before + 1000
    assert clock.jump is not None
    assert clock.jump.offset == jump
    assert clock.jump.since == before + 1000
    hands.pass_ms(1000, 1000 - jump)
    assert clock.now() == before + 2000
    assert clock.jump is None


def test_an_accepted_jump_ahead_is_the_time_from_then_on(hands: _Hands, clock: Clock) -> None:
    """Somebody says that the new wall clock is right."""
    hands.pass_ms(1000, 3_600_000)
    clock.now()
    assert clock.jump is not None
    clock.accept(clock.jump.offset)
    assert clock.now() == clock.stamp() == hands.wall
    assert clock.jump is None


def test_small_steps_back_are_waited_out(hands: _Hands, clock: Clock) -> None:
    """Time stands still until they are caught up."""
    before = clock.now()
    hands.pass_ms(100, -400)
    assert clock.now() == before
    hands.pass_ms(1000)
    assert clock.now() == hands.wall > before


def test_after_an_accepted_step_back_the_log_runs_ahead(hands: _Hands, clock: Clock) -> None:
    """The time is the wall's at once; the log's own goes on from where it was."""
    before = clock.now()
    hands.pass_ms(1000, 1000 - HOUR)
    clock.now()
    assert clock.jump is not None
    clock.accept(clock.jump.offset)
    assert clock.now() == hands.wall == before + 1000 - HOUR
    assert (clock.stamp(), clock.ahead) == (before + 1000, HOUR)
    hands.pass_ms(500)
    assert (clock.now(), clock.stamp()) == (hands.wall, before + 1500)


def test_a_machine_that_starts_behind_its_log(hands: _Hands) -> None:
    """Held from the first moment; when the wall passes the log's newest record it may be right."""
    floor = hands.wall + HOUR
    clock = Clock(floor=floor, wall=lambda: hands.wall, steady=lambda: hands.steady)
    assert clock.jump == Jump(floor, -HOUR, at_start=True)
    hands.pass_ms(1000)
    assert clock.now() == floor + 1000
    hands.pass_ms(1000, 2 * HOUR)
    clock.now()
    assert clock.jump is not None
    assert (clock.jump.at_start, clock.jump.offset) == (True, HOUR - 1000)


def test_a_restart_goes_on_ahead(hands: _Hands) -> None:
    """What was accepted once is known at the next start."""
    clock = Clock(floor=hands.wall - 1000, ahead=HOUR, wall=lambda: hands.wall, steady=lambda: hands.steady)
    assert clock.jump is None
    assert (clock.now(), clock.stamp()) == (hands.wall, hands.wall + HOUR)
