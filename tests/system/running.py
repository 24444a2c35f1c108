"""The service as its users meet it: the command in a process of its own, asked over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def command(*words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `greengauge …` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "greengauge", *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True,
        text=True,
        timeout=240,
    )


class Running:
    """One `greengauge run` or `demo` process; start it again after a kill."""

    def __init__(self, words: Sequence[str | Path], folder: Path, **env: str) -> None:
        self.words, self.folder, self.env = [str(w) for w in words], folder, env
        self.program = ["-m", "greengauge"]
        self.before: list[str] = []  # a command that becomes the service (faketime, strace -D)
        self.process: subprocess.Popen[str] | None = None
        self.page = ""
        self.began = 0.0  # time.monotonic() of the last start

    def start(self) -> Running:
        """Start; returns once the page's address is printed."""
        self.began = time.monotonic()
        with (self.folder / "service.log").open("a") as errors:
            self.process = subprocess.Popen(
                [*self.before, sys.executable, *self.program, *self.words],
                env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | self.env,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert first.startswith("page http://127.0.0.1:"), first + self.log()
        self.page = first.split()[1]
        return self

    def ready(self, timeout: float = 30) -> Running:
        """Wait until /readyz says so."""
        until(lambda: self.status("/readyz") == 200, timeout, self.log)
        return self

    def get(self, path: str, **query: str | int) -> Any:
        """GET a JSON answer."""
        asked = f"{self.page}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own page
            return json.load(answer)

    def get_text(self, path: str) -> str:
        """GET a text answer."""
        with urllib.request.urlopen(self.page + path, timeout=10) as answer:  # noqa: S310 - our own page
            return str(answer.read().decode())

    def part(self, name: str) -> dict[str, Any]:
        """State of one part of the service; empty before it told."""
        state: dict[str, Any] = self.get("/api/v1/system")["system"].get(name, {})
        return state

    def settle(self, timeout: float = 300) -> None:
        """Wait until everything that arrived is scored and, where there is a store outside, delivered.

        What a part told before it was asked does not count. What is delivered is counted before it is told, so the
        first answer may be older than the question, the second cannot be.
        """
        self._says("scoring", lambda s: s["text"] == "ok" and not s["unread"], timeout)
        for _ in range(2 if self.part("store outputs") else 0):
            self._says("store outputs", lambda s: s.get("pending") == 0, timeout)

    def _says(self, part: str, holds: Callable[[dict[str, Any]], bool], timeout: float) -> None:
        """Wait until a part says so from now on."""
        now = time.time_ns() // 1_000_000

        def said() -> bool:
            told = self.get("/api/v1/system")
            return part in told["system"] and told["told"][part] > now and holds(told["system"][part])

        until(said, timeout, self.log)

    def status(self, path: str) -> int:
        """GET; only the status, 0 without an answer."""
        try:
            with urllib.request.urlopen(self.page + path, timeout=5) as answer:  # noqa: S310 - our own page
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return 0

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST JSON; the answer's JSON."""
        asked = urllib.request.Request(  # noqa: S310 - our own page
            self.page + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own page
            return json.load(answer)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> float:
        """Ctrl-C; how many seconds it took."""
        began = time.monotonic()
        self._end(signal.SIGINT)
        return time.monotonic() - began

    def log(self) -> str:
        """The tail of what it said on standard error."""
        return (self.folder / "service.log").read_text()[-4000:]

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None


def until(true: Callable[[], Any], timeout: float, why: Callable[[], str] = lambda: "") -> Any:
    """Wait until it holds; its value."""
    deadline = time.monotonic() + timeout
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {timeout} s: {why()}"
        time.sleep(0.1)
