"""As much MQTT as a source and a bare reader need (OASIS MQTT 5.0 and 3.1.1): packets out of a stream, and PUBACKs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14
_SIZES = {0x11: 4, 0x21: 2, 0x27: 4, 0x22: 2, 0x19: 1, 0x17: 1}  # CONNECT's properties of fixed size


class Packet(NamedTuple):
    """One packet without its fixed header."""

    kind: int
    flags: int
    body: bytes


def take(buffer: bytearray) -> Iterator[Packet]:
    """Every whole packet at the buffer's begin; what is left stays in it."""
    at = 0
    while (found := _length(buffer, at)) is not None:
        body, end = found
        yield Packet(buffer[at] >> 4, buffer[at] & 15, bytes(buffer[body:end]))
        at = end
    del buffer[:at]


def _length(buffer: bytearray, at: int) -> tuple[int, int] | None:
    """(begin of the body, end of the packet) of the packet at `at`; None if it is not whole."""
    value = 0
    for place in range(4):
        if at + 1 + place >= len(buffer):
            return None
        byte = buffer[at + 1 + place]
        value |= (byte & 127) << 7 * place
        if byte < 128:
            end = at + 2 + place + value
            return (at + 2 + place, end) if end <= len(buffer) else None
    raise ValueError("a length of more than four bytes")


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A packet of less than 16 kB."""
    size = len(body)
    length = bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))
    return bytes((kind << 4 | flags,)) + length + body


def text(value: str) -> bytes:
    """A UTF-8 string with its length."""
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def connect(client_id: str, level: int, keepalive: int = 60, *, clean: bool = True) -> bytes:
    """CONNECT; at MQTT 5 with Receive Maximum 65,535."""
    properties = b"\x03\x21\xff\xff" if level == 5 else b""
    head = text("MQTT") + bytes((level, clean << 1)) + keepalive.to_bytes(2, "big")
    return packet(CONNECT, head + properties + text(client_id))


def subscribe(topic: str, level: int) -> bytes:
    """SUBSCRIBE at QoS 1, packet id 1."""
    return packet(SUBSCRIBE, b"\0\1" + (b"\0" if level == 5 else b"") + text(topic) + b"\x01", 2)


def asked(body: bytes) -> tuple[int, int]:
    """(protocol level, receive maximum) of a CONNECT."""
    level, at, most = body[6], 10, 65_535
    if level == 5:
        size, at = body[at], at + 1
        end = at + size
        while at < end:
            key, at = body[at], at + 1
            if key == 0x21:
                most = int.from_bytes(body[at : at + 2], "big")
            if key not in _SIZES:  # texts and pairs: whoever sends them says the receive maximum before, or not at all
                break
            at += _SIZES[key]
    return level, most


def filters(body: bytes, level: int) -> list[str]:
    """Of a SUBSCRIBE."""
    at, found = (3 + body[2] if level == 5 else 2), []
    while at < len(body):
        size = int.from_bytes(body[at : at + 2], "big")
        found.append(body[at + 2 : at + 2 + size].decode())
        at += 3 + size
    return found


class Acks:
    """Counts PUBACKs, and whether they come in the order of what was sent (packet ids 1 to `space`, then 1 again)."""

    def __init__(self, space: int) -> None:
        self.count, self.in_order, self._space = 0, True, space
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Packet]:
        """Take bytes of a client in; whatever is no PUBACK comes back."""
        whole = self._rest + data
        size = len(whole) & ~3
        rows = np.frombuffer(whole, np.uint8, size).reshape(-1, 4)
        if size and bool((rows[:, 0] == PUBACK << 4).all() & (rows[:, 1] == 2).all()):  # the short form, all of it
            self._follow(rows[:, 2].astype(np.int64) << 8 | rows[:, 3])
            self._rest = whole[size:]
            return []
        self._rest = whole
        del rows
        others, ids = [], []
        for one in take(self._rest):
            if one.kind == PUBACK:
                ids.append(int.from_bytes(one.body[:2], "big"))
            else:
                others.append(one)
        self._follow(np.array(ids, np.int64))
        return others

    def _follow(self, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        wanted = (self.count + np.arange(len(ids))) % self._space + 1
        self.in_order = self.in_order and bool((ids == wanted).all())
        self.count += len(ids)
