"""`Wire`: the socket that paho is given, and `WireClient`, the paho that takes it.

    broker ──> socket ──> Stream ──> runs of PUBLISH packets ──> the backlog        PUBACK blocks ─┐
                             └─────> every other packet ──> paho ──> its packets ──> outgoing ─────┴──> socket

paho keeps the session and never sees a message: its callback costs 20 µs and more for each. It sends whole packets
into one outgoing buffer, as do we, so nothing of one ever stands inside another. A PINGREQ of paho goes out and is
answered at once from here, because its answer from the broker stands behind everything that has not been read yet:
whether the link is alive is judged by the bytes that pass (`heard`, `sent`).
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from typing import Any

from paho.mqtt.client import Client

from ingest.session.stream import ROOM, Stream

PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"
CLOGGED = 1 << 20
"""Bytes that wait to be sent from which on nothing more is read: whoever takes no PUBACKs gets no memory."""
SEGMENT = 1448
"""Bytes of a full packet of TCP."""
_SENT_AT_ONCE = 1 << 16
_AGAIN = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """One connection's bytes, both ways. Never blocks; one thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self.heard = self.sent = time.monotonic()  # when bytes last came, and last went
        self.stream = Stream()
        self._sock = sock
        self._for_paho = bytearray()
        self._outgoing = bytearray()
        self._over: OSError | None = None  # no byte will come any more
        self._closed = False
        self.read_waits = False  # TLS has to write before it can read
        self.tls = isinstance(sock, ssl.SSLSocket)  # then a read gives one record of it, however much there is
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # --- as paho sees it -----------------------------------------------------------------------

    def recv(self, size: int) -> bytes:
        """Bytes of packets that are no messages, put there by `give`. Raises OSError where the link is over."""
        if self._for_paho:
            data = bytes(self._for_paho[:size])
            del self._for_paho[:size]
            return data
        if self._over is not None:
            raise self._over
        raise BlockingIOError

    def send(self, data: bytes | bytearray) -> int:
        """Take a whole packet."""
        self._outgoing += data
        if data == PINGREQ:
            self._for_paho += PINGRESP
        self.flush()
        return len(data)

    def pending(self) -> int:
        """Bytes that can be read though the socket announces none: those that TLS holds."""
        return self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) and not self._closed else 0

    def fileno(self) -> int:
        """The socket's number, -1 once closed."""
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        """As a socket's."""
        self._sock.setblocking(flag)

    def close(self) -> None:
        """Send what the socket still takes, and close it."""
        if not self._closed:
            self.flush()
            self._closed = True
            self._sock.close()

    # --- as the connection sees it -------------------------------------------------------------

    def receive(self, most: int = ROOM) -> int:
        """Read up to `most` bytes into the stream; how many. 0: there are none now, or the link is `over`."""
        self.read_waits = False
        try:
            size = self._sock.recv_into(self.stream.room(most))
        except _AGAIN as reason:
            self.read_waits = isinstance(reason, ssl.SSLWantWriteError)
            return 0
        except OSError as failure:
            self._over = failure
            return 0
        if size == 0:
            self._over = ConnectionResetError("the connection was closed")
            return 0
        self.heard = time.monotonic()
        self.stream.filled(size)
        if size < SEGMENT and hasattr(socket, "TCP_QUICKACK"):
            # A peer that holds back its next small packet until this one is acknowledged (mosquitto, by default)
            # would wait for our PUBACKs, that is for the disk.
            with suppress(OSError):
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return size

    @property
    def over(self) -> bool:
        """Whether no byte will come any more."""
        return self._over is not None

    @property
    def unread(self) -> bool:
        """Whether paho has something to read: a packet, or the end."""
        return bool(self._for_paho) or self.over

    @property
    def unsent(self) -> int:
        """Bytes that wait for the socket."""
        return len(self._outgoing)

    def give(self, packet: bytes) -> None:
        """A packet for paho."""
        self._for_paho += packet

    def put(self, acks: bytes) -> None:
        """Send whole packets of ours behind what waits already."""
        self._outgoing += acks
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes now."""
        while self._outgoing and not self._closed:
            try:
                with memoryview(self._outgoing) as waiting:
                    size = self._sock.send(waiting[:_SENT_AT_ONCE])
            except _AGAIN:
                return
            except OSError as failure:
                self._over = self._over or failure
                self._outgoing = bytearray()  # not cleared: the failure's traceback may hold a view of the old one
                return
            self.sent = time.monotonic()
            del self._outgoing[:size]


class WireClient(Client):
    """paho's client on a `Wire`. tests/ingest/session/test_paho.py pins what of paho this rests on."""

    def _create_socket(self) -> Any:
        return Wire(super()._create_socket())  # type: ignore[arg-type] # without a transport of its own it is a socket

    @property
    def wire(self) -> Wire | None:
        """The open connection's; None where there is none."""
        sock: Any = self.socket()
        return sock if isinstance(sock, Wire) else None
