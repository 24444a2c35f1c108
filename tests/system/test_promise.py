"""`verify`, `rewind` and `quarantine retry` as their users meet them: beside a running service, on real files."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from devices import times
from tests.system.mosquitto import Mosquitto, mosquitto  # noqa: F401 - fixtures
from tests.system.running import Running, command, until

pytestmark = pytest.mark.system

KINDS = ("received", "stored", "duplicate", "superseded", "quarantined", "pending", "unwritten")
BEHIND = ("store", "quarantine")
TOPIC = "plant/acme/works/pyro/k1/k1-kiln"


class Plant:
    """The small registry of `init`, its service, and a meter that publishes at QoS 1."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder, self.data, self.registry = folder, folder / "data", folder / "plant.toml"
        assert command("init", self.registry).returncode == 0
        words = ["run", self.registry, "--data", self.data, "--broker", broker.url, "--port", "0"]
        self.service = Running(words, folder)
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="k1-kiln")
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def publish(self, payload: str, topic: str = TOPIC) -> None:
        self.client.publish(topic, payload, qos=1).wait_for_publish(5)

    def stored(self) -> dict[tuple[str, int], float]:
        """(field, ts) -> value, read from the embedded store's own file."""
        with closing(sqlite3.connect(f"file:{self.data}/store/store.db?mode=ro", uri=True)) as db:
            joined = "value JOIN series ON series.id = value.series"
            rows = db.execute(f"SELECT field, ts, v FROM {joined} WHERE CAST(head AS TEXT) LIKE 'reading%'")
            return {(field, ts): v for field, ts, v in rows if not str(field).endswith("_q")}

    def lose(self, field: str, since: int) -> int:
        """The store forgets a field from a time on; how many values."""
        with closing(sqlite3.connect(self.data / "store/store.db", timeout=10)) as db:
            sql = "DELETE FROM value WHERE ts >= ? AND series IN (SELECT id FROM series WHERE field = ?)"
            gone = db.execute(sql, (since, field)).rowcount
            db.commit()
            return gone

    def told(self, *words: str | Path, code: int) -> Any:
        """A command's JSON."""
        done = command(*words, "--data", self.data, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def until_stored(self, count: int) -> None:
        until(lambda: len(self.stored()) == count, 20, self.service.log)
        until(lambda: not any(self.service.part("log")["behind"][name] for name in BEHIND), 20, self.service.log)


@pytest.fixture
def plant(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Plant]:
    it = Plant(tmp_path, mosquitto)
    yield it
    it.client.disconnect()
    it.client.loop_stop()
    if it.service.process is not None:
        it.service.stop()


def test_the_ledger_and_a_store_that_lost_what_it_acknowledged(plant: Plant) -> None:
    """Every value is accounted for by kind; what the store lost is missing, and after the rewind all is there once."""
    plant.service.start().ready()
    now = int(time.time() * 1000)
    for i in range(20):
        plant.publish(f'{{"ts": {now + i}, "feed": {300 + i}.5, "kwh": {i}}}')
    plant.publish(f'{{"ts": {now}, "feed": 300.5, "kwh": 0}}')  # 2 duplicates
    plant.publish(f'{{"ts": {now + 1}, "feed": 111, "rev": 1}}')  # the one before it is superseded
    plant.publish(f'{{"ts": {now + 1}, "feed": 222}}')  # superseded at once
    plant.publish(f'{{"ts": {now}, "feed": null, "kwh": 7}}')  # quarantined with 1 number
    plant.publish(f'{{"ts": {now + 30}, "feed": 1, "novel": 2}}')  # 1 stored, 1 pending
    plant.publish(f'{{"ts": {now}, "a": 1, "b": 2}}', "plant/acme/works/pyro/k1/nobody")  # 2 pending
    plant.publish("nonsense")
    plant.until_stored(41)

    good = plant.told("verify", code=0)
    counted = {
        k: good[k] for k in ("received", "stored", "duplicate", "superseded", "quarantined", "pending", "unwritten")
    }
    assert counted == {
        "received": 49, "stored": 41, "duplicate": 2, "superseded": 2, "quarantined": 1, "pending": 3, "unwritten": 0,
    }  # fmt: skip
    assert (good["missing"], good["differing"], good["minutes"], good["undecodable"]) == (0, 0, [], {TOPIC: 1})
    by_minute = plant.told("verify", "--minutes", code=0)["minutes"]
    assert sum(m["received"] for m in by_minute) == 49

    before = plant.stored()
    assert plant.lose("feed", now + 1) == 20
    bad = plant.told("verify", code=1)
    assert (bad["missing"], bad["stored"]) == (20, 21)
    assert bad["examples"][0]["held"] is None
    assert bad["examples"][0]["meter"] == "k1-kiln"
    assert sum(m["missing"] for m in bad["minutes"]) == 20

    back = plant.told("rewind", "--to", times.format(now - 60_000), code=0)
    assert (back["running"], back["complete"]) == (True, True)
    until(lambda: plant.stored() == before, 20, plant.service.log)
    again = plant.told("verify", code=0)
    assert {k: again[k] for k in counted} == counted
    assert before["feed", now + 1] == 111.0

    assert plant.lose("kwh", 0) == 20
    until(lambda: plant.service.post("/api/v1/rewind", {"to": times.format(now - 60_000)})["complete"], 5)
    until(lambda: plant.stored() == before, 20, plant.service.log)


def test_a_rewind_without_a_service_and_beyond_the_log(plant: Plant) -> None:
    """It is done at the next start; a log that was pruned says how far back it reaches, with exit code 1."""
    plant.service.start().ready()
    now = int(time.time() * 1000)
    for i in range(5):
        plant.publish(f'{{"ts": {now + i}, "feed": {i}}}')
    plant.until_stored(5)
    plant.service.stop()
    before = plant.stored()
    assert plant.lose("feed", now) == 5
    back = plant.told("rewind", "--to", times.format(now - 60_000), code=0)
    assert back["running"] is False
    plant.service.start().ready()
    until(lambda: plant.stored() == before, 20, plant.service.log)
    plant.service.stop()
    plant.service.start().ready()
    plant.publish(f'{{"ts": {now + 9}, "feed": 9}}')
    plant.until_stored(6)
    plant.service.stop()

    (first, *_) = sorted((plant.data / "log").glob("*.segment"))
    first.unlink()  # as pruning does
    back = plant.told("rewind", "--to", times.format(now - 60_000), code=1)
    assert back["complete"] is False
    assert back["reach"] > now


def test_damage_is_told_by_name(plant: Plant) -> None:
    """Segment, position and kind stand in `verify`; the rest of the log is accounted for."""
    plant.service.start().ready()
    now = int(time.time() * 1000)
    for i in range(3):
        plant.publish(f'{{"ts": {now + i}, "feed": {i}.25}}')
        until(lambda count=i + 1: len(plant.stored()) == count, 20, plant.service.log)  # each in a record of its own
    plant.until_stored(3)
    plant.service.stop()
    (segment,) = (plant.data / "log").glob("*.segment")
    content = bytearray(segment.read_bytes())
    at = content.index(b'"feed": 1.25')
    content[at] ^= 1
    segment.write_bytes(content)
    found = plant.told("verify", code=1)
    [damage] = found["damages"]
    assert (damage["segment"], damage["kind"]) == (segment.name, "checksum")
    assert damage["start"] < at < damage["end"]
    assert found["stored"] == 2


def test_an_approved_channel_comes_in_where_it_was(plant: Plant) -> None:
    """After the registry knows the channel: stored with its own digits and time; what came later for its key wins."""
    plant.service.start().ready()
    now = int(time.time()) * 1000
    plant.publish(f'{{"ts": {now - 20_000}, "feed": 1, "novel": 36.0, "other": 9}}')
    plant.publish(f'[{{"ts": {now + 1}, "novel": 3}}, {{"ts": {now + 2}, "feed": 5}}]')
    plant.publish(f'{{"ts": {now}, "feed": "text"}}')
    plant.until_stored(2)
    until(lambda: len(waiting(plant)) == 3, 10, plant.service.log)
    first = waiting(plant)[0]
    assert plant.told("quarantine", "retry", code=1)["messages"] == 0  # nobody approved it
    plant.service.stop()

    known = plant.registry.read_text()
    feed = next(line for line in known.splitlines() if line.startswith("feed = "))
    novel = 'novel = { unit = "t/h", kind = "rate", step = "0.001" }'
    plant.registry.write_text(known.replace(feed, f"{feed}\n{novel}"))
    plant.service.start().ready()
    plant.publish(f'{{"ts": {now + 1}, "novel": 33}}')  # later in the log than the one that waits
    plant.until_stored(3)
    told = plant.told("quarantine", "retry", code=1)
    assert told == {"messages": 2, "values": 2, "still": {"text": 1}, "running": True}
    plant.until_stored(4)
    assert plant.stored() == {
        ("feed", now - 20_000): 1.0, ("feed", now + 2): 5.0, ("novel", now - 20_000): 36.0, ("novel", now + 1): 33.0,
    }  # fmt: skip

    left = waiting(plant)
    assert [(r["position"], r["reason"]) for r in left][:1] == [(first["position"], "unknown-channel")]
    assert [r["reason"] for r in left] == ["unknown-channel", "text"]
    [shown] = [json.loads(line) for line in command(
        "quarantine", "show", str(first["position"]), "--data", plant.data, "--json").stdout.splitlines()]  # fmt: skip
    assert shown["names"] == ["k1-kiln.other"]
    found = plant.told("verify", code=0)
    assert {kind: found[kind] for kind in KINDS} == {
        "received": 6, "stored": 4, "duplicate": 0, "superseded": 1, "quarantined": 0, "pending": 1, "unwritten": 0,
    }  # fmt: skip
    assert plant.told("quarantine", "retry", code=1)["messages"] == 0  # once is enough

    # 36 t/h for 20.001 s and 33 t/h (not the 3 that waited) for 0.999 s, live and scored anew from the log
    until(lambda: novel_sum(plant, now + 1000) == "0.209167500", 20, plant.service.log)
    plant.service.stop()
    (plant.data / "scores.snapshot").unlink()
    plant.service.start().ready()
    until(lambda: novel_sum(plant, now + 1000) == "0.209167500", 20, plant.service.log)


def novel_sum(plant: Plant, at: int) -> str:
    """The exact sum of the approved channel over the hour before `at`; empty while there is none."""
    try:
        return str(plant.service.get("/api/v1/sums", channel="novel", window="1h", at=at)["sums"][0]["sum"] or "")
    except urllib.error.HTTPError:
        return ""


def waiting(plant: Plant) -> list[dict[str, Any]]:
    told = command("quarantine", "list", "--data", plant.data, "--json")
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_a_possible_loss_is_counted_by_period(plant: Plant) -> None:
    """A meter without `seq`: what its period is short of where the broker may have lost messages."""
    plant.service.start().ready()
    now = int(time.time() * 1000)
    for seconds in (100, 90, 70):  # every = "10s": 60, 80 and 50 to 0 are not there
        plant.publish(f'{{"ts": {now - seconds * 1000}, "feed": 1}}')
    plant.publish(f'{{"ts": {now - 99_000}, "seq": 1, "nox": 1}}', "plant/acme/works/stack/tail/cems")
    plant.publish(f'{{"ts": {now - 98_000}, "seq": 5, "nox": 1}}', "plant/acme/works/stack/tail/cems")
    plant.until_stored(5)
    plant.service.stop()
    lost = {"start": now - 110_000, "end": now - 10_000, "cause": "session-lost"}
    (plant.data / "operations.json").write_text(json.dumps({"losses": [lost]}))
    found = plant.told("verify", code=0)
    [loss] = found["losses"]
    assert loss == lost | {"missing": {"k1-kiln": 10 - 3, "k1-coal": 10}}
    assert found["sequence_gaps"] == {"cems": 3}


def test_secrets_are_nowhere(tmp_path: Path) -> None:
    """Token, password and page token: not in argv, the service's words, the page's answers or the commands' output."""
    assert command("init", tmp_path / "plant.toml").returncode == 0
    secrets = {
        "GREENGAUGE_INFLUX_TOKEN": "influx-s3cret", "GREENGAUGE_BROKER_PASSWORD": "broker-s3cret",
        "GREENGAUGE_PAGE_TOKEN": "page-s3cret",
    }  # fmt: skip
    words = ["run", tmp_path / "plant.toml", "--data", tmp_path / "d", "--broker", "mqtt://user@127.0.0.1:1"]
    running = Running([*words, "--store", "http://127.0.0.1:1", "--port", "0"], tmp_path, **secrets).start()
    try:
        assert running.process is not None
        said = [Path(f"/proc/{running.process.pid}/cmdline").read_bytes().decode()]
        headers = {"Authorization": "Bearer page-s3cret"}

        def ask(path: str) -> str:
            asked = urllib.request.Request(running.page + path, headers=headers)  # noqa: S310 - our own page
            try:
                with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - the same
                    return str(answer.read().decode()) + str(answer.headers)
            except urllib.error.HTTPError as refusal:  # /readyz: there is no broker
                return str(refusal.read().decode()) + str(refusal.headers)

        until(lambda: '"intake"' in ask("/api/v1/system"), 20, running.log)
        said += [ask(path) for path in ("/", "/api/v1/system", "/readyz", "/healthz", "/metrics", "/api/v1/alarms")]
        for verb in (["verify"], ["quarantine", "list"], ["rewind", "--to", "2026-01-01T00:00:00Z"]):
            told = command(*verb, "--data", tmp_path / "d", "--json", **secrets, GREENGAUGE_STORE="http://127.0.0.1:1")
            said.append(told.stdout + told.stderr)
            assert "Traceback" not in told.stderr
        assert command(*words, "--host", "0.0.0.0", "--store", "embedded").returncode == 2  # noqa: S104 - is refused
    finally:
        running.stop()
    said.append(running.log())
    assert [text for text in said if "s3cret" in text] == []
