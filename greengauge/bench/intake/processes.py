"""Processes of a benchmark: started, measured from outside (/proc), and ended by the number they were given."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import greengauge
from devices.errors import EnvironmentFailure

_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_SBIN = "/usr/sbin:/usr/local/sbin"


class Process:
    """One child. A context manager: it is ended at the end, whatever happened."""

    def __init__(self, words: Sequence[object], folder: Path, name: str, env: Mapping[str, str] | None = None) -> None:
        """`words`: the program first. What it says on standard error goes to `folder/name.log`."""
        self.name, self._log = name, folder / f"{name}.log"
        root = str(Path(greengauge.__file__).parents[1])
        with self._log.open("ab") as errors:
            self.child = subprocess.Popen(  # noqa: S603 - our own words, no shell
                [str(word) for word in words],
                env={**os.environ, "PYTHONPATH": root, **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _what: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.end()

    def cpu(self) -> float:
        """User and system seconds so far, of all its threads; not of its children."""
        return _cpu(self.child.pid)

    def cpu_with_children(self) -> float:
        """The same with the processes that it has started and that still run."""
        files = Path(f"/proc/{self.child.pid}/task").glob("*/children")
        return self.cpu() + sum(_cpu(int(pid)) for file in files for pid in file.read_text().split())

    def rss(self) -> int:
        """Bytes of memory in use."""
        return int(Path(f"/proc/{self.child.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def line(self) -> str:
        """Its next line of output. Raises EnvironmentFailure at its end."""
        if self.child.stdout is None or not (said := self.child.stdout.readline()):
            raise self.failed("ended")
        return said.strip()

    def ask(self, order: str) -> None:
        """Give it a line."""
        if self.child.stdin is not None:
            self.child.stdin.write(order + "\n")
            self.child.stdin.flush()

    def told(self) -> dict[str, Any]:
        """Its next line of output, a JSON object."""
        found: dict[str, Any] = json.loads(self.line())
        return found

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """In order, else by force."""
        if self.child.poll() is None:
            self.child.send_signal(how)
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                pipe.close()

    def failed(self, what: str) -> EnvironmentFailure:
        """With its last words."""
        words = self._log.read_text(errors="replace").strip().splitlines()[-3:]
        return EnvironmentFailure(f"{self.name} {what}: {' / '.join(words) or 'it says nothing'}", where=str(self._log))

    def until(self, true: Callable[[], Any], seconds: float, every: float = 0.05) -> Any:
        """Wait until it holds; its value. Raises EnvironmentFailure."""
        end = time.monotonic() + seconds
        while not (found := true()):
            if self.child.poll() is not None:
                raise self.failed("ended")
            if time.monotonic() > end:
                raise self.failed(f"is not that far after {seconds:g} s")
            time.sleep(every)
        return found


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # it has just ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def module(name: str, *words: str, folder: Path) -> Process:
    """A program of this room in a process of its own."""
    return Process([sys.executable, "-m", f"greengauge.bench.intake.{name}", *words], folder, name)


def find(program: str) -> str | None:
    """Its path, or None where it is not installed."""
    return shutil.which(program) or shutil.which(program, path=_SBIN)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
