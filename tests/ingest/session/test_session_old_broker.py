"""Brokers that do not speak MQTT 5, played byte by byte: no real one here can be told not to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ingest.session import Broker, MqttSession
from ingest.session.frames import encode, split
from tests.waiting import until


class _OldBroker:
    """MQTT 3.1.1 only: refuses level 5 in one of three ways, then sends three messages and notes the PUBACKs."""

    def __init__(self, refusal: bytes | None) -> None:
        self.refusal = refusal
        self.levels: list[int] = []
        self.subscribed = b""
        self.acknowledged: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connect = await self.packet(reader)
        level, flags = connect[1][6], connect[1][7]
        self.levels.append(level)
        if level != 4:
            if self.refusal is not None:
                writer.write(self.refusal)
            writer.close()
            return
        assert not flags & 2, "the session must not be cleaned"
        writer.write(b"\x20\x02\x01\x00")
        kind, body = await self.packet(reader)
        assert kind == 0x82
        self.subscribed = body[2:]
        writer.write(b"\x90\x03" + body[:2] + b"\x01")
        for n in (1, 2, 3):
            writer.write(encode(b"plant/x", b"%d" % n, level=4, qos=1, mid=n * 100))
        while True:
            kind, body = await self.packet(reader)
            if kind == 0x40:
                self.acknowledged.append(body)
            elif kind == 0xC0:
                writer.write(b"\xd0\x00")
            else:
                writer.close()
                return

    async def packet(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = await reader.readexactly(2)
        return head[0], await reader.readexactly(head[1])


@asynccontextmanager
async def served(broker: _OldBroker) -> AsyncIterator[MqttSession]:
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    session = MqttSession(Broker.parse(f"mqtt://127.0.0.1:{port}"), "me", ["plant/#"])
    running = asyncio.create_task(session.run(), name="session")
    try:
        yield session
    finally:
        running.cancel()
        await asyncio.wait([running])
        server.close()


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", b"\x20\x03\x00\x84\x00", None])
async def test_an_old_broker_is_spoken_to_in_3_1_1(refusal: bytes | None) -> None:
    """CONNACK 1, CONNACK 0x84 or just hanging up on MQTT 5: the next attempt is 3.1.1, and all works there."""
    broker = _OldBroker(refusal)
    async with served(broker) as session, asyncio.timeout(10):
        got: list[bytes] = []
        async for chunk in session.chunks():
            assert chunk.mqtt == 4
            got += [bytes(frame.payload) for frame in split(chunk.frames, 4)]
            assert chunk.acknowledge()
            if len(got) == 3:
                break
        await until(lambda: len(broker.acknowledged) == 3)
    assert got == [b"1", b"2", b"3"]
    assert broker.levels == [5, 4]
    assert broker.subscribed == b"\x00\x07plant/#\x01"
    assert [int.from_bytes(mid, "big") for mid in broker.acknowledged] == [100, 200, 300]
    assert session.state.protocol == "MQTT 3.1.1"


async def test_nothing_is_acknowledged_before_it_is_asked_for() -> None:
    """Chunks that were taken and not acknowledged leave the broker without a PUBACK."""
    broker = _OldBroker(b"\x20\x02\x00\x01")
    async with served(broker) as session, asyncio.timeout(10):
        async for _ in session.chunks():
            break
        await asyncio.sleep(0.1)
        assert broker.acknowledged == []


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00" * 10,
        b"\x20\x02\x00",
        b"\x20\x7f" + b"\xff" * 127,
        b"\x30\xff\xff\xff\xff\xff",
        b"\x90\x01\x00",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
)
async def test_a_stranger_at_the_port_ends_a_connection_not_the_service(noise: bytes) -> None:
    """Something that isn't a broker gives a state in words and another attempt."""
    calls = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await reader.read(100)
        writer.write(noise)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    session = MqttSession(Broker.parse(f"mqtt://127.0.0.1:{port}"), "me", ["plant/#"])
    running = asyncio.create_task(session.run(), name="session")
    await until(lambda: calls == 3)
    assert not running.done()
    assert not session.state.connected
    assert session.state.cause
    running.cancel()
    await asyncio.wait([running])
    server.close()
