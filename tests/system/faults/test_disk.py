"""Faults 3 and 7: a log that was damaged while we were away; a disk that is full or fails while we run."""

from __future__ import annotations

import random
import re
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.log import Log
from tests.system.faults import oracle
from tests.system.faults.conftest import After, Figure
from tests.system.faults.meters import Meters, registry
from tests.system.faults.service import alarms, service
from tests.system.influx import Influxd
from tests.system.mosquitto import Mosquitto, need
from tests.system.running import Running, until

pytestmark = pytest.mark.system


def acknowledged(running: Running) -> int:
    """Frames whose PUBACKs were sent."""
    return int(running.part("intake").get("acknowledged", 0))


def damaged(folder: Path, broker: Mosquitto, store: Influxd, after: After, times: int) -> str:
    """Flip a bit or cut a segment at random places between two runs, again and again; what came of it."""
    dice = random.Random(times)
    registry(folder)
    running = service(folder, broker.url, store.url)
    after.append(running.start().ready())
    meters = Meters(broker.port, every=0.004)
    after.append(meters)
    until(lambda: oracle.count(store) > 200, 30, running.log)
    slowest = 0.0
    for n in range(times):
        meters.pause()
        until(lambda: oracle.count(store) == len(meters.sent), 30, running.log)
        until(lambda: running.part("log")["behind"]["quarantine"] == 0, 10, running.log)
        running.stop()
        segments = sorted((folder / "data" / "log").glob("*.segment"))
        victim = dice.choice(segments)
        size = victim.stat().st_size
        with victim.open("r+b") as file:
            if n % 3 == 2:
                file.truncate(dice.randrange(size))
            else:
                at = dice.randrange(size)
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << dice.randrange(8)]))
        running.start().ready()
        slowest = max(slowest, time.monotonic() - running.began)
        meters.go_on()
        until(lambda: acknowledged(running) > 50, 20, running.log)
    meters.finish()
    oracle.settled(running, store, meters)
    told = oracle.nothing_lost(store, meters, folder / "data")
    return f"{times} damages to what was stored, ready again in {slowest:.1f} s at most; {told}"


