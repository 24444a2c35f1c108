"""What has arrived and nobody has taken yet. Bounded in bytes: at the limit the wire stops reading."""

from __future__ import annotations

import asyncio
from array import array
from collections import deque
from typing import NamedTuple


class Batch(NamedTuple):
    """Frames of one connection."""

    generation: int
    level: int
    frames: list[bytes]
    mids: array[int]  # packet ids of those at QoS 1, in arrival order


class Backlog:
    """Batches in arrival order, the last one still growing."""

    def __init__(self, limit: int) -> None:
        """`limit`: bytes from which on it is full; the message that passes it is still taken."""
        self._limit = limit
        self._batches: deque[Batch] = deque()
        self._arrived = asyncio.Event()
        self.bytes = 0

    @property
    def full(self) -> bool:
        """Whether reading should stop."""
        return self.bytes >= self._limit

    def put(self, generation: int, level: int, frame: bytes, mid: int) -> None:
        """Add a frame; `mid` is 0 at QoS 0."""
        if not self._batches or self._batches[-1].generation != generation:
            self._batches.append(Batch(generation, level, [], array("H")))
        batch = self._batches[-1]
        batch.frames.append(frame)
        if mid:
            batch.mids.append(mid)
        self.bytes += len(frame)
        self._arrived.set()

    async def wait(self) -> None:
        """Until there is something to take."""
        await self._arrived.wait()

    def take(self) -> Batch:
        """The oldest batch, whole. Frames of different connections are never in one."""
        batch = self._batches.popleft()
        self.bytes -= sum(map(len, batch.frames))
        if not self._batches:
            self._arrived.clear()
        return batch
