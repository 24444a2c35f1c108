"""Peers that hold back or are held back, played byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable

import pytest

from ingest.session import Broker, MqttSession
from ingest.session.frames import encode
from ingest.session.session import LINGER_S
from tests.waiting import until

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def server(play: Play) -> tuple[asyncio.Server, MqttSession]:
    """A broker that lets us in over MQTT 5 and then plays; and a session on it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"\x20\x03\0\0\0")
        packet_id = (await reader.read(1000))[2:4]
        writer.write(b"\x90\x04" + packet_id + b"\0\1")
        with contextlib.suppress(ConnectionError):
            await play(reader, writer)
        writer.close()

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    served = await asyncio.start_server(serve, sock=listener, limit=1 << 12)
    return served, MqttSession(Broker.parse(f"mqtt://127.0.0.1:{listener.getsockname()[1]}"), "me", ["plant/#"])


async def take(session: MqttSession) -> None:
    async for chunk in session.chunks():
        chunk.acknowledge()


async def end(served: asyncio.Server, *tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    served.close()


async def test_a_broker_that_waits_for_pubacks_is_not_kept_waiting() -> None:
    """It sends 20 and then waits: 150 such rounds take less than 150 times the pause between two commits."""
    rounds, took = 150, 0.0

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal took
        block = b"".join(encode(b"plant/x", b"1", level=5, qos=1, mid=n + 1) for n in range(20))
        began = time.monotonic()
        for _ in range(rounds):
            writer.write(block)
            assert len(await reader.readexactly(80)) == 80
        took = time.monotonic() - began

    served, session = await server(play)
    tasks = [asyncio.create_task(job, name="test") for job in (session.run(), take(session))]
    await until(lambda: took, 20)
    assert took < 0.7 * rounds * LINGER_S
    await end(served, *tasks)


async def test_a_steady_stream_is_committed_in_groups() -> None:
    """A message a millisecond: far fewer chunks than messages, and all of them come."""
    count, chunks = 400, 0

    async def play(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for n in range(count):
            writer.write(encode(b"plant/x", b"1", level=5, qos=1, mid=n + 1))
            await asyncio.sleep(0.001)
        await asyncio.sleep(10)

    async def count_chunks(session: MqttSession) -> None:
        nonlocal chunks
        async for chunk in session.chunks():
            chunks += 1
            chunk.acknowledge()

    served, session = await server(play)
    tasks = [asyncio.create_task(job, name="test") for job in (session.run(), count_chunks(session))]
    await until(lambda: session.state.messages == count, 20)
    assert chunks < count / 2  # a tenth on a calm machine; on a loaded one the messages come more slowly
    await end(served, *tasks)


async def test_whoever_reads_no_pubacks_gets_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that only sends: once a bound of PUBACKs waits, nothing more is read; when it reads, all goes on."""
    monkeypatch.setattr("ingest.session.connection.CLOGGED", 20_000)
    reading, acks, total = asyncio.Event(), 0, 2_000_000

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal acks

        async def collect() -> None:
            nonlocal acks
            await reading.wait()
            while data := await reader.read(1 << 16):
                acks += len(data) // 4

        collecting = asyncio.create_task(collect(), name="collect")
        block = encode(b"plant/x", b"", level=5, qos=1, mid=1) * 10_000
        for _ in range(total // 10_000):
            writer.write(block)
            await writer.drain()
        await collecting

    served, session = await server(play)
    tasks = [asyncio.create_task(job, name="test") for job in (session.run(), take(session))]
    seen = -1
    while seen != session.state.messages or not seen:
        seen = session.state.messages
        await asyncio.sleep(0.5)
    assert 0 < seen < total
    assert session._connection is not None
    assert session._connection._wire is not None
    assert 20_000 <= session._connection._wire.unsent < 20_000 + 4 * (4 << 20) // 13
    reading.set()
    await until(lambda: session.state.messages == total, 30)
    assert session.state.reconnects == 0
    await end(served, *tasks)
