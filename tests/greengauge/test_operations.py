"""The service's own alarms: each trouble raises its alarm, which is acknowledged, goes, and survives a restart."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devices.errors import ConfigurationError
from greengauge.operations import Operations
from greengauge.standing import Standing
from ingest.clock import Jump
from ingest.log.reader import Damage
from ingest.session.state import Loss, SessionState

DAMAGED = (Damage("", 9, 12, "missing"), Damage("00000000000000001000.segment", 1007, 1050, "checksum"))
S = 1_000
T = 1_767_225_600_000


def log(pressure: float = 0.0, damages: int = 0, undeletable: str = "", full: bool = False) -> Any:
    return SimpleNamespace(
        pressure=lambda: pressure,
        state=lambda: SimpleNamespace(
            damages=damages, undeletable=undeletable, damaged=DAMAGED[:damages], disk_full=full
        ),
        cursors=SimpleNamespace(slowest=lambda: "quarantine"),
    )


def service(**changes: Any) -> Any:
    """A service in which all is well, but for the changes."""
    session = SessionState("mqtt://broker", connected=True)
    parts: dict[str, Any] = {
        "plant": SimpleNamespace(intake=SimpleNamespace(history=False)),
        "intake": SimpleNamespace(
            state=SimpleNamespace(failure=None, pressed=False), session=SimpleNamespace(state=session)
        ),
        "log": log(),
        "writer": SimpleNamespace(state=SimpleNamespace(condition="ok", words="")),
        "standing": Standing(),
        "clock": SimpleNamespace(jump=None),
        "live": SimpleNamespace(system=dict, meters=dict),
        "quarantining": SimpleNamespace(failure=None),
        "scorer": SimpleNamespace(troubles={}, filled=SimpleNamespace(is_set=lambda: True)),
    }
    return SimpleNamespace(**parts | changes)


def unacknowledged(operations: Operations) -> dict[str, str]:
    return {a.id: a.text for a in operations.alarms() if a.state == "unacknowledged"}


def look(operations: Operations, place: Any, *seconds: int) -> list[str]:
    """The events of looks at these seconds."""
    return [f"{e.event} {e.alarm.id}" for s in seconds for e in operations.look(place, T + s * S)]


def with_session(**state: Any) -> Any:
    place = service()
    for name, value in state.items():
        setattr(place.intake.session.state, name, value)
    return place


def silent(*meters: str) -> Any:
    told = {name: {"silent": True, "last": T, "scope": "line:a/b/c/k1"} for name in meters}
    return service(live=SimpleNamespace(system=dict, meters=lambda: told))


TROUBLES: dict[str, tuple[Any, str, str]] = {
    "takeover": (with_session(takeover=True, mend="stop it"), "takeover", "another client"),
    "broker": (with_session(connected=False, cause="connection refused"), "broker-down", "connection refused"),
    "log": (
        service(log=log(pressure=0.81)),
        "log-filling",
        "81% of its quota; it waits for `quarantine`",
    ),
    "disk": (service(log=log(full=True)), "disk-full", "taken in again"),
    "damage": (service(log=log(damages=2)), "log-damaged", "1000.segment: 43 bytes from offset 7: checksum"),
    "undeletable": (service(log=log(undeletable="0.segment cannot be deleted")), "log-undeletable", "the log grows"),
    "store": (
        service(writer=SimpleNamespace(state=SimpleNamespace(condition="down", words="no route"))),
        "store-down",
        "store down: no route",
    ),
    "token": (
        service(writer=SimpleNamespace(state=SimpleNamespace(condition="paused", words="401: unauthorized"))),
        "store-paused",
        "waits for somebody: 401",
    ),
    "clock": (service(clock=SimpleNamespace(jump=Jump(T, -3_600_000))), "clock-jump", "-3600 s"),
    "quarantine": (
        service(live=SimpleNamespace(system=lambda: {"quarantine": {"share": 1.0}}, meters=dict)),
        "quarantine-full",
        "only the reason",
    ),
    "history": (
        service(scorer=SimpleNamespace(troubles={"history": "disk full"}, filled=SimpleNamespace(is_set=lambda: True))),
        "history-not-writable",
        "disk full",
    ),
    "meters": (silent("m1", "m2"), "meters-silent", "m1 silent since 2026-01-01T00:00:00Z, m2 silent"),
    "many meters": (silent(*"abcdefg"), "meters-silent", "and 2 more"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_has_its_alarm(name: str, tmp_path: Path) -> None:
    """It is raised within its delay of a minute at most, says what is wrong, and goes 10 s after the trouble."""
    place, id_, words = TROUBLES[name]
    operations = Operations(tmp_path / "operations.json")
    look(operations, place, 0, 59, 60)
    assert list(unacknowledged(operations)) == [id_]
    assert words in unacknowledged(operations)[id_]
    assert look(operations, service(), 61, 70) == []
    assert look(operations, service(), 71) == [f"clear {id_}"]


def test_a_short_outage_is_no_alarm(tmp_path: Path) -> None:
    """A store that is back after half a minute raises nothing."""
    operations = Operations(tmp_path / "operations.json")
    assert look(operations, TROUBLES["store"][0], 0, 30) + look(operations, service(), 31, 61, 120) == []


def test_a_possible_loss_waits_to_be_acknowledged(tmp_path: Path) -> None:
    """It is over at once; the alarm returns after 10 s and stays until it is seen; the next one rings anew."""
    operations, place = Operations(tmp_path / "operations.json"), service()
    place.intake.session.state.lost(Loss(T - 40 * S, T, "broker-restart"))
    assert look(operations, place, 0, 1, 11) == ["trip possible-loss", "clear possible-loss"]
    [alarm] = operations.alarms()
    assert (alarm.state, alarm.priority) == ("returned", "high")
    assert "from 2025-12-31T23:59:20Z to 2026-01-01T00:00:00Z may be lost: broker restart" in alarm.text
    operations.command(T + 12 * S, {"scope": "service", "id": "possible-loss", "do": "acknowledge", "user": "ann"})
    assert operations.alarms()[0].state == "normal"
    place.intake.session.state.lost(Loss(T, T + 13 * S, "session-lost"))
    assert look(operations, place, 13) == ["trip possible-loss"]


def test_possible_losses_outlive_a_restart_and_ring_once(tmp_path: Path) -> None:
    """The session of the next process knows them, its first look raises nothing old, and a new one rings."""
    path, place = tmp_path / "operations.json", service()
    session = place.intake.session.state
    operations = Operations(path, session=session)
    session.lost(Loss(T - 40 * S, T, "broker-restart"))
    assert look(operations, place, 0, 1, 11) == ["trip possible-loss", "clear possible-loss"]
    assert operations.unsaved
    session.lost(Loss(T, T + 12 * S, "session-lost"))
    look(operations, place, 12)
    operations.save()
    assert not operations.unsaved
    after = service()
    again = Operations(path, session=after.intake.session.state)
    assert after.intake.session.state.losses == session.losses
    assert after.intake.session.state.possible_losses == 2
    assert look(again, after, 13, 14) == []
    after.intake.session.state.lost(Loss(T + 14 * S, T + 40 * S, "session-lost"))
    assert look(again, after, 40) == ["clear possible-loss", "trip possible-loss"]


def test_without_a_broker_meters_are_not_called_silent(tmp_path: Path) -> None:
    """One trouble, one alarm; those that were silent before stay as they are."""
    operations, gone = Operations(tmp_path / "operations.json"), silent("m1")
    look(operations, gone, 0, 60)
    gone.intake.session.state.connected = False
    assert look(operations, gone, 61, 121) == ["trip broker-down"]
    assert set(unacknowledged(operations)) == {"meters-silent", "broker-down"}


def test_a_restart_neither_fires_again_nor_forgets(tmp_path: Path) -> None:
    """The acknowledged alarm of a store still down is still acknowledged, by the same person, since the trip."""
    operations, place = Operations(tmp_path / "operations.json"), TROUBLES["store"][0]
    look(operations, place, 0, 60)
    asked = {"scope": "service", "id": "store-down", "do": "acknowledge", "user": "ann", "comment": "called IT"}
    operations.command(T + 65 * S, asked)
    operations.save()
    again = Operations(tmp_path / "operations.json")
    assert look(again, place, 70) == []
    [alarm] = again.alarms()
    assert (alarm.state, alarm.user, alarm.comment, alarm.since) == ("acknowledged", "ann", "called IT", T + 60 * S)


def test_an_alarm_of_a_place_that_left_the_registry_is_forgotten(tmp_path: Path) -> None:
    """Its meters can never be heard again; the service's own stay."""
    path = tmp_path / "operations.json"
    before = Operations(path, {"line:a/b/c/k1"})
    look(before, silent("m1"), 0, 61)
    look(before, TROUBLES["takeover"][0], 62)
    before.save()
    assert {a.id for a in Operations(path, {"line:a/b/c/k1"}).alarms()} == {"meters-silent", "takeover"}
    assert {a.id for a in Operations(path, {"line:a/b/c/k2"}).alarms()} == {"takeover"}


