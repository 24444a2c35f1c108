"""A real InfluxDB for tests: `influxd` from PATH, on a free port, in a temporary folder.

Import the fixture `influx` where it is needed. Without influxd on PATH its tests are skipped, except
where CI=true: there a missing database is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TOKEN, ORG, BUCKET = "test-token", "greengauge", "greengauge"


class Influxd:
    """One server: start, stop, kill, and plain HTTP that shares no code with what is tested."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.token, self.org, self.bucket = folder, TOKEN, ORG, BUCKET
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers; sets it up the first time."""
        files = {"bolt-path": "i.bolt", "engine-path": "engine", "sqlite-path": "s.db"}
        options = [word for key, name in files.items() for word in (f"--{key}", str(self.folder / name))]
        with (self.folder / "influxd.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["influxd", *options, "--http-bind-address", f"127.0.0.1:{self.port}", "--reporting-disabled"],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while self.request("GET", "/health")[0] != 200:
            assert self.process.poll() is None, (self.folder / "influxd.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "influxd did not come up in 30 s"
            time.sleep(0.05)
        if json.loads(self.request("GET", "/api/v2/setup")[1])["allowed"]:
            asked = {"username": "test", "password": "test-password", "org": ORG, "bucket": BUCKET, "token": TOKEN}
            status, answer = self.request("POST", "/api/v2/setup", json.dumps(asked).encode())
            assert status == 201, answer

    def stop(self, *, kill: bool = False) -> None:
        """End it; its data stay."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def request(self, method: str, path: str, body: bytes | None = None, token: str = TOKEN) -> tuple[int, bytes]:
        """Status (0: no answer) and body."""
        asked = urllib.request.Request(  # noqa: S310 - our own http URL
            self.url + path, data=body, method=method, headers={"Authorization": f"Token {token}"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - the same
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()
        except OSError as failure:
            return 0, str(failure).encode()

    def get(self, path: str, token: str = TOKEN) -> Any:
        """A JSON resource."""
        status, body = self.request("GET", path, token=token)
        assert status == 200, body
        return json.loads(body)

    def post(self, path: str, what: dict[str, Any]) -> Any:
        """Make a resource."""
        status, body = self.request("POST", path, json.dumps(what).encode())
        assert status == 201, body
        return json.loads(body)

    def new_bucket(self, name: str, *, keep_s: int = 0) -> str:
        """Make a bucket; its id."""
        rules = [{"type": "expire", "everySeconds": keep_s}] if keep_s else []
        made = self.post("/api/v2/buckets", {"orgID": self.org_id, "name": name, "retentionRules": rules})
        return str(made["id"])

    def new_token(self, bucket_id: str, *actions: str) -> str:
        """A token that may only do these ("read", "write") to one bucket."""
        resource = {"type": "buckets", "id": bucket_id, "orgID": self.org_id}
        rights = [{"action": action, "resource": resource} for action in actions]
        return str(self.post("/api/v2/authorizations", {"orgID": self.org_id, "permissions": rights})["token"])

    @property
    def org_id(self) -> str:
        """Id of the one organisation."""
        return str(self.get("/api/v2/orgs")["orgs"][0]["id"])

    def bucket_id(self, name: str = BUCKET) -> str:
        """Id of a bucket."""
        return str(self.get(f"/api/v2/buckets?name={name}")["buckets"][0]["id"])

    def write(self, lines: str, bucket: str = BUCKET) -> int:
        """Line protocol in ms, straight in; the status."""
        return self.request("POST", f"/api/v2/write?org={ORG}&bucket={bucket}&precision=ms", lines.encode())[0]

    def influxql(self, statement: str, bucket: str = BUCKET) -> list[dict[str, Any]]:
        """The series of one statement's result, times in ms."""
        query = urllib.parse.urlencode({"db": bucket, "epoch": "ms", "q": statement})
        (result,) = self.get(f"/query?{query}")["results"]
        assert "error" not in result, result
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def rows(self, statement: str, bucket: str = BUCKET) -> list[dict[str, Any]]:
        """The rows of one statement's result as dicts; nulls left out."""
        return [
            {k: v for k, v in zip(one["columns"], row, strict=True) if v is not None} | one.get("tags", {})
            for one in self.influxql(statement, bucket)
            for row in one["values"]
        ]


def start_influxd() -> Influxd:
    """A fresh server; skips (or, in CI, fails) where there is none."""
    if shutil.which("influxd") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("influxd is not on PATH")
        pytest.skip("influxd is not on PATH")
    server = Influxd(Path(tempfile.mkdtemp(prefix="greengauge-influxd-")))
    server.start()
    return server


@pytest.fixture(scope="session")
def influx_server() -> Iterator[Influxd]:
    """One server for the whole session."""
    server = start_influxd()
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def influx(influx_server: Influxd) -> Influxd:
    """The session's server with its bucket `greengauge` empty and alone; started if a test stopped it."""
    if influx_server.process is None:
        influx_server.start()
    for bucket in influx_server.get("/api/v2/buckets?limit=100")["buckets"]:
        if bucket["type"] != "system":
            influx_server.request("DELETE", f"/api/v2/buckets/{bucket['id']}")
    influx_server.new_bucket(BUCKET)
    return influx_server
