"""`Stream`: the bytes of one connection, cut into packets wherever the network cut them.

The buffer holds less than one packet between two reads. A PUBLISH too large to be held is cut while it streams
past: its topic, its length and the beginning of its payload stay (`frames.encode_cut`), and it is acknowledged, or
it would be the first to come again on every connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ingest import kernels
from ingest.session import packets
from ingest.session.frames import CUT_HEAD, PUBLISH, encode_cut

ROOM = 1 << 18
"""Bytes read at once."""
LARGEST = 2 << 20
"""Of a packet that is held whole; the largest payload that decoding takes is half of that."""


NEVER_ASKED = "the broker sent a message at QoS 2, which was never asked for"
"""(QoS 3 does not exist.) Answering it would promise what is not durable yet: paho sends its PUBREC on arrival, and
the broker may then forget the message. Unanswered it comes again, and the ended connection says why."""


class Frames(NamedTuple):
    """PUBLISH packets in arrival order."""

    block: bytes  # back to back
    messages: int
    acks: bytes  # the PUBACKs that those of QoS 1 are owed, in the same order


class Malformed(Exception):
    """The bytes cannot be cut into packets any further."""


class Stream:
    """Bytes in, packets out. Between `room` and `filled` the caller writes; then it takes all of `packets`."""

    def __init__(self, *, room: int = ROOM, largest: int = LARGEST) -> None:
        """`largest`: bytes of a packet that is held whole, more than `CUT_HEAD`."""
        self._normal, self._largest = max(room, 2 * CUT_HEAD), largest
        self._skip = 0  # bytes of an oversize message still to come
        self._cut: Frames | None = None  # what is left of it
        self._start = self._fill = 0
        self._allocate(self._normal)

    def room(self, most: int = ROOM) -> memoryview:
        """Where the next bytes go: at least one, at most `most`."""
        return self._view[self._fill : self._fill + max(most, 1)]

    def filled(self, size: int) -> None:
        """So many bytes were written there."""
        self._fill += size

    @property
    def left(self) -> bytes:
        """Bytes of a packet that is not whole yet."""
        return bytes(self._view[self._start : self._fill])

    def packets(self) -> Iterator[Frames | bytes]:
        """What is whole: runs of PUBLISH packets, and every other packet as its bytes.

        Raises Malformed: lengths that cannot be read, a message at QoS 2.
        """
        whole = 0
        while True:
            if self._skip:
                yield from self._skipped()
                if self._skip:
                    break
            at, count, acked, why, whole = self._next()
            if count:
                block, acks = bytes(self._view[self._start : at]), bytes(self._acks[: 4 * acked])
                self._start = at
                yield Frames(block, count, acks)
            if why == packets.MALFORMED:
                raise Malformed("the broker sent a packet whose length cannot be read")
            if whole > self._largest:
                if not self._begin_cut(whole):
                    break
            elif why == packets.OTHER and at + whole <= self._fill:
                if self._view[at] & 0xF0 == PUBLISH:
                    raise Malformed(NEVER_ASKED)
                self._start = at + whole
                yield bytes(self._view[at : self._start])
            else:
                break
        self._make_room(whole if whole <= self._largest else 0)

    # --- inside --------------------------------------------------------------------------------

    def _next(self) -> tuple[int, int, int, int, int]:
        if not kernels.ready():
            return packets.run(self._view, self._start, self._fill, self._acks)
        from ingest.session import packets_kernel  # it imports numba, which only whoever is ready has

        return packets_kernel.run(self._bytes, self._start, self._fill, self._ack_bytes)

    def _begin_cut(self, whole: int) -> bool:
        """Whether enough of the oversize packet at the start is there to go on."""
        if self._view[self._start] & 0xF0 != PUBLISH:
            raise Malformed(f"the broker sent a packet of {whole:,} bytes that is no message")
        if self._view[self._start] & 0x04:
            raise Malformed(NEVER_ASKED)
        if self._fill - self._start < CUT_HEAD:
            return False
        frame, ack = encode_cut(bytes(self._view[self._start : self._start + CUT_HEAD]), whole)
        self._cut, self._skip = Frames(frame, 1, ack), whole
        return True

    def _skipped(self) -> Iterator[Frames]:
        """Pass over what is there of an oversize message; at its end it becomes a frame."""
        passed = min(self._skip, self._fill - self._start)
        self._start += passed
        self._skip -= passed
        if self._skip == 0 and self._cut is not None:
            yield self._cut
            self._cut = None

    def _make_room(self, whole: int) -> None:
        """What is left moves to the front, into a buffer that takes the packet it belongs to."""
        left = self._bytes[self._start : self._fill]
        self._start, self._fill = 0, len(left)
        if (size := max(self._normal, whole)) != len(self._bytes):
            self._allocate(size)
        self._bytes[: len(left)] = left

    def _allocate(self, size: int) -> None:
        self._bytes = np.empty(size, np.uint8)
        self._view = self._bytes.data
        self._ack_bytes = np.empty(packets.room_for_acks(size), np.uint8)
        self._acks = self._ack_bytes.data
