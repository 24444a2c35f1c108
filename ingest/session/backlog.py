"""What has arrived and nobody has taken yet. Bounded in bytes: at the limit the wire stops reading."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from ingest.session.stream import Frames


@dataclass(slots=True)
class Batch:
    """Messages of one connection."""

    generation: int
    level: int
    count: int = 0
    size: int = 0  # bytes of the frames
    blocks: list[bytes] = field(default_factory=list)  # of frames, in arrival order
    acks: list[bytes] = field(default_factory=list)  # their PUBACKs


class Backlog:
    """Batches in arrival order, the last one still growing."""

    def __init__(self, limit: int) -> None:
        """`limit`: bytes from which on it is full; what passes it is still taken."""
        self._limit = limit
        self._batches: deque[Batch] = deque()
        self._arrived, self._enough = asyncio.Event(), asyncio.Event()
        self.bytes = 0

    @property
    def left(self) -> int:
        """Bytes that may still come; 0 or less: reading should stop."""
        return self._limit - self.bytes

    @property
    def full(self) -> bool:
        """Whether reading should stop."""
        return self.bytes >= self._limit

    def put(self, generation: int, level: int, frames: Frames) -> None:
        """Add messages."""
        if not self._batches or self._batches[-1].generation != generation:
            self._batches.append(Batch(generation, level))
        batch = self._batches[-1]
        batch.count += frames.messages
        batch.size += len(frames.block)
        batch.blocks.append(frames.block)
        batch.acks.append(frames.acks)
        self.bytes += len(frames.block)
        self._arrived.set()
        if 2 * self.bytes >= self._limit:
            self._enough.set()

    async def wait(self) -> None:
        """Until there is something to take."""
        await self._arrived.wait()

    async def gather(self, seconds: float) -> bool:
        """Wait for more: until half of the limit is there, but no longer than that. Whether more came to the last."""
        for _ in range(2):
            before = self.bytes
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds / 2):
                    await self._enough.wait()
        return self.bytes > before or self._enough.is_set()

    def take(self) -> Batch:
        """The oldest batch, whole. Messages of different connections are never in one."""
        batch = self._batches.popleft()
        self.bytes -= batch.size
        if not self._batches:
            self._arrived.clear()
        if 2 * self.bytes < self._limit:
            self._enough.clear()
        return batch
