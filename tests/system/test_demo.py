"""`greengauge demo` as a newcomer meets it: the first gauge, yesterday, the guided fault, the second start."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from devices import times
from devices.plant import load
from devices.simulator import DEMO
from devices.simulator.plant import SimulatedPlant
from tests.benchmarks.start import alarmed, caught_up, gauges, newest_hour
from tests.system.running import ROOT, Running, command, until

pytestmark = pytest.mark.system

START = "2026-01-15T08:00:20Z"
EARLY = times.parse("2026-01-14T11:00:00Z")
"""Three hours into the day before START, on a step of every window."""
FIGURES = ("scope", "degree", "window", "value", "numerator", "denominator", "output", "completeness", "quality")
SLOW = 3
"""How many times slower than promised a machine may be that does other things at the same time."""


def demo(folder: Path, *words: str) -> Running:
    return Running(["demo", "--port", "0", *words], folder, XDG_DATA_HOME=str(folder))


def fixed(folder: Path, seed: str) -> Running:
    return demo(folder, "--seed", seed, "--start", START)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The demo of a chosen seed and start, used by the tests in their order."""
    running = fixed(tmp_path_factory.mktemp("demo"), "3").start()
    yield running
    running.kill()


def early(running: Running) -> list[tuple[Any, ...]]:
    """The final scores of every scope three hours into the day, once they are known."""
    return until(lambda: _figures(running.get("/api/v1/scores", at=EARLY)["scores"]), 60, running.log)


def _figures(scores: list[dict[str, Any]]) -> list[tuple[Any, ...]] | None:
    if not scores or any(score["ts"] != EARLY or score["lifecycle"] != "final" for score in scores):
        return None
    return sorted(tuple(score[key] for key in FIGURES) for score in scores)


def nox(running: Running) -> dict[str, Any]:
    (hour,) = running.get("/api/v1/emissions", pollutant="nox", average="1h")["emissions"]
    return hour


def state_of(running: Running, alarm: dict[str, Any]) -> str:
    found = running.get("/api/v1/alarms", scope=alarm["scope"])["alarms"]
    return next(str(a["state"]) for a in found if a["id"] == alarm["id"])


# --- the scores -----------------------------------------------------------------------------------


def test_same_seed_and_start_same_scores(plant: Running, tmp_path: Path) -> None:
    """Two runs in two folders agree in every figure of every scope, degree and window; another seed does not."""
    one = early(plant)
    assert len(one) > 200
    for seed, same in (("3", True), ("4", False)):
        folder = tmp_path / seed
        folder.mkdir()
        other = fixed(folder, seed).start()
        try:
            assert (early(other) == one) == same
        finally:
            other.stop()


def test_replay_of_the_same_readings_gives_the_same_scores(plant: Running, tmp_path: Path) -> None:
    """Broker, session, log and live slices change nothing: the readings alone, replayed, score the same."""
    registry, readings = tmp_path / "demo.toml", tmp_path / "readings.ndjson"
    registry.write_text(DEMO.read_text().replace("[intake]\n", "[intake]\nhistory = true\n", 1))
    first = times.parse("2026-01-14T08:01:00Z")
    ts = np.arange(first, EARLY + 1, 60_000, dtype=np.int64)
    columns = [(m.meter, m.columns(ts, 60_000)) for m in SimulatedPlant(load(registry), 3).meters]
    fields = {(c.meter, c.field): c.name for c in load(registry).channels if c.source is None}
    with readings.open("w") as file:
        for row, at in enumerate(ts.tolist()):
            for meter, values in columns:
                for field, column in values.items():
                    body = {"ts": at, "meter": meter.name, "channel": fields[meter.index, field], "value": column[row]}
                    file.write(json.dumps(body) + "\n")
    told = command("replay", registry, readings, "--final", "--json")
    assert told.returncode == 0, told.stderr
    replayed = [json.loads(line) for line in told.stdout.splitlines()]
    scores = [s for s in replayed if "degree" in s and s["ts"] == EARLY]
    ours = {figures[:3]: figures for figures in early(plant)}
    theirs = {tuple(s[key] for key in FIGURES[:3]): tuple(s[key] for key in FIGURES) for s in scores}
    assert len(ours) > 200
    assert {key: theirs.get(key) for key in ours} == ours


