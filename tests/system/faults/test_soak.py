"""Fault 12: many messages for a long time: memory, file descriptors and threads stay as they are."""

from __future__ import annotations

import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from tests.system.faults.conftest import After, Figure
from tests.system.faults.service import cpu_s, descriptors, memory_mb, service, threads
from tests.system.influx import Influxd
from tests.system.mosquitto import Mosquitto

pytestmark = [pytest.mark.system, pytest.mark.fault(12)]

METERS = 120
SITE = """
schema = 1
[site.works]
enterprise = "acme"
timezone = "UTC"
[line.k1]
site = "works"
area = "pyro"
"""
METER = """
[meter.m{n}]
line = "k1"
every = "1s"
[meter.m{n}.channels]
a = {{ unit = "t/h", kind = "rate", step = "0.001" }}
b = {{ unit = "%", kind = "level" }}
"""


class Source:
    """Publishes at QoS 1 over one socket at a steady rate; a published reading's key is never used twice."""

    def __init__(self, port: int, rate: int) -> None:
        self.sent = self.pubacks = 0
        self._rate, self._port = rate, port
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as link:
            name = b"soak"
            head = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(name)) + name
            link.sendall(bytes([0x10, len(head)]) + head)
            assert len(link.recv(4)) == 4
            link.setblocking(False)
            began, pending = time.monotonic(), b""
            start = time.time_ns() // 1_000_000
            while not self._ending.is_set():
                due = int((time.monotonic() - began) * self._rate) - self.sent
                if due > 0 and len(pending) < 1 << 20:
                    pending += b"".join(self._packet(self.sent + k, start) for k in range(min(due, 5_000)))
                    self.sent += min(due, 5_000)
                pending = self._talk(link, pending)
                time.sleep(0.01)

    def _talk(self, link: socket.socket, pending: bytes) -> bytes:
        try:
            while data := link.recv(1 << 16):
                self.pubacks += len(data) // 4
        except BlockingIOError:
            pass
        try:
            return pending[link.send(pending) :] if pending else pending
        except BlockingIOError:
            return pending

    def _packet(self, number: int, start: int) -> bytes:
        topic = b"plant/acme/works/pyro/k1/m%d" % (number % METERS)
        ts = start + number // METERS * 1000 * METERS // self._rate
        payload = b'{"ts": %d, "seq": %d, "a": %d.25, "b": 4%d.5}' % (ts, number, number % 997, number % 7)
        rest = struct.pack(">H", len(topic)) + topic + struct.pack(">H", number % 65535 + 1) + payload
        length = len(rest)
        return (b"2" + bytes([length]) if length < 128 else b"2" + bytes([length & 127 | 128, length >> 7])) + rest


def soak(
    folder: Path, broker: Mosquitto, store: Influxd, after: After, *, rate: int, warm_s: float, seconds: float
) -> str:
    """Memory, descriptors and threads after a warm-up and at the end; the sentence with the figures."""
    path = folder / "plant.toml"
    path.write_text(SITE + "".join(METER.format(n=n) for n in range(METERS)))
    running = service(folder, broker.url, store.url, GREENGAUGE_LOG_QUOTA=str(1 << 30))
    after.append(running.start().ready())
    source = Source(broker.port, rate)
    try:
        time.sleep(warm_s)
        arrived, spent, began = running.part("intake")["acknowledged"], cpu_s(running), time.monotonic()
        memory, files, lanes = memory_mb(running), descriptors(running), threads(running)
        peak = memory
        while time.monotonic() - began < seconds:
            time.sleep(1)
            peak = max(peak, memory_mb(running))
        passed = time.monotonic() - began
        taken = (running.part("intake")["acknowledged"] - arrived) / passed
        share = (cpu_s(running) - spent) / passed
        last, more_files, more_lanes = memory_mb(running), descriptors(running) - files, threads(running) - lanes
    finally:
        source.stop()
    behind = running.part("log")["behind"]["store"] / 1e6
    told = (
        f"{rate:,}/s for {seconds:g} s: {taken:,.0f}/s taken in, {share:.0%} of a core, store {behind:.1f} MB behind; "
        f"memory {memory:.0f} → {last:.0f} MB (peak {peak:.0f}), descriptors {more_files:+d}, threads {more_lanes:+d}"
    )
    assert abs(more_files) <= 8, told
    assert more_lanes <= 4, told
    assert last <= memory * 1.2 + 30, told
    return told


def test_a_short_soak(tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure) -> None:
    """3,000 messages a second for a quarter of a minute."""
    figure(soak(tmp_path, mosquitto, influx, after, rate=3_000, warm_s=5, seconds=10))


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_ten_minutes(tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure) -> None:
    """30,000 messages a second for ten minutes."""
    figure(soak(tmp_path, mosquitto, influx, after, rate=30_000, warm_s=60, seconds=600))
