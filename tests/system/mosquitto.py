"""A real broker for tests: Debian's mosquitto on a free port, started, stopped and killed at will."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

DEFAULT = """
allow_anonymous true
persistence true
autosave_interval 1
max_queued_messages 0
max_queued_bytes 0
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def need(program: str) -> str:
    """Path of a program; without it the test is skipped, in CI it fails."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        assert os.environ.get("CI") != "true", f"{program} must be there in CI"
        pytest.skip(f"{program} is not installed")
    return found


class Mosquitto:
    """One broker, same port and folder across restarts."""

    def __init__(self, folder: Path, config: str = DEFAULT) -> None:
        self.port = free_port()
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._program = need("mosquitto")
        folder.mkdir(parents=True, exist_ok=True)
        user = f"user {os.environ.get('USER', 'root')}\n" if os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\npersistence_location {folder}/\n{user}{config}"
        )

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> Mosquitto:
        """Start and wait until it listens."""
        self._process = subprocess.Popen(
            [self._program, "-c", str(self.folder / "mosquitto.conf")],
            stderr=(self.folder / "mosquitto.log").open("ab"),
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
            except OSError:
                assert self._process.poll() is None, (self.folder / "mosquitto.log").read_text()
                time.sleep(0.02)
            else:
                return self
        raise AssertionError("mosquitto did not listen within 10 s")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it: SIGTERM writes its queues to disk first, SIGKILL does not."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A fresh broker for one test."""
    broker = Mosquitto(tmp_path / "mosquitto").start()
    yield broker
    broker.stop()