# --- the guided fault -----------------------------------------------------------------------------


def test_the_excursion_alarms_and_moves_the_budget(plant: Running) -> None:
    """Within a minute of the start NOx rises, trips the one-minute alarm, and the hour may average less."""
    allowed = 50.0  # of an hour of which nothing is measured
    (alarm,) = until(lambda: alarmed(plant), 60, plant.log)
    assert (alarm["id"], alarm["scope"]) == ("nox-high", "stack:acme/wuhu/tail")
    assert alarm["value"] >= alarm["limit"]
    until(lambda: (nox(plant)["allowed_mean"] or allowed) < allowed, 60, plant.log)
    assert time.monotonic() - plant.began < 60 * SLOW
    told = plant.post(f"/api/v1/alarms/{alarm['scope']}/{alarm['id']}", {"do": "acknowledge", "user": "night shift"})
    assert told["state"] == "acknowledged"


def test_a_second_start_goes_on(plant: Running) -> None:
    """After a kill -9 and after a Ctrl-C: acknowledged stays acknowledged, the hour has no hole, nothing is wrong."""
    (alarm,) = [a for a in plant.get("/api/v1/alarms")["alarms"] if a["state"] == "acknowledged"]
    before = early(plant)
    for end in (plant.kill, plant.stop):
        end()
        plant.start()
        until(lambda: gauges(plant), 30, plant.log)
        assert state_of(plant, alarm) == "acknowledged"
        (hour,) = plant.get("/api/v1/scores", scope="line:acme/wuhu/pyro/k1", degree="lcd", window="1h")["scores"]
        assert hour["completeness"] > 0.99
        assert early(plant) == before
    assert plant.stop() <= 3
    assert "Traceback" not in plant.log()


# --- a first start --------------------------------------------------------------------------------


def test_a_first_start(tmp_path: Path) -> None:
    """The newest hour stands behind the first gauge, yesterday is scored soon after with progress, Ctrl-C ends it."""
    began = time.monotonic()
    running = demo(tmp_path).start()
    try:
        until(lambda: running.status("/healthz") == 200, 15, running.log)
        told: list[str | None] = []

        def look() -> bool:
            progress = running.get("/api/v1/system")["progress"]
            told.append(progress and progress["what"])
            return True

        until(lambda: look() and gauges(running), 15 * SLOW, running.log)
        assert newest_hour(running)
        until(lambda: look() and caught_up(running), 30 * SLOW - (time.monotonic() - began), running.log)
        scoring = "scoring 24 hours of the simulated plant"
        assert scoring in told
        assert None not in told[: told.index(scoring)]  # else the page calls trouble what is not there yet
        k1 = {"scope": "line:acme/wuhu/pyro/k1", "degree": "lcd", "window": "1h"}
        (trend,) = running.get("/api/v1/trend", **k1, **{"for": "24h"}, points=24)["trends"]
        assert sum(value is not None for _, value in trend["points"]) >= 23
    finally:
        assert running.stop() <= 3
    assert running.log() == ""  # no noise


# --- what a newcomer may do -----------------------------------------------------------------------


