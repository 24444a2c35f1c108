"""The state machine: every state × event, and what no sequence of inputs can do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.alarms.machine import MAX_SHELVE_MS, Machine, Side, Step
from scoring.results import AlarmCondition

HOUR = 3_600_000
MAKE: dict[str, Machine] = {
    "normal": Machine(),
    "unacknowledged": Machine(active=True, acknowledged=False),
    "acknowledged": Machine(active=True),
    "returned": Machine(acknowledged=False),
    "shelved": Machine(active=True, acknowledged=False, shelved_until=HOUR),
    "shelved, gone": Machine(acknowledged=False, shelved_until=HOUR),
    "suppressed": Machine(suppressed=True),
    "suppressed, active": Machine(active=True, acknowledged=False, suppressed=True),
    "out-of-service": Machine(out_of_service=True),
}
DO: dict[str, Callable[[Machine], object]] = {
    "over": lambda m: m.see(1, Side.OVER),
    "between": lambda m: m.see(1, Side.BETWEEN),
    "under": lambda m: m.see(1, Side.UNDER),
    "no value": lambda m: m.see(1, None),
    "not judged": lambda m: m.see(1, Side.OVER, judged=False),
    "an hour": lambda m: m.elapse(HOUR),
    "acknowledge": lambda m: m.acknowledge(1),
    "shelve": lambda m: m.shelve(1, 5),
    "unshelve": lambda m: m.unshelve(1),
    "take out": lambda m: m.take_out(1),
    "put back": lambda m: m.put_back(1),
}
NO = "refused"
N, U, A, R, S, X, O = (  # noqa: E741 - the table below is read by its letters
    "normal", "unacknowledged", "acknowledged", "returned", "shelved", "suppressed", "out-of-service",
)  # fmt: skip
TABLE = {
    #                     over between under none notj hour  ack  shel unsh out  back
    "normal":             (U,  N,      N,    N,   X,   N,    NO,  S,   NO,  O,   NO),
    "unacknowledged":     (U,  U,      R,    U,   X,   U,    A,   S,   NO,  O,   NO),
    "acknowledged":       (A,  A,      N,    A,   X,   A,    NO,  S,   NO,  O,   NO),
    "returned":           (U,  R,      R,    R,   X,   R,    N,   S,   NO,  O,   NO),
    "shelved":            (S,  S,      S,    S,   S,   U,    NO,  S,   U,   O,   NO),
    "shelved, gone":      (S,  S,      S,    S,   S,   N,    NO,  S,   N,   O,   NO),
    "suppressed":         (U,  N,      N,    N,   X,   X,    NO,  S,   NO,  O,   NO),
    "suppressed, active": (U,  U,      R,    U,   X,   X,    NO,  S,   NO,  O,   NO),
    "out-of-service":     (O,  O,      O,    O,   O,   O,    NO,  NO,  NO,  NO,  N),
}  # fmt: skip


@pytest.mark.parametrize("start", TABLE)
@pytest.mark.parametrize("event", DO)
def test_every_state_and_event(start: str, event: str) -> None:
    """The whole table, without delays."""
    machine = replace(MAKE[start])
    assert machine.state == start.partition(",")[0]
    expected = TABLE[start][list(DO).index(event)]
    if expected == NO:
        with pytest.raises(ValueError, match="alarm"):
            DO[event](machine)
        assert machine == MAKE[start]
    else:
        DO[event](machine)
        assert machine.state == expected


def test_the_table_is_whole() -> None:
    """Every state of the contract has its row, every event its column."""
    assert {name.partition(",")[0] for name in TABLE} == set(get_args(AlarmCondition))
    assert {len(row) for row in TABLE.values()} == {len(DO)}


def test_trip_has_its_exact_instant() -> None:
    """Held from 100 for 10 s: it trips at 10,100, whenever that is looked at."""
    m = Machine(on_delay_ms=10_000)
    assert m.see(100, Side.OVER) == []
    assert m.elapse(10_099) == []
    (step,) = m.elapse(99_999)
    assert (step.at, step.event, step.state, m.since) == (10_100, "trip", "unacknowledged", 10_100)


def test_trip_and_clear_between_two_looks() -> None:
    """A value is held until the next: what was due before it comes first."""
    m = Machine(on_delay_ms=10, off_delay_ms=20)
    m.see(0, Side.OVER)
    steps = m.see(50, Side.UNDER)
    assert [(s.at, s.event) for s in steps] == [(10, "trip")]
    assert [(s.at, s.event) for s in m.elapse(100)] == [(70, "clear")]


def test_a_dip_restarts_the_delay() -> None:
    """The value must hold: one look within the deadband begins the delay anew."""
    m = Machine(on_delay_ms=10)
    m.see(0, Side.OVER)
    m.see(9, Side.BETWEEN)
    m.see(10, Side.OVER)
    assert m.elapse(19) == []
    assert [s.at for s in m.elapse(20)] == [20]


def test_missing_values_prove_nothing() -> None:
    """Without a value neither the on-delay nor the off-delay goes on."""
    m = Machine(on_delay_ms=10, off_delay_ms=10)
    m.see(0, Side.OVER)
    m.see(5, None)
    assert m.elapse(1000) == []
    m.see(1000, Side.OVER)
    m.elapse(1010)
    m.see(1020, Side.UNDER)
    m.see(1025, None)
    assert m.elapse(9999) == []
    assert m.state == "unacknowledged"


def test_shelving_ends_by_itself() -> None:
    """What still stands when shelving ends is announced anew, though it was acknowledged before."""
    m = Machine()
    m.see(0, Side.OVER)
    m.acknowledge(1)
    m.shelve(2, 100)
    (step,) = m.elapse(500)
    assert (step.at, step.event, step.state) == (102, "unshelve", "unacknowledged")


def test_shelving_ends_before_a_trip_of_the_same_instant() -> None:
    """An alarm that trips in the moment its shelving ends is heard."""
    m = Machine(on_delay_ms=10)
    m.shelve(0, 10)
    m.see(0, Side.OVER)
    assert [(s.at, s.event, s.state) for s in m.elapse(10)] == [
        (10, "unshelve", "normal"),
        (10, "trip", "unacknowledged"),
    ]


def test_shelving_has_bounds() -> None:
    """No time, or more than a week, is no shelving."""
    for for_ms in (0, -1, MAX_SHELVE_MS + 1):
        with pytest.raises(ValueError, match="at most 7 days"):
            Machine().shelve(0, for_ms)


INPUT = st.one_of(
    st.tuples(st.just("see"), st.sampled_from([*Side, None]), st.booleans()),
    st.tuples(st.sampled_from(["acknowledge", "unshelve", "take_out", "put_back", "elapse"])),
    st.tuples(st.just("shelve"), st.integers(1, 200)),
)


def play(machine: Machine, inputs: list[tuple[int, tuple[object, ...]]]) -> list[Step]:
    """Feed inputs (ms since the last, what); refusals change nothing."""
    steps: list[Step] = []
    now = 0
    for gap, (what, *how) in inputs:
        now += gap
        steps += machine.elapse(now)
        match what, how:
            case "elapse", _:
                pass
            case "see", (side, judged):
                steps += machine.see(now, side, judged=bool(judged))  # type: ignore[arg-type]
            case _:
                try:
                    steps.append(getattr(machine, str(what))(now, *how))
                except ValueError:
                    continue
    return steps


INPUTS = st.lists(st.tuples(st.integers(0, 100), INPUT), max_size=40)


@given(INPUTS, st.integers(0, 50), st.integers(0, 50))
def test_no_sequence_reaches_an_unlisted_state(inputs: list[tuple[int, tuple[object, ...]]], on: int, off: int) -> None:
    """Only the seven states; steps in order of time; `since` is its beginning, acknowledged or not."""
    machine = Machine(on, off)
    steps = play(machine, inputs)
    state, since = "normal", 0
    for a in steps:
        assert a.state in get_args(AlarmCondition)
        since = a.at if a.state != state and a.event != "acknowledge" else since
        state = a.state
        assert a.since == since
    assert [s.at for s in steps] == sorted(s.at for s in steps)
    assert (machine.state, machine.since) == (state, since)


@given(INPUTS, st.integers(1, 50), st.integers(1, 50))
def test_flapping_is_bounded(inputs: list[tuple[int, tuple[object, ...]]], on: int, off: int) -> None:
    """Between two trips lie at least both delays, unless somebody took the alarm out of service in between."""
    steps = [s for s in play(Machine(on, off), inputs) if s.event in ("trip", "clear", "out-of-service")]
    for a, b in pairwise(steps):
        assert (a.event, b.event) not in {("trip", "trip"), ("clear", "clear")}
        if b.event == "trip" and a.event == "clear":
            assert b.at - a.at >= on
        if b.event == "clear" and a.event == "trip":
            assert b.at - a.at >= off


@given(INPUTS, INPUTS, st.integers(0, 50))
def test_restart_changes_nothing(
    first: list[tuple[int, tuple[object, ...]]], then: list[tuple[int, tuple[object, ...]]], delay: int
) -> None:
    """A machine that went through JSON goes on exactly as one that did not."""
    a = Machine(delay, delay)
    play(a, first)
    b = Machine(**json.loads(json.dumps(a.to_json())))
    assert play(a, then) == play(b, then)
    assert a == b


@given(st.lists(st.tuples(st.integers(1, 60), st.sampled_from([*Side])), max_size=20), st.integers(0, 40))
def test_looking_more_often_changes_nothing(values: list[tuple[int, Side]], delay: int) -> None:
    """Transition instants do not depend on how often anybody looks."""
    rare, often = Machine(delay, delay), Machine(delay, delay)
    a: list[Step] = []
    b: list[Step] = []
    now = 0
    for gap, side in values:
        for ms in range(now, now + gap):
            b += often.elapse(ms)
        now += gap
        a += rare.see(now, side)
        b += often.see(now, side)
    assert a == b
