"""A small TCP proxy between us and the broker: it can cut, stall in silence, or swallow PUBACKs."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Proxy:
    """`async with Proxy(port) as proxy`; connect to `proxy.port`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.accepted = 0
        self.swallow_pubacks = False
        self.swallowed = 0
        self.silent = False  # a black hole: connections stay, nothing passes
        self.only_3 = False  # who asks for MQTT 5 is refused, as by an old broker
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        self.accepted += 1
        far_in, far_out = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers += [near_out, far_out]
        for name, task in (("up", self._up(near_in, near_out, far_out)), ("down", self._down(far_in, near_out))):
            self._tasks.add(asyncio.create_task(task, name=f"proxy {name}"))

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._audible()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        await self._audible()  # a black hole swallows an end, too
        writer.close()

    async def _up(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, writer: asyncio.StreamWriter) -> None:
        """Packet by packet, since PUBACKs have to be recognised."""
        try:
            while True:
                packet = await _packet(reader)
                await self._audible()
                if packet[0] == 0x10 and self.only_3 and packet[packet.index(b"MQTT") + 4] == 5:
                    back.write(b"\x20\x02\x00\x01")
                    back.close()
                    break
                if packet[0] == 0x40 and self.swallow_pubacks:
                    self.swallowed += 1
                    continue
                writer.write(packet)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def _audible(self) -> None:
        while self.silent:  # noqa: ASYNC110 - set by the test, seldom
            await asyncio.sleep(0.02)


async def _packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(2)
    length, shift = head[1] & 127, 7
    while head[-1] & 128:
        head += await reader.readexactly(1)
        length |= (head[-1] & 127) << shift
        shift += 7
    return head + await reader.readexactly(length)
