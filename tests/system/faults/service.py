"""The service for the fault tests: `greengauge run` as a child process, with an InfluxDB or the embedded store."""

from __future__ import annotations

import json
from pathlib import Path

from tests.system.influx import TOKEN
from tests.system.running import ROOT, Running

CHILD = str(ROOT / "tests" / "system" / "faults" / "service_child.py")


def service(folder: Path, broker: str, store: str = "embedded", *, child: bool = False, **env: str) -> Running:
    """Not yet started. `folder` holds plant.toml; `child`: through the seams that tests set by environment."""
    words = ["run", folder / "plant.toml", "--data", folder / "data", "--broker", broker, "--store", store]
    settings = {"GREENGAUGE_INFLUX_TOKEN": TOKEN, "GREENGAUGE_SNAPSHOT_SECONDS": "1"} | env
    running = Running([*words, "--port", "0"], folder, **settings)
    if child:
        running.program = [CHILD]
    return running


def memory_mb(running: Running) -> float:
    """Resident memory now, MB."""
    assert running.process is not None
    return _status(running.process.pid)["VmRSS"] / 1024


def threads(running: Running) -> int:
    """Threads now."""
    assert running.process is not None
    return _status(running.process.pid)["Threads"]


def descriptors(running: Running) -> int:
    """Open file descriptors now."""
    assert running.process is not None
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


def cpu_s(running: Running) -> float:
    """User and system time so far, s."""
    assert running.process is not None
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def alarms(running: Running) -> dict[str, str]:
    """The service's own alarms: id → state."""
    return {a["id"]: a["state"] for a in running.get("/api/v1/alarms")["alarms"] if a["scope"] == "service"}


def _status(pid: int) -> dict[str, int]:
    rows = (line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(text.split()[0]) for name, text in rows if text.split() and text.split()[0].isdigit()}


def said(running: Running) -> list[dict[str, object]]:
    """Its log lines that are JSON."""
    lines = (running.folder / "service.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]
