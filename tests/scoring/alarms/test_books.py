"""The registry's alarms and the service's own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scoring.alarms import AlarmBook, Observation, OperationalBook, observation
from tests.scoring.alarms.rules import LOW, NOX, SCOPE, S, book
from tests.scoring.stacks.plants import MINUTE, Rig, plant


def state(b: AlarmBook | OperationalBook, id_: str = "nox-high") -> str:
    (alarm,) = (a for a in b.alarms() if a.id == id_)
    return alarm.state


def test_trips_and_clears_beyond_the_deadband() -> None:
    """320 trips after 10 s at or above it; 313.6 does not clear, below it does after 60 s."""
    b = book()
    assert b.observe(0, {0: Observation(320.0, True)}) == []
    (trip,) = b.observe(12 * S, {0: Observation(330.0, True)})
    assert (trip.ts, trip.event, trip.alarm.state, trip.alarm.value) == (10 * S, "trip", "unacknowledged", 320.0)
    assert (trip.alarm.limit, trip.alarm.unit, trip.alarm.priority) == (320.0, "mg/m3", "high")
    b.observe(20 * S, {0: Observation(313.6, True)})
    assert b.tick(1000 * S) == []
    b.observe(1000 * S, {0: Observation(313.5, True)})
    (clear,) = b.tick(2000 * S)
    assert (clear.ts, clear.alarm.state) == (1060 * S, "returned")
    (done,) = b.command(2001 * S, SCOPE, "nox-high", "acknowledge", "li")
    assert (done.event, done.alarm.state, done.alarm.user) == ("acknowledge", "normal", "li")


def test_just_below_the_limit_does_not_trip() -> None:
    """At or above is sharp: the double next below 320 is below."""
    b = book()
    b.observe(0, {0: Observation(319.99999999999994, True)})
    assert b.tick(100 * S) == []


def test_low_alarm_is_the_mirror() -> None:
    """A low alarm trips at or below and clears above limit + deadband."""
    b = book(LOW)
    values = [
        (1.0, "normal"),
        (0.8, "unacknowledged"),
        (0.85, "unacknowledged"),
        (0.86, "returned"),
        (0.79, "unacknowledged"),
    ]
    for now, (value, expected) in enumerate(values):
        b.observe(now, {0: Observation(value, True)})
        assert state(b, "lcd-low") == expected


def test_missing_value_holds_and_says_so() -> None:
    """No data never clears an alarm; the last value stays visible and the text says what is missing."""
    b = book()
    b.observe(0, {0: Observation(400.0, True)})
    b.observe(10 * S, {0: Observation(400.0, True)})
    assert b.observe(11 * S, {0: Observation(None, True)}) == []
    assert b.observe(9999 * S, {0: Observation(float("nan"), True)}) == []
    (alarm,) = b.alarms()
    assert (alarm.state, alarm.value) == ("unacknowledged", 400.0)
    assert alarm.text == "nox 1min at or above 320 mg/m3; no value now: the state is held"


def test_standing_kiln_suppresses() -> None:
    """While the scope stands nothing trips; what was not acknowledged before is there again afterwards."""
    b = book()
    b.observe(0, {0: Observation(400.0, True)})
    b.tick(10 * S)
    (event,) = b.observe(20 * S, {0: Observation(None, False)})
    assert (event.event, event.alarm.state) == ("suppress", "suppressed")
    assert "not judged" in event.alarm.text
    (event,) = b.observe(99 * S, {0: Observation(100.0, True)})
    assert (event.event, event.alarm.state) == ("unsuppress", "unacknowledged")
    assert [e.event for e in b.tick(999 * S)] == ["clear"]


def test_acknowledge_keeps_name_and_comment_until_the_next_trip() -> None:
    """Who and why stand with this occurrence, not with the next."""
    b = book()
    b.observe(0, {0: Observation(400.0, True)})
    b.tick(10 * S)
    b.command(11 * S, SCOPE, "nox-high", "acknowledge", "li", "ammonia pump changed")
    (alarm,) = b.alarms()
    assert (alarm.state, alarm.user, alarm.comment) == ("acknowledged", "li", "ammonia pump changed")
    b.observe(20 * S, {0: Observation(0.0, True)})
    b.observe(90 * S, {0: Observation(400.0, True)})
    events = b.tick(200 * S)
    assert [(e.event, e.alarm.user) for e in events] == [("trip", None)]


def test_shelve_with_timer_and_reason() -> None:
    """Shelving needs a reason and a time, says until when, and ends by itself."""
    b = book()
    with pytest.raises(ValueError, match="say why"):
        b.command(0, SCOPE, "nox-high", "shelve", "li", "", 60 * S)
    (event,) = b.command(0, SCOPE, "nox-high", "shelve", "li", "calibration", 60 * S)
    assert (event.alarm.state, event.alarm.shelved_until) == ("shelved", 60 * S)
    events = b.observe(30 * S, {0: Observation(400.0, True)}) + b.tick(100 * S)
    assert [(e.ts, e.event, e.alarm.state) for e in events] == [
        (40 * S, "trip", "shelved"),
        (60 * S, "unshelve", "unacknowledged"),
    ]


@pytest.mark.parametrize(
    ("scope", "id_", "do", "user", "words"),
    [
        (SCOPE, "nox", "acknowledge", "li", "there is no alarm nox on stack:acme/wuhu/tail"),
        (SCOPE, "nox-high", "acknowledge", "li", "there is nothing to acknowledge: the alarm is normal"),
        (SCOPE, "nox-high", "acknowledge", "", "say who you are"),
        (SCOPE, "nox-high", "unshelve", "li", "the alarm is not shelved: it is normal"),
        (SCOPE, "nox-high", "silence", "li", "`silence` is no command"),
        (SCOPE, "nox-high", "in-service", "li", "the alarm is in service"),
    ],
)
def test_refusals_are_sentences(scope: str, id_: str, do: str, user: str, words: str) -> None:
    """What does not fit is refused in words for people, and changes nothing."""
    b = book()
    before = b.snapshot()
    with pytest.raises(ValueError, match=words):
        b.command(0, scope, id_, do, user)
    assert b.snapshot() == before


def test_a_refused_command_swallows_no_event() -> None:
    """Timers that fire in the moment of a refused command are told with the next look."""
    b = book()
    b.observe(0, {0: Observation(400.0, True)})
    with pytest.raises(ValueError, match="not shelved"):
        b.command(50 * S, SCOPE, "nox-high", "unshelve", "li")
    assert [(e.ts, e.event) for e in b.tick(50 * S)] == [(10 * S, "trip")]


def test_restart_neither_fires_again_nor_forgets() -> None:
    """After a restart from the snapshot the pending delay goes on, the acknowledged stays acknowledged."""
    b = book(NOX, LOW)
    b.observe(0, {0: Observation(400.0, True), 1: Observation(0.5, True)})
    b.command(1, LOW.scope, "lcd-low", "acknowledge", "li")
    again = book(replace(NOX, id="new"), NOX, LOW)
    again.restore(json.loads(json.dumps(b.snapshot())))
    assert state(again, "lcd-low") == "acknowledged"
    assert [(e.ts, e.alarm.id) for e in again.tick(60 * S)] == [(10 * S, "nox-high")]


def test_alarms_stand_over_an_upgrade() -> None:
    """The book of a program that knew neither band nor breach is taken over; what it lacks is unknown."""
    b = book(NOX, LOW)
    b.observe(0, {0: Observation(400.0, True), 1: Observation(0.5, True)})
    b.command(1, LOW.scope, "lcd-low", "acknowledge", "li", "seen")
    told = b.snapshot()
    for alarm in told["alarms"]:
        del alarm["breach"], alarm["band"]
    again = book(NOX, LOW)
    again.restore(told)
    assert [(a.state, a.breach, a.comment) for a in again.alarms() if a.id == "lcd-low"] == [
        ("acknowledged", None, "seen")
    ]


def test_time_never_goes_back() -> None:
    """An earlier `now` counts as the latest one."""
    b = book()
    b.observe(100 * S, {0: Observation(100.0, True)})
    b.observe(5 * S, {0: Observation(400.0, True)})
    assert [e.ts for e in b.tick(200 * S)] == [110 * S]


def test_operational_alarm() -> None:
    """Raised by the service, acknowledged like any other, returned when the trouble stays away."""
    b = OperationalBook()
    (trip,) = b.raise_(0, "store-down", "system", "InfluxDB does not answer", "high")
    assert (trip.event, trip.alarm.state, trip.alarm.priority) == ("trip", "unacknowledged", "high")
    assert b.raise_(S, "store-down", "system", "InfluxDB does not answer since 14:31", "high") == []
    assert b.alarms()[0].text.endswith("since 14:31")
    b.clear(2 * S, "store-down", "system")
    b.raise_(5 * S, "store-down", "system", "down again", "high")
    assert b.tick(60 * S) == []
    b.clear(60 * S, "store-down", "system")
    again = OperationalBook()
    again.restore(json.loads(json.dumps(b.snapshot())))
    assert [(e.ts, e.alarm.state) for e in again.tick(90 * S)] == [(70 * S, "returned")]
    (event,) = again.command(91 * S, "system", "store-down", "acknowledge", "li")
    assert event.alarm.state == "normal"
    assert again.clear(92 * S, "never-raised", "system") == []


def test_observation_of_an_emission() -> None:
    """A standing kiln is not judged; an analyser without readings is, and holds the state."""
    r = Rig(plant({"nox": {"unit": "mg/m3"}, "o2": {"unit": "%"}}, running=True))
    r.push(("nox", 0, 100), ("o2", 0, 13), ("feed", 0, 300), ("feed", MINUTE, 0), ("feed", 2 * MINUTE, 300))
    seen = [observation(r.stacks.minute(m * MINUTE)[0]) for m in (1, 2, 3)]
    assert [s[:2] for s in seen] == [(137.5, True), (None, False), (None, True)]


def test_breach_within_or_beyond_what_is_uncertain() -> None:
    """Above the limit with all of the band: beyond; with a part of it: within; and the text names the band."""
    b = book()
    told = []
    for now, seen in enumerate(
        (Observation(310.0, True, 290.0, 330.0), Observation(330.0, True, 310.0, 350.0),
         Observation(350.0, True, 330.0, 370.0), Observation(350.0, True))
    ):  # fmt: skip
        b.observe(now * S, {0: seen})
        told.append((b.alarms()[0].breach, b.alarms()[0].text.partition("; ")[2]))
    assert told == [
        ("none", ""), ("within", "within uncertainty: 310 to 350"),
        ("beyond", "beyond uncertainty: 330 to 370"), ("beyond", ""),
    ]  # fmt: skip


def test_a_low_alarm_s_near_end_is_the_upper_one() -> None:
    """A degree below its limit is beyond the uncertainty where `high` is below it, too."""
    b = book(LOW)
    for low, high, breach in ((0.6, 0.75, "beyond"), (0.6, 0.85, "within"), (0.6, 0.8, "beyond")):
        b.observe(0, {0: Observation(0.7, True, low, high)})
        assert b.alarms()[0].breach == breach
