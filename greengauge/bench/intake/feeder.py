"""Sending a workload over one connection at QoS 1, as fast as its PUBACKs allow or at a pace."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass

from greengauge.bench.intake.packets import PINGREQ, PINGRESP, Acks, packet
from greengauge.bench.intake.workload import ID_SPACE, Workload

PIECE = 1 << 20
WAIT_S = 120.0
"""Without a PUBACK: then the reader is dead."""
PACE_S = 0.01


@dataclass(frozen=True, slots=True)
class Sent:
    """One order carried out."""

    messages: int
    bytes: int
    acks: int
    in_order: bool
    wall_s: float  # first byte to last PUBACK
    cpu_s: float  # of this process


class Feeder:
    """One socket whose other side takes PUBLISH frames and gives PUBACKs."""

    def __init__(self, sock: socket.socket, workload: Workload, level: int, most: int) -> None:
        """`most`: frames that may be under way."""
        self._sock, self._workload, self._level, self._most = sock, workload, level, min(most, ID_SPACE)
        self._acks = Acks(ID_SPACE)
        self._next = 0  # message
        self._owed = b""  # answers to pings: they leave between two frames
        sock.setblocking(False)

    def send(self, count: int) -> Sent:
        """The next messages, all at once. Raises ConnectionError, TimeoutError."""
        frames = self._workload.frames(self._next, count, self._level)
        size, view = frames.shape[1], memoryview(frames.data).cast("B")
        began, cpu = time.perf_counter(), time.process_time()
        self._push(view, size)
        return self._told(count, len(view), began, cpu)

    def pace(self, rate: float, seconds: float) -> Sent:
        """Messages of now, `rate` a second, for so long."""
        began, cpu = time.perf_counter(), time.process_time()
        first, sent = self._next, 0
        while (passed := time.perf_counter() - began) < seconds:
            due = int(passed * rate) - (self._next - first)
            if due > 0:
                frames = self._workload.frames(self._next, due, self._level, time.time_ns() // 1_000_000)
                self._push(memoryview(frames.data).cast("B"), frames.shape[1], wait=False)
                sent += frames.size
            self.serve(PACE_S)
        self._wait_for_acks(time.perf_counter())
        return self._told(self._next - first, sent, began, cpu)

    def serve(self, seconds: float) -> None:
        """Answer what comes, for so long at most."""
        if select.select([self._sock], [], [], seconds)[0]:
            self._hear()
            self._pay()

    def _push(self, view: memoryview, size: int, *, wait: bool = True) -> None:
        done, whole, first = 0, len(view), self._next
        self._next += whole // size
        heard = time.perf_counter()
        while done < whole:
            if self._owed and done % size == 0:
                self._pay()
            end = min(whole, (self._acks.count + self._most - first) * size, done + PIECE)
            if self._owed:
                end = min(end, -(-done // size) * size)
            readable, writable, _ = select.select([self._sock], [self._sock] if end > done else [], [], 1.0)
            if readable:
                self._hear()
                heard = time.perf_counter()
            if writable:
                done += self._sock.send(view[done:end])
                heard = time.perf_counter()
            _patience(heard)
        if wait:
            self._wait_for_acks(heard)

    def _wait_for_acks(self, heard: float) -> None:
        while self._acks.count < self._next:
            before = self._acks.count
            self.serve(1.0)
            heard = time.perf_counter() if self._acks.count > before else heard
            _patience(heard)

    def _hear(self) -> None:
        data = self._sock.recv(1 << 20)
        if not data:
            raise ConnectionError("the reader hung up")
        for other in self._acks.feed(data):
            if other.kind == PINGREQ:
                self._owed += packet(PINGRESP, b"")

    def _pay(self) -> None:
        self._sock.setblocking(True)
        self._sock.sendall(self._owed)
        self._sock.setblocking(False)
        self._owed = b""

    def _told(self, count: int, size: int, began: float, cpu: float) -> Sent:
        wall, used = time.perf_counter() - began, time.process_time() - cpu
        return Sent(count, size, self._acks.count, self._acks.in_order, wall, used)


def _patience(heard: float) -> None:
    if time.perf_counter() - heard > WAIT_S:
        raise TimeoutError(f"no PUBACK for {WAIT_S:g} s")
