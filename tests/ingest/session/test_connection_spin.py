"""A connection that waits costs nothing."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from ingest.session import Broker
from ingest.session.connection import Connection
from ingest.session.wire import Wire


class _Tls:
    """A socket on which TLS has to write before it can read (a new key while the link is full), then reads."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner, self.stuck = inner, 1

    def recv_into(self, room: memoryview) -> int:
        if self.stuck:
            self.stuck -= 1
            raise ssl.SSLWantWriteError
        return self.inner.recv_into(room)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def test_a_paused_connection_does_not_spin_when_tls_wants_to_write() -> None:
    """Reading is paused while TLS waits to write: the loop does not wake us for it; resumed, it goes on."""
    ours, far = socket.socketpair()
    ours.setblocking(False)
    connection = Connection(
        Broker.parse("mqtts://broker.example"), "id", level=5, filters=["t"], keepalive=60,
        arrived=lambda _: None, left=lambda: 1 << 20, refused=lambda _: None,
    )  # fmt: skip
    tls: Any = _Tls(ours)
    wire = connection._wire = Wire(tls)
    connection._fd = wire.fileno()
    woken = 0
    writable = connection._writable

    def counting() -> None:
        nonlocal woken
        woken += 1
        writable()

    connection._writable = counting  # type: ignore[method-assign] # counted
    connection._readable()
    assert wire.read_waits
    connection.pause()
    await asyncio.sleep(0.05)
    assert woken <= 1
    heard = wire.heard
    far.send(b"\xd0\x00")
    connection.resume()
    await asyncio.sleep(0.05)
    assert not wire.read_waits
    assert wire.heard > heard
    assert woken < 5
    connection.pause()
    asyncio.get_running_loop().remove_writer(connection._fd)
    asyncio.get_running_loop().remove_reader(connection._fd)
    ours.close()
    far.close()
