"""How long a first start of the demo takes, step by step: `python -m tests.benchmarks.start [--cold] [--runs N]`.

Everything is seen from outside, over HTTP, in a data folder of its own; seconds count from the process's
start. `--cold` empties the compiler's cache first. Given with it: the load of the machine before the start
and the CPU seconds of the service (its broker not included), which a busy machine does not change.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.system.running import Running

STAGES = ("page printed", "healthz", "first gauge", "newest hour", "24 h scored", "alarm", "ended")
AT_ONCE = 10
"""Steps that close together when a minute is over: not a backlog."""


def timeline(folder: Path, caches: Path, *, until_alarm: bool = True) -> dict[str, float]:
    """Seconds from the process's start to each stage; `ended` from Ctrl-C; `cpu ...` in CPU seconds."""
    load = os.getloadavg()[0]
    demo = Running(
        ["demo", "--port", "0"],
        folder,
        XDG_DATA_HOME=str(folder),
        NUMBA_CACHE_DIR=str(caches),
        PYTHONDONTWRITEBYTECODE="",
    )
    began = time.monotonic()
    found: dict[str, float] = {}

    def reached(stage: str, true: Callable[[], Any], timeout: float, every: float = 0.02) -> None:
        while not true():
            if time.monotonic() - began > timeout:
                sys.exit(f"{stage}: not within {timeout} s\n{demo.log()}")
            time.sleep(every)  # asking costs the service time too
        found[stage] = time.monotonic() - began
        found[f"cpu {stage}"] = _cpu(demo)

    demo.start()
    try:
        reached("page printed", lambda: True, 5)
        reached("healthz", lambda: demo.status("/healthz") == 200, 60)
        reached("first gauge", lambda: gauges(demo), 120, 0.05)
        reached("newest hour", lambda: newest_hour(demo), 120, 0.05)
        reached("24 h scored", lambda: caught_up(demo), 180, 0.25)
        if until_alarm:
            reached("alarm", lambda: alarmed(demo), 240, 0.25)
    finally:
        found["ended"] = demo.stop()
    return found | {"load": load}


def gauges(demo: Running) -> list[dict[str, Any]]:
    """The scores that have a value."""
    return [score for score in demo.get("/api/v1/scores")["scores"] if score["value"] is not None]


def newest_hour(demo: Running) -> bool:
    """Whether the gauges stand on the newest hour: it is complete."""
    return any(score["window"] == "1h" and score["completeness"] > 0.9 for score in gauges(demo))


def caught_up(demo: Running) -> bool:
    """Whether the backfill is out, in and scored, and all its steps are closed."""
    told = demo.get("/api/v1/system")
    scoring = told["system"].get("scoring", {})
    return newest_hour(demo) and told["progress"] is None and scoring["unread"] == 0 and scoring["behind"] <= AT_ONCE


def alarmed(demo: Running) -> list[dict[str, Any]]:
    """The alarms that nobody acknowledged yet."""
    return [alarm for alarm in demo.get("/api/v1/alarms")["alarms"] if alarm["state"] == "unacknowledged"]


def _cpu(demo: Running) -> float:
    """CPU seconds of the process so far; not a number where there is no /proc."""
    assert demo.process is not None
    try:
        words = Path(f"/proc/{demo.process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print one line a stage, one column a run."""
    parser = argparse.ArgumentParser(description="How long a first start of the demo takes.")
    parser.add_argument("--cold", action="store_true", help="empty the compiler's cache before each run")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--no-alarm", action="store_true", help="do not wait for the alarm")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    runs: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="greengauge-start-") as scratch:
        caches = Path(scratch) / "caches"
        for number in range(chosen.runs + (not chosen.cold)):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            told = timeline(folder, folder / "caches" if chosen.cold else caches, until_alarm=not chosen.no_alarm)
            if chosen.cold or number:  # the first of the warm ones only fills the cache
                runs.append(told)
    if chosen.json:
        sys.stdout.write(json.dumps(runs) + "\n")
        return
    caches_are = "cold" if chosen.cold else "warm"
    loads = ", ".join(f"{run['load']:.1f}" for run in runs)
    sys.stdout.write(f"{caches_are} caches, {os.cpu_count()} CPUs, load before each run {loads}\n")
    for stage in STAGES:
        if stage in runs[0]:
            cells = (f"{run[stage]:6.2f} s ({run.get(f'cpu {stage}', float('nan')):5.2f} CPU)" for run in runs)
            sys.stdout.write(f"{stage:<14}{'  '.join(cells)}\n")


if __name__ == "__main__":
    main()
