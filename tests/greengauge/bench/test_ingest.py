"""The intake's benchmark: it sends what it says, its checks notice what is wrong, and it runs. Nothing is timed."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from devices.plant import parse
from greengauge.bench.ingest import FIGURES
from greengauge.bench.intake.packets import Acks
from greengauge.bench.intake.processes import module
from greengauge.bench.intake.truth import log_holds
from greengauge.bench.intake.workload import Form, Workload
from ingest.log import Log
from ingest.log.record import Entry, RecordKind
from ingest.session.frames import split
from tests.system.running import command

PAGE = Path(__file__).parents[3] / "docs" / "benchmarks-ingest.md"


def puback(*ids: int) -> bytes:
    """MQTT 3.1.1, 3.4: the packets' bytes."""
    return b"".join(b"\x40\x02" + number.to_bytes(2, "big") for number in ids)


@pytest.mark.parametrize("level", [4, 5])
@pytest.mark.parametrize(("form", "objects", "gap"), [("compact", 1, ""), ("spaced", 1, " "), ("array", 50, "")])
def test_frames_are_messages(form: Form, objects: int, gap: str, level: int) -> None:
    """Each row is one PUBLISH at QoS 1 of the meter whose turn it is, with the values as `values` tells them."""
    work = Workload(7, form)
    plant = parse(work.registry(), file="bench")
    frames = list(split(work.frames(65_530, 20, level).tobytes(), level))
    assert [f.fault for f in frames] == [""] * 20
    assert [f.mid for f in frames] == [65_531, 65_532, 65_533, 65_534, 65_535, *range(1, 16)]
    for number, frame in enumerate(frames, 65_530):
        assert (frame.topic.decode(), frame.qos) == (plant.meters[number % 7].topic, 1)
        text = bytes(frame.payload).decode()
        told = json.loads(text)
        told = told if form == "array" else [told]
        assert len(told) == objects
        for item, one in enumerate(told):
            value = {name: int(v[0]) for name, v in work.values(np.array([number]), item).items()}
            assert one == {
                "ts": value["ts"],
                "flow": value["flow"] / 1000,
                "coal": value["coal"] / 1000,
                "kwh": value["kwh"] / 100,
            }
        assert f'":{gap}' in text
        assert f',{gap}"' in text


def test_no_reading_twice() -> None:
    """Every meter's times rise through objects, messages and, at a pace, through what is sent at once."""
    for form in ("compact", "array"):
        work = Workload(3, form)  # type: ignore[arg-type] # a literal of two
        numbers = np.arange(1, 60, 3)
        times = [int(t) for n in numbers for i in range(work.objects) for t in work.values(np.array([n]), i)["ts"]]
        assert all(a < b for a, b in pairwise(times))
    paced = split(Workload(3).frames(0, 12, 4, now=1_795_381_100_000).tobytes(), 4)
    seen = [(f.topic, json.loads(bytes(f.payload))["ts"]) for f in paced]
    assert len(set(seen)) == 12
    assert max(ts for _, ts in seen) == 1_795_381_100_000


def test_acks_are_counted_however_they_come() -> None:
    """In pieces, in MQTT 5's long form, with a ping among them; ids begin again behind the last."""
    acks = Acks(4)
    assert acks.feed(puback(1, 2)[:7]) == []
    assert acks.count == 1
    (ping,) = acks.feed(puback(1, 2)[7:] + b"\xc0\x00" + b"\x40\x04\x00\x03\x00\x00")
    assert (ping.kind, acks.count, acks.in_order) == (12, 3, True)
    acks.feed(puback(4, 1))
    assert (acks.count, acks.in_order) == (5, True)


def test_acks_out_of_order_are_noticed() -> None:
    """A PUBACK that overtakes another breaks MQTT's order (MQTT-4.6.0-2)."""
    acks = Acks(10)
    acks.feed(puback(1, 3, 2))
    assert (acks.count, acks.in_order) == (3, False)


@pytest.mark.parametrize("level", ["4", "5"])
def test_source_and_bare_reader(tmp_path: Path, level: str) -> None:
    """The source sends what it is told to, more than there are packet ids, and counts every PUBACK in order."""
    with (
        module("source", *Workload(10).words(), folder=tmp_path) as source,
        module("reader", str(source.told()["port"]), level, folder=tmp_path) as reader,
    ):
        assert reader.told() == {"ready": True}
        for count, until in ((1_000, 1_000), (70_000, 71_000)):
            reader.ask(f"until {until}")
            source.ask(f"send {count}")
            sent = source.told()
            assert (sent["messages"], sent["acks"], sent["in_order"]) == (count, until, True)
            assert reader.told()["messages"] == count


def test_a_log_that_lost_or_changed_something_is_noticed(tmp_path: Path) -> None:
    """Byte for byte, all of it, nothing else."""
    work = Workload(5)
    body = work.frames(0, 40, 5).tobytes()
    size = len(body) // 40
    cases = {"good": body, "short": body[:-size], "changed": body[:-2] + b"9}", "more": body + body[:size]}
    for name, written in cases.items():
        log = Log(tmp_path / name)
        log.append([Entry(RecordKind.FRAMES, written[: 7 * size], 1, 0, 5), Entry(RecordKind.TICK, b"", 2, 0, 0)])
        log.append([Entry(RecordKind.FRAMES, written[7 * size :], 3, 0, 5)])
        log.close()
        assert log_holds(tmp_path / name, work, 40) == (name == "good"), name


def test_it_runs(tmp_path: Path) -> None:
    """A small run of one figure through the command: one flat object, answers agree, every name documented."""
    ran = command("bench", "ingest", "--quick", "--only", "recovery", "--json", "--out", tmp_path / "found.json")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found == json.loads((tmp_path / "found.json").read_text())
    assert (found["answers"], found["recovery_check"], found["recovery_readings"]) == ("agree", "equal", 12_000)
    assert {"recovery_readings_s", "goal_recovery_readings_s", "met_recovery_readings_s"} <= found.keys()
    text = PAGE.read_text()
    for name, value in found.items():
        assert not isinstance(value, dict | list)
        assert f"`{name.removeprefix('goal_').removeprefix('met_')}`" in text, name


def test_a_figure_that_does_not_exist() -> None:
    """Is bad usage, and the mend names those that do."""
    ran = command("bench", "ingest", "--only", "stage")
    assert ran.returncode == 2
    assert "there is no figure stage" in ran.stderr
    assert all(name in ran.stderr for name in FIGURES)
