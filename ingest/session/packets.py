"""Where packets begin and end in a stream of MQTT bytes. One text, run as Python or compiled.

Uncompiled it is the definition and serves until the compiled one is there: 1 µs a message instead of 0.01. It asks
nothing about the protocol's level: what differs between 5 and 3.1.1 stands behind the packet id.
"""

from __future__ import annotations

from typing import Any, Final

MORE: Final = 0
"""No whole packet is left."""
OTHER: Final = 1
"""The next packet is no PUBLISH of QoS 0 or 1."""
MALFORMED: Final = 2
"""The next packet's length is more than four bytes long: nothing says where another one would begin."""


def run(data: Any, at: int, stop: int, acks: Any) -> tuple[int, int, int, int, int]:
    """The run of whole PUBLISH packets of QoS 0 and 1 that begins at `data[at]` and ends before `data[stop]`.

    data  bytes, indexed
    acks  takes the PUBACKs of those of QoS 1, four bytes each, in arrival order: see `room_for_acks`
    Returns where the run ends, its packets, its PUBACKs, why it ends, and the size of the packet that
    ends it (0: not known yet). A packet of QoS 1 without a readable packet id is in the run without a PUBACK.
    """
    count = acked = 0
    while at < stop:
        length, scale, cursor = 0, 1, at + 1
        while True:
            if cursor == stop:
                return at, count, acked, MORE, 0
            byte = data[cursor]
            cursor += 1
            length += (byte & 127) * scale
            if byte < 128:
                break
            if cursor - at == 5:
                return at, count, acked, MALFORMED, 0
            scale *= 128
        whole = cursor - at + length
        head = data[at]
        if head & 0xF4 != 0x30:  # 0x04 is set in QoS 2 and in the QoS 3 that does not exist
            return at, count, acked, OTHER, whole
        if at + whole > stop:
            return at, count, acked, MORE, whole
        if head & 2 and length >= 4:
            packet_id = cursor + 2 + data[cursor] * 256 + data[cursor + 1]
            if packet_id + 2 <= at + whole and data[packet_id] + data[packet_id + 1] > 0:
                acks[4 * acked] = 0x40
                acks[4 * acked + 1] = 2
                acks[4 * acked + 2] = data[packet_id]
                acks[4 * acked + 3] = data[packet_id + 1]
                acked += 1
        at += whole
        count += 1
    return at, count, acked, MORE, 0


def room_for_acks(size: int) -> int:
    """Bytes of PUBACKs that `size` bytes of packets can ask for: the smallest that does has six."""
    return 4 * (size // 6)
