"""CPU of session and log alone: `python -m tests.benchmarks.wire [MILLIONS] [--burst N] [--definition] [--profile]`.

A synthetic source (another process, prebuilt bytes, no broker) sends QoS 1 messages of 110 bytes over MQTT 5 and
counts PUBACKs; at most 65,535 are under way. CPU is user + system of this process, for durable messages.
`--burst N` sends N at a time, 1 ms apart: what a broker of N,000 messages a second would do.
`--window N` has so many under way at most, as a broker with a limit of its own.
"""

from __future__ import annotations

import asyncio
import cProfile
import multiprocessing
import pstats
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from devices.broker import Broker
from ingest import kernels
from ingest.clock import Clock
from ingest.intake import Intaker
from ingest.log import Log
from ingest.session import MqttSession
from ingest.session.frames import encode

MOST = 65_535
PAYLOAD = b'{"ts": 1767225600000, "active_power": 1234.5, "energy_import": 98765.432, "flow": 17.25, "seq": 123456789}'


def serve(listener: socket.socket, total: int, burst: int, window: int) -> None:
    """The source: answers CONNECT and SUBSCRIBE, then sends."""
    block = b"".join(encode(b"plant/meter-%03d" % (n % 1000), PAYLOAD, level=5, qos=1, mid=n) for n in range(1, 65_536))
    each = len(block) // MOST
    sock, _ = listener.accept()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.recv(1000)
    sock.sendall(b"\x20\x03\0\0\0")
    packet_id = sock.recv(1000)[2:4]
    sock.sendall(b"\x90\x04" + packet_id + b"\0\1")
    time.sleep(0.3)
    sock.setblocking(False)
    sent = acked = 0
    next_at = 0.0
    size, target = total * each, total
    allowed = 0 if burst else size
    while acked < 4 * target:
        now = time.monotonic()
        if burst and now >= next_at:
            allowed, next_at = min(allowed + burst * each, size), now + 0.001
        limit = min(allowed, (acked // 4 + window) * each)
        moved = 0
        if sent < limit:
            at = sent % len(block)
            with suppress(BlockingIOError):
                moved = sock.send(memoryview(block)[at : at + min(limit - sent, 1 << 20)])
                sent += moved
        with suppress(BlockingIOError):
            got = len(sock.recv(1 << 18))
            acked += got
            moved += got
        if not moved:
            time.sleep(0.0002)
    time.sleep(0.5)


async def measure(port: int, total: int, folder: Path) -> None:
    """Take everything, then say what it cost."""
    log = Log(folder / "log")
    session = MqttSession(Broker.parse(f"mqtt://127.0.0.1:{port}"), "bench", ["plant/#"])
    intaker = Intaker(log, session, 1, Clock())
    task = asyncio.create_task(intaker.run())
    while not session.state.messages:  # noqa: ASYNC110 - a figure, not an event
        await asyncio.sleep(0.001)
    cpu, wall = time.process_time(), time.monotonic()
    while intaker.state.acknowledged < total:  # noqa: ASYNC110 - a figure, not an event
        await asyncio.sleep(0.02)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    state = intaker.state
    print(  # noqa: T201 - prints figures
        f"{cpu / total * 1e6:.3f} us CPU a message, {total / wall:,.0f} messages/s, {state.frames / state.groups:,.0f} "
        f"messages a commit, {cpu / state.groups * 1e6:,.0f} us a commit ({state.groups / wall:,.0f}/s)"
    )
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    log.close()


def main(words: list[str]) -> None:
    """See above."""
    total = int(float(words[0] if words and words[0][:1].isdigit() else "2") * 1_000_000)
    burst = int(words[words.index("--burst") + 1]) if "--burst" in words else 0
    window = int(words[words.index("--window") + 1]) if "--window" in words else MOST
    if "--definition" in words:
        kernels.start = lambda: None
    else:
        kernels.wait()
    listener = socket.create_server(("127.0.0.1", 0))
    source = multiprocessing.get_context("fork").Process(target=serve, args=(listener, total, burst, window))
    source.start()
    with tempfile.TemporaryDirectory() as folder:
        profile = cProfile.Profile()
        if "--profile" in words:
            profile.enable()
        asyncio.run(measure(listener.getsockname()[1], total, Path(folder)))
        if "--profile" in words:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(14)
    source.join()


if __name__ == "__main__":
    main(sys.argv[1:])
