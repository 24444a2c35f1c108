"""The promise under kill -9, and the order of system calls that it rests on."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.ledger import Ledger, logged
from tests.system.mosquitto import Mosquitto, need

pytestmark = pytest.mark.system

Start = Callable[..., "Child"]
CHILD = [sys.executable, str(Path(__file__).with_name("intake_child.py"))]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.stop()


@dataclass
class Child:
    """A running intake, perhaps with a tracer around it."""

    outer: subprocess.Popen[str]
    pid: int = 0

    def end(self, how: signal.Signals) -> int:
        """Signal the intake itself; the exit code."""
        os.kill(self.pid, how)
        return self.outer.wait(20)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts children, returns when they are connected, and leaves none behind."""
    children: list[Child] = []

    def one(*arguments: object, before: tuple[str, ...] = ()) -> Child:
        child = Child(subprocess.Popen([*before, *CHILD, *map(str, arguments)], stdout=subprocess.PIPE, text=True))
        children.append(child)
        assert child.outer.stdout is not None
        child.pid = int(child.outer.stdout.readline().removeprefix("running "))
        assert child.outer.stdout.readline() in ("connected\n", "")  # "": it has killed itself already
        return child

    yield one
    for child in children:
        if child.outer.poll() is None:
            child.end(signal.SIGKILL)


def kill_again_and_again(start: Start, broker: Mosquitto, data: Path, times: int) -> None:
    """Kill the service while a publisher goes on; at the end everything that was sent is in the log."""
    chance = random.Random(times)
    start(data, broker.url).end(signal.SIGKILL)  # the session has to exist before the first message
    ledger = Ledger(broker.port)
    slowest = 0.0
    for n in range(times):
        began = time.monotonic()
        if n % 2:
            child = start(data, broker.url, chance.choice(["appended", "acknowledged"]), chance.randrange(1, 30))
        else:
            child = start(data, broker.url)
            time.sleep(chance.uniform(0.0, 0.4))
            child.end(signal.SIGKILL)
        slowest = max(slowest, time.monotonic() - began)
        assert child.outer.wait(20) == -9
    ledger.finish()
    last = start(data, broker.url)
    time.sleep(1.5)
    assert last.end(signal.SIGTERM) == 0
    found = logged(data / "log")
    assert set(found) == set(range(ledger.sent))
    assert ledger.acknowledged <= set(found)
    assert slowest < 5


@pytest.mark.fault(1)
def test_twenty_kills_lose_nothing(start: Start, broker: Mosquitto, tmp_path: Path) -> None:
    """At random and at the named points: 0 lost, and ready again in less than five seconds."""
    kill_again_and_again(start, broker, tmp_path / "data", 20)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.fault(1)
def test_two_hundred_kills_lose_nothing(start: Start, broker: Mosquitto, tmp_path: Path) -> None:
    """The same, ten times as often."""
    kill_again_and_again(start, broker, tmp_path / "data", 200)


@pytest.mark.fault(2)
def test_every_puback_follows_the_finished_commit(start: Start, broker: Mosquitto, tmp_path: Path) -> None:
    """Traced, not assumed: no PUBACK is sent before the fdatasync of its frames' record has returned."""
    trace = tmp_path / "trace"
    calls = ("-e", "trace=pwrite64,pwritev,fdatasync,fsync,sendto,recvfrom,write", "-y", "-xx", "-s", "65536")
    child = start(
        tmp_path / "data", broker.url, before=(need("strace"), "-f", "-tt", *calls, "-o", str(trace)),
    )  # fmt: skip
    ledger = Ledger(broker.port, every=0.002)
    time.sleep(2.0)
    ledger.finish()
    time.sleep(0.5)
    assert child.end(signal.SIGTERM) == 0
    durable: set[int] = set()
    written: dict[str, set[int]] = {}
    pubacks = 0
    for call, descriptor, data in _calls(trace.read_text()):
        if call == "pwrite64" and ".segment" in descriptor:
            written.setdefault(descriptor, set()).update(_packet_ids(data))
        elif call == "fdatasync" and ".segment" in descriptor:
            durable |= written.pop(descriptor, set())
        elif call == "sendto":
            for mid in re.findall(rb"\x40\x02(..)", data, re.DOTALL) if data.startswith(b"\x40\x02") else []:
                pubacks += 1
                assert int.from_bytes(mid, "big") in durable
    assert pubacks == ledger.sent > 100


def _calls(trace: str) -> Iterator[tuple[str, str, bytes]]:
    """(name, descriptor, data) of each call: of a write to the disk when it returned, of a send when it began."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        pid, _, rest = line.split(maxsplit=2)
        if rest.endswith("<unfinished ...>"):
            rest = rest.removesuffix("<unfinished ...>")
            if not rest.startswith("sendto"):
                begun[pid] = rest
                continue
        elif resumed := re.match(r"<\.\.\. (\w+) resumed>(.*)", rest):
            if resumed[1] == "sendto":
                continue
            rest = begun.pop(pid) + resumed[2]
        if " = -1 " in rest:
            continue
        if call := re.match(r'(\w+)\(\d+<([^>]*)>(?:, "([^"]*)")?', rest):
            yield call[1], _bytes(call[2]).decode(), _bytes(call[3] or "")


def _bytes(traced: str) -> bytes:
    return bytes.fromhex(traced.replace("\\x", ""))


def _packet_ids(group: bytes) -> set[int]:
    """Packet ids of the PUBLISH frames in a written group."""
    topic = b"\x00\x0cplant/ledger"
    return {int.from_bytes(group[m.end() : m.end() + 2], "big") for m in re.finditer(re.escape(topic), group)}