def test_a_busy_port_means_the_next(tmp_path: Path) -> None:
    """The first line tells which."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = Running(["demo", "--port", str(port)], tmp_path, XDG_DATA_HOME=str(tmp_path)).start()
        found = int(running.page.rpartition(":")[2])
        running.kill()
    assert port < found <= port + 100


def test_one_folder_one_demo(tmp_path: Path) -> None:
    """The second one says who holds the folder, touches nothing, and ends with 1."""
    running = demo(tmp_path).start()
    try:
        told = command("demo", "--port", "0", XDG_DATA_HOME=str(tmp_path))
        assert told.returncode == 1
        assert told.stdout == ""
        assert running.process is not None
        assert f"in use by process {running.process.pid}" in told.stderr
        assert "--seed" in told.stderr
    finally:
        running.kill()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--start", "yesterday"], 2, "RFC 3339"),
        (["--start", "2026-01-01T00:00:00"], 2, "no zone"),
        (["--start", "1969-12-31T00:00:00Z"], 2, "between 2000"),
        (["--seed", "one"], 2, "valid integer"),
        (["--port", "99999"], 2, "65535"),
    ],
)
def test_bad_words(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    """A sentence, no traceback, the exit code of bad usage."""
    told = command("demo", *words, XDG_DATA_HOME=str(tmp_path), COLUMNS="200")
    assert told.returncode == code
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """It names the folder and how to choose another."""
    (tmp_path / "file").touch()
    told = command("demo", "--port", "0", XDG_DATA_HOME=str(tmp_path / "file"))
    assert told.returncode == 1
    assert "GREENGAUGE_DATA" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    ("after", "signals"),
    [
        (0.0, [signal.SIGINT]),
        (1.0, [signal.SIGTERM]),
        (1.2, [signal.SIGINT, signal.SIGINT]),
        (2.0, [signal.SIGTERM, signal.SIGINT]),
    ],
)
def test_an_end_at_any_moment(after: float, signals: list[signal.Signals], tmp_path: Path) -> None:
    """Ctrl-C, Ctrl-C twice or SIGTERM, while it starts or later: over within 3 s, without a word."""
    running = demo(tmp_path).start()
    process = running.process
    assert process is not None
    time.sleep(after)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.05)
    began = time.monotonic()
    process.wait(10)
    assert time.monotonic() - began <= 3
    assert running.log() == ""


@pytest.mark.parametrize("nohup", [False, True])
def test_a_closed_terminal_is_an_end_in_order(tmp_path: Path, nohup: bool) -> None:
    """SIGHUP ends the service as SIGTERM does, not as a kill does; under nohup, which ignores it, it goes on."""
    running = Running(
        ["run", DEMO, "--broker", "mqtt://127.0.0.1:1", "--port", "0", "--data", tmp_path / "d"], tmp_path
    )
    here = signal.signal(signal.SIGHUP, signal.SIG_IGN if nohup else signal.SIG_DFL)  # a child inherits it
    try:
        process = running.start().process
    finally:
        signal.signal(signal.SIGHUP, here)
    assert process is not None
    try:
        until(lambda: running.status("/healthz") == 200, 30, running.log)
        process.send_signal(signal.SIGHUP)
        if nohup:
            time.sleep(2)
            assert running.status("/healthz") == 200
        else:
            assert process.wait(20) == 0
    finally:
        running.kill()


def test_a_broker_that_is_not_there(tmp_path: Path) -> None:
    """The service stays up, is not ready, and the page says what is wrong with the intake."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"mqtt://127.0.0.1:{nobody.getsockname()[1]}"
        running = Running(["run", DEMO, "--broker", url, "--port", "0", "--data", tmp_path / "data"], tmp_path).start()
        try:
            until(lambda: running.status("/healthz") == 200, 15, running.log)
            intake = until(lambda: running.part("intake"), 10, running.log)
            assert running.status("/readyz") == 503
            assert intake["state"] == "down"
            assert intake["text"] != "ok"
        finally:
            assert running.stop() <= 3
    assert "Traceback" not in running.log()


@pytest.mark.skipif(shutil.which("script") is None, reason="needs script(1) for a terminal")
def test_at_a_terminal(tmp_path: Path) -> None:
    """The first line is the address, and a line of progress is written over and over."""
    words = f"exec {sys.executable} -m greengauge demo --port 0"
    env = os.environ | {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(tmp_path)}
    typed = subprocess.Popen(
        ["script", "-qfec", words, "/dev/null"], env=env, stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    assert typed.stdout is not None
    assert typed.stdout.readline().startswith(b"page http://127.0.0.1:")
    seen = b""
    deadline = time.monotonic() + 60
    while b"\rscoring \xe2\x96\x88" not in seen.replace(b"\x1b[K", b"") and time.monotonic() < deadline:
        seen += os.read(typed.stdout.fileno(), 4096)
    assert b"SIMULATED" in seen
    assert b"scoring" in seen
    assert typed.stdin is not None
    typed.stdin.write(b"\x03")
    typed.stdin.close()
    typed.stdout.close()
    assert typed.wait(10) is not None
