"""A real InfluxDB 2 for one figure: `influxd` from PATH, and what it says it has."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from greengauge.bench.intake.processes import Process, find, free_port
from greengauge.bench.intake.workload import Workload

ORG, TOKEN = "bench", "bench-token"
SCALE = {"flow": 1000, "coal": 1000, "kwh": 100}
"""Counts of a field's last digit in one unit."""


class Influxd(Process):
    """A server in a folder of its own; set up when made."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        files = (("bolt-path", "i.bolt"), ("engine-path", "engine"), ("sqlite-path", "s.db"))
        folder.mkdir(parents=True, exist_ok=True)
        options = [word for key, name in files for word in (f"--{key}", folder / name)]
        program = find("influxd") or "influxd"
        address = ("--http-bind-address", f"127.0.0.1:{self.port}", "--reporting-disabled", "--log-level", "error")
        super().__init__([program, *options, *address], folder, "influxd")
        try:
            self.until(lambda: self._ask("GET", "/health")[0] == 200, 60)
            user = {"username": "bench", "password": "bench-password", "org": ORG, "bucket": "first", "token": TOKEN}
            self._ask("POST", "/api/v2/setup", json.dumps(user).encode())
        except BaseException:
            self.end()
            raise

    def bucket(self, name: str) -> str:
        """A new one; its name."""
        org = json.loads(self._ask("GET", "/api/v2/orgs")[1])["orgs"][0]["id"]
        status, answer = self._ask("POST", "/api/v2/buckets", json.dumps({"orgID": org, "name": name}).encode())
        if status != 201:
            raise self.failed(f"makes no bucket: {answer[:200]!r}")
        return name

    def points(self) -> int:
        """Taken in since its start, by its own account."""
        text = self._ask("GET", "/metrics")[1].decode()
        found = [line for line in text.splitlines() if line.startswith("storage_writer_ok_points_sum")]
        return int(sum(float(line.rsplit(" ", 1)[1]) for line in found))

    def rows(self, bucket: str, statement: str) -> list[list[Any]]:
        """Of an InfluxQL statement, times in ms."""
        query = urllib.parse.urlencode({"db": bucket, "epoch": "ms", "q": statement})
        (result,) = json.loads(self._ask("GET", f"/query?{query}")[1])["results"]
        return [row for series in result.get("series", []) for row in series["values"]]

    def holds(self, bucket: str, workload: Workload, messages: int) -> bool:
        """Whether it holds exactly what was sent: counts and sums of all, every value of one meter."""
        names = list(SCALE)
        asked = ", ".join(f"count({name}), sum({name})" for name in names)
        found = self.rows(bucket, f"SELECT {asked} FROM reading")  # noqa: S608 - our own names
        totals, objects = workload.totals(messages), messages * workload.objects
        good = bool(found)
        for at, name in enumerate(names):
            count, total = found[0][1 + 2 * at : 3 + 2 * at] if found else (0, 0.0)
            good = good and count == objects and abs(total * SCALE[name] / totals[name] - 1) < 1e-9
        return good and self._one_meter(bucket, workload, messages)

    def _one_meter(self, bucket: str, workload: Workload, messages: int) -> bool:
        import numpy as np

        meter = min(workload.meters, messages) - 1
        numbers = np.arange(meter, messages, workload.meters, dtype=np.int64)
        parts = [workload.values(numbers, item) for item in range(workload.objects)]
        wanted = sorted(
            (int(part["ts"][row]), *(int(part[name][row]) / SCALE[name] for name in SCALE))
            for part in parts
            for row in range(len(numbers))
        )
        statement = f"SELECT flow, coal, kwh FROM reading WHERE meter = '{workload.meter(meter)}'"  # noqa: S608 - as above
        return wanted == [tuple(row) for row in self.rows(bucket, statement)]

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        asked = urllib.request.Request(  # noqa: S310 - our own server
            self.url + path, data=body, method=method, headers={"Authorization": f"Token {TOKEN}"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:  # noqa: S310 - the same
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()
        except OSError as failure:
            return 0, str(failure).encode()