@pytest.mark.fault(3)
def test_a_log_damaged_between_runs(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """Bits flipped, files cut: the service starts each time, goes on, and stores what was not hit."""
    figure(damaged(tmp_path, mosquitto, influx, after, 3))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.fault(3)
def test_a_log_damaged_thirty_times(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """The same, thirty times."""
    figure(damaged(tmp_path, mosquitto, influx, after, 30))


@pytest.mark.fault(3)
def test_damage_that_hits_unstored_readings_is_reported(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """While the store is away one record is damaged: all others are stored, the damage is told, an alarm rises."""
    registry(tmp_path)
    running = service(tmp_path, mosquitto.url, influx.url)
    after.append(running.start().ready())
    influx.stop()
    meters = Meters(mosquitto.port, every=0.004)
    after.append(meters)
    until(lambda: acknowledged(running) > 500, 30, running.log)
    meters.finish()
    until(lambda: acknowledged(running) >= meters.pubacks, 20, running.log)
    running.stop()
    (segment,) = [p for p in (tmp_path / "data" / "log").glob("*.segment") if p.stat().st_size]
    at = segment.read_bytes().index(b'"seq": 100,')
    hit = in_record(tmp_path / "data" / "log", int(segment.stem) + at)
    with segment.open("r+b") as file:
        file.seek(at)
        file.write(b"?")
    influx.start()
    running.start().ready()
    until(lambda: running.part("log").get("damages") == 1, 20, running.log)
    until(lambda: alarms(running).get("log-damaged") == "unacknowledged", 10, running.log)
    until(lambda: running.part("store")["text"] == "ok" and oracle.count(influx) > 0, 30, running.log)
    running.settle(60)
    found = oracle.stored(influx)
    sent = {key: tuple(map(float, texts)) for key, texts in meters.sent.items()}
    assert all(sent[key] == value for key, value in found.items())
    missing = set(sent) - set(found)
    assert missing == hit, "the readings of that record, and no others"
    figure(f"one byte changed: the {len(hit)} readings of its record are missing and told, {len(found)} are stored")


def in_record(folder: Path, position: int) -> set[tuple[str, int]]:
    """(meter, ts) of the readings in the log's record that holds a position."""
    log = Log(folder)
    record = next(r for r in log.read(0, 1 << 30) if r.position <= position < r.end)
    log.close()
    pattern = rb'k1?2?/(m\d)[^{]*\{"ts": (\d+), "seq": \d+, "clinker": \d'
    return {(meter.decode(), int(ts)) for meter, ts in re.findall(pattern, record.entry.body)}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 80 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.fault(7)
def test_a_full_disk(small_disk: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure) -> None:
    """The whole service on a disk that fills up: no PUBACK, no crash; within ten seconds of new space all goes on."""
    registry(small_disk)
    running = service(small_disk, mosquitto.url, influx.url)
    running.folder = small_disk.parent  # its log lines are not part of the test
    after.append(running.start().ready())
    meters = Meters(mosquitto.port, every=0.004)
    after.append(meters)
    until(lambda: oracle.count(influx) > 100, 30, running.log)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass
    # The open segment is preallocated: it takes more until it is full, so the room in it is used up by large messages.
    fill(mosquitto, 34)
    until(lambda: any(told in running.part("intake")["text"] for told in ("free space", "log cannot")), 30, running.log)
    until(lambda: running.status("/readyz") == 503, 5, running.log)  # each is told once a second
    until(lambda: alarms(running).get("log-not-writable") == "unacknowledged", 5, running.log)
    stood = acknowledged(running)
    time.sleep(2)
    assert acknowledged(running) == stood, "no PUBACK without a record"
    assert running.process is not None
    assert running.process.poll() is None
    ballast.unlink()
    began = time.monotonic()
    until(lambda: acknowledged(running) > stood, 10, running.log)
    resumed = time.monotonic() - began
    meters.finish()
    oracle.settled(running, influx, meters, 60)
    found = oracle.stored(influx)
    assert meters.acknowledged <= set(found) <= set(meters.sent)
    assert all(found[key] == tuple(map(float, texts)) for key, texts in meters.sent.items())
    figure(f"resumed {resumed:.1f} s after space came back; {len(found)} readings stored, 0 lost, 0 double")


def fill(broker: Mosquitto, megabytes: int) -> None:
    """Messages of 1 MB that end in quarantine."""
    from paho.mqtt import publish

    messages = [("plant/acme/works/pyro/k1/nobody", bytes(1 << 20), 1, False) for _ in range(megabytes)]
    publish.multiple(messages, port=broker.port)  # type: ignore[arg-type] # tuples are its documented short form


@pytest.mark.fault(7)
def test_a_write_that_fails(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """Every write beyond a few bytes fails for a while (RLIMIT_FSIZE): no PUBACK, no crash, then all goes on."""
    registry(tmp_path)
    running = service(tmp_path, mosquitto.url, influx.url)
    after.append(running.start().ready())
    meters = Meters(mosquitto.port, every=0.01)
    after.append(meters)
    until(lambda: oracle.count(influx) > 50, 30, running.log)
    assert running.process is not None
    limits = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
    until(lambda: running.part("intake").get("state") == "down", 20, running.log)
    time.sleep(1.5)  # counts are told once a second, states at once
    stood = acknowledged(running)
    time.sleep(2)
    assert acknowledged(running) == stood
    assert running.process.poll() is None
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, limits)
    began = time.monotonic()
    until(lambda: acknowledged(running) > stood, 10, running.log)
    resumed = time.monotonic() - began
    meters.finish()
    oracle.settled(running, influx, meters)
    figure(
        f"resumed {resumed:.1f} s after writes worked again; {oracle.nothing_lost(influx, meters, tmp_path / 'data')}"
    )


@pytest.mark.fault(7)
def test_a_failed_fsync_is_never_tried_again_on_the_same_file(
    tmp_path: Path, mosquitto: Mosquitto, after: After, figure: Figure
) -> None:
    """strace makes single fdatasyncs fail with EIO: the file is left, its frames go to another, none is lost."""
    registry(tmp_path)
    running = service(tmp_path, mosquitto.url)
    trace = tmp_path / "trace"
    traced = [need("strace"), "-D", "-f", "-y", "-qq", "-o", str(trace), "-e", "trace=fdatasync"]
    running.before = [*traced, "-e", "inject=fdatasync:error=EIO:when=20+60"]
    after.append(running.start().ready())
    meters = Meters(mosquitto.port, every=0.01)
    after.append(meters)
    until(lambda: acknowledged(running) > 400, 60, running.log)
    meters.finish()
    until(lambda: running.part("store").get("stored", 0) >= 2 * len(meters.sent), 30, running.log)
    running.stop()
    failed: set[str] = set()
    for line in trace.read_text().splitlines():
        if call := re.search(r"fdatasync\(\d+<([^>]*\.segment)>\)\s+= (-?\d+)", line):
            assert call[1] not in failed, "a failed file was synced again"
            if call[2] == "-1":
                failed.add(call[1])
    assert failed
    figure(f"{len(failed)} failed fdatasyncs, none repeated; {len(meters.sent)} readings stored")
