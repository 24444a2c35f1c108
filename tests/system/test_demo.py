"""`greengauge demo` as a newcomer meets it: the first gauge, yesterday, the guided fault, the second start."""

from __future__ import annotations

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

import pytest

from devices import times
from tests.benchmarks.start import alarmed, caught_up, gauges, newest_hour
from tests.system.running import ROOT, Running, command, until

pytestmark = pytest.mark.system

START = "2026-01-15T08:00:20Z"
HOUR = 3_600_000
EARLY = times.parse("2026-01-14T14:00:00Z")  # six hours into the day before START
NOX = {"pollutant": "nox", "average": "1h"}
SLOW = 4.0
"""How much slower than promised a machine may be that runs other tests at the same time."""


def demo(folder: Path, *words: str) -> Running:
    folder.mkdir(exist_ok=True)
    return Running(["demo", "--port", "0", *words], folder, XDG_DATA_HOME=str(folder))


def at_rest(running: Running) -> None:
    """No traceback was shown, and the output begins with what it must."""
    assert "Traceback" not in running.log()


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The demo of a chosen seed and start."""
    running = demo(tmp_path_factory.mktemp("fixed"), "--seed", "3", "--start", START).start()
    yield running
    running.kill()


def first_hours(running: Running) -> list[dict[str, Any]]:
    """Every stored score and emission of six hours into the day, without what depends on when it was asked."""
    until(lambda: all(s["ts"] == EARLY for s in stored(running)), 60, running.log)
    return stored(running)


def stored(running: Running) -> list[dict[str, Any]]:
    scores = running.get("/api/v1/scores", at=EARLY, scope="line:acme/wuhu/pyro/k1")["scores"]
    assert all(score["lifecycle"] == "final" for score in scores)
    return [{k: v for k, v in s.items() if k != "known_at"} for s in scores if s["window"] != "30d"] or [{"ts": 0}]