def test_a_damaged_file_begins_anew(tmp_path: Path) -> None:
    """No crash, no alarm: what is wrong now is raised again."""
    (tmp_path / "operations.json").write_text('{"now": ')
    assert Operations(tmp_path / "operations.json").alarms() == []


def test_a_command_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """What has nothing to acknowledge says so."""
    operations = Operations(tmp_path / "operations.json")
    look(operations, TROUBLES["clock"][0], 0)
    with pytest.raises(ConfigurationError, match="needs a reason"):
        operations.command(T, {"scope": "service", "id": "clock-jump", "do": "shelve", "user": "ann", "for_ms": 1})


def with_rejects(names: int = 0, **reasons: int) -> Any:
    told = {"quarantine": {"reasons": reasons, "names_refused": names}}
    return service(live=SimpleNamespace(system=lambda: told, meters=dict))


def test_a_false_name_is_one_security_event_however_often(tmp_path: Path) -> None:
    """It trips once while they keep coming, and a restart does not tell the old ones again."""
    operations = Operations(tmp_path / "o.json")
    assert look(operations, with_rejects(), 0) == []
    events = [e for n in range(1, 600) for e in look(operations, with_rejects(identity=n), n)]
    assert events == ["trip identity"]
    operations.save()
    again = Operations(tmp_path / "o.json")
    assert "trip identity" not in look(again, with_rejects(identity=599), 601, 700)
    assert look(again, with_rejects(identity=600), 800) == ["trip identity"]


def test_a_mistake_of_ours_is_told_once(tmp_path: Path) -> None:
    """Messages quarantined as `internal` raise one alarm, which says how many there are."""
    operations = Operations(tmp_path / "o.json")
    assert look(operations, with_rejects(internal=0), 0) == []
    assert [e for n in (1, 2, 3) for e in look(operations, with_rejects(internal=2 * n), n)] == ["trip internal"]
    assert "keeps out 6 messages" in unacknowledged(operations)["internal"]


def test_a_flood_of_names_alarms_once(tmp_path: Path) -> None:
    """Names beyond the budget raise one alarm; a quarantine that cannot be read changes nothing."""
    operations = Operations(tmp_path / "o.json")
    assert [e for n in range(1, 60) for e in look(operations, with_rejects(names=n * 100), n)] == ["trip names-refused"]
    assert look(operations, service(), 60) == []
    assert unacknowledged(operations).keys() == {"names-refused"}
