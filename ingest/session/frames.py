"""PUBLISH frames as bytes, the form in which messages are logged, and their PUBACKs.

A body of the log is frames back to back, each exactly an MQTT PUBLISH packet (OASIS MQTT 5.0 and 3.1.1, §3.3):

    | type 3, DUP, QoS, RETAIN | remaining length, 1–4 bytes | topic length, 2 | topic | packet id, 2 (QoS > 0)
    | properties with their length (MQTT 5 only) | payload |

A message too large to be held is logged as a *cut frame*, which no broker may send: QoS 3, always a packet id (0 at
QoS 0), then four bytes that say how much followed the packet id, then the beginning of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

PUBLISH = 0x30
PUBACK = 0x40
MAX_REMAINING = 268_435_455
CUT_KEPT = 4096
"""Bytes behind the packet id that a cut frame keeps."""
CUT_HEAD = 5 + 2 + 65_535 + 2 + CUT_KEPT
"""Bytes at the beginning of a packet that are enough to cut it."""


class Frame(NamedTuple):
    """One PUBLISH. A tuple, because a million of them a second may pass one day."""

    offset: int  # of the frame's first byte in the body: its log position is `record.body_at + offset`
    topic: bytes  # as sent; UTF-8 unless somebody cheats
    payload: memoryview  # a window on the body, not a copy
    qos: int
    retain: bool  # the broker sent a stored message, not a fresh one
    dup: bool  # sent before over this or an earlier connection
    mid: int = 0  # packet id, 0 at QoS 0
    fault: str = ""  # why the inside of the frame cannot be read; topic is empty then and payload is all of it
    size: int = -1  # of a cut frame: bytes of the payload whose beginning `payload` is


def encode(
    topic: bytes,
    payload: bytes,
    *,
    level: int,
    qos: int = 0,
    retain: bool = False,
    dup: bool = False,
    mid: int = 0,
    properties: bytes = b"\x00",
) -> bytes:
    """One PUBLISH frame. `level` is 5 or 4 (3.1.1); `properties` include their own length and are left out at 4."""
    head = PUBLISH | dup << 3 | qos << 1 | retain
    packet_id = mid.to_bytes(2, "big") if qos else b""
    middle = packet_id + properties if level == 5 else packet_id
    remaining = 2 + len(topic) + len(middle) + len(payload)
    length = bytes((head, remaining)) if remaining < 128 else bytes((head,)) + varint(remaining)
    return b"".join((length, len(topic).to_bytes(2, "big"), topic, middle, payload))


def varint(value: int) -> bytes:
    """MQTT's variable byte integer, 0 to 268,435,455."""
    if not 0 <= value <= MAX_REMAINING:
        raise ValueError(f"{value} does not fit into an MQTT length")
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def puback(mid: int) -> bytes:
    """A PUBACK: the short form, success, of both protocol levels."""
    return bytes((PUBACK, 2)) + mid.to_bytes(2, "big")


def encode_cut(head: bytes, whole: int) -> tuple[bytes, bytes]:
    """The cut frame of a PUBLISH packet of `whole` bytes that begins with `head` (`CUT_HEAD` bytes), and its PUBACK."""
    read = _varint_at(head, 1, len(head))
    if read is None:
        raise ValueError("this is not the beginning of a packet")
    start = read[1]
    topic_end = start + 2 + (head[start] << 8 | head[start + 1])
    mid, kept_at = 0, topic_end
    if head[0] & 6:
        mid, kept_at = head[topic_end] << 8 | head[topic_end + 1], topic_end + 2
    parts = (
        head[start:topic_end],
        mid.to_bytes(2, "big"),
        (whole - kept_at).to_bytes(4, "big"),
        head[kept_at : kept_at + CUT_KEPT],
    )
    body = b"".join(parts)
    return bytes((head[0] | 6,)) + varint(len(body)) + body, puback(mid) if mid else b""


def split(body: bytes, level: int) -> Iterator[Frame]:
    """Every frame of a body, in order. Never raises: what cannot be read is a frame with a `fault`.

    A fault inside a frame spoils that frame only; a broken fixed header ends the body, since nothing says
    where the next frame would begin.
    """
    view = memoryview(body)
    at, size = 0, len(body)
    while at < size:
        head = body[at]
        read = _varint_at(body, at + 1, size)
        if head & 0xF0 != PUBLISH or read is None or read[1] + read[0] > size:
            yield Frame(at, b"", view[at:], 0, False, False, 0, "not a whole PUBLISH frame")
            return
        remaining, start = read
        end = start + remaining
        yield _inside(body, view, at, start, end, level)
        at = end


def _inside(body: bytes, view: memoryview, at: int, start: int, end: int, level: int) -> Frame:
    """The frame at `at`, whose variable header begins at `start` and whose payload ends at `end`."""
    head = body[at]
    qos, retain, dup, mid = head >> 1 & 3, bool(head & 1), bool(head & 8), 0
    cursor = start + 2
    if cursor > end:
        return _faulty(view, at, end, head, "it is too short for a topic")
    topic_end = cursor + (body[start] << 8 | body[start + 1])
    topic, cursor = body[cursor:topic_end], topic_end
    if qos:
        if cursor + 2 > end:
            return _faulty(view, at, end, head, "its topic is longer than the frame")
        if qos == 3:
            return _cut(body, view, at, cursor, end, level, topic)
        mid = body[cursor] << 8 | body[cursor + 1]
        cursor += 2
    if level == 5:
        read = _varint_at(body, cursor, end)
        if read is None:
            return _faulty(view, at, end, head, "its properties have no length")
        cursor = read[1] + read[0]
    if cursor > end:
        return _faulty(view, at, end, head, "its topic or properties are longer than the frame")
    return Frame(at, topic, view[cursor:end], qos, retain, dup, mid)


def _cut(body: bytes, view: memoryview, at: int, cursor: int, end: int, level: int, topic: bytes) -> Frame:
    """The cut frame at `at` whose packet id is at `cursor`."""
    head, kept_at = body[at], cursor + 6
    if kept_at > end:
        return _faulty(view, at, end, head, "QoS 3 does not exist")
    mid = body[cursor] << 8 | body[cursor + 1]
    size, before = int.from_bytes(body[cursor + 2 : kept_at], "big"), 0
    if level == 5:
        read = _varint_at(body, kept_at, end)
        before = read[1] + read[0] - kept_at if read is not None else 0
    payload = view[min(kept_at + before, end) : end]
    return Frame(at, topic, payload, 1 if mid else 0, bool(head & 1), bool(head & 8), mid, "", max(size - before, 0))


def _faulty(view: memoryview, at: int, end: int, head: int, fault: str) -> Frame:
    return Frame(at, b"", view[at:end], head >> 1 & 3, bool(head & 1), bool(head & 8), 0, fault)


def _varint_at(body: bytes, at: int, end: int) -> tuple[int, int] | None:
    """The value at `at` and the offset behind it; None where it is cut off or longer than four bytes."""
    value = 0
    for index in range(4):
        if at + index >= end:
            return None
        byte = body[at + index]
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, at + index + 1
    return None
