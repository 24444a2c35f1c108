"""`MqttSession`: the durable session on one broker, connection after connection.

The broker keeps it while we are away: stable client id, no clean start from the first connect on, an expiry. Nothing
is acknowledged but by `Chunk.acknowledge`, so what a crash leaves unacknowledged comes again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial

from devices.broker import Broker
from ingest import kernels
from ingest.session.backlog import Backlog
from ingest.session.backoff import STABLE_S, Backoff
from ingest.session.chunk import Chunk
from ingest.session.connection import Connection
from ingest.session.ending import Ending
from ingest.session.failures import ConnectFailed
from ingest.session.state import Loss, SessionState
from ingest.session.stream import Frames

LIMIT_BYTES = 4 << 20
"""Of frames that wait to be taken; as much again is being made durable. Reading stops here."""
LINGER_S = 0.02
"""From one chunk to the next: what comes sooner waits, unless half of the limit is there; a message that comes alone
waits for nobody. A commit and those who follow it cost the same, whatever is in it."""
SMALL = 1 << 16
"""Bytes in a chunk below which the next one gathers in the socket: waking up for each message costs more than it.
So the socket is left alone until the chunk is durable, and then read after each of `NAPS`."""
NAPS = 2
WINDOW, STALLS, HURRIED = 8, 3, 32
"""Brokers send so many messages (10, 20, 32) and then wait for PUBACKs. Where `STALLS` chunks running, of at least
`WINDOW` messages, had stopped growing before their wait was over, the next `HURRIED` do not wait."""
SUSPICIOUS = 3
"""Short sessions in a row that look like a second client with our id."""


def wall_ms() -> int:
    """Wall clock, ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


class MqttSession:
    """An `Intake` on paho-mqtt. One event loop; `run` in one task, `chunks` in one other."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        filters: Sequence[str],
        *,
        seen: int = 0,
        keepalive: int = 30,
        limit_bytes: int = LIMIT_BYTES,
        now: Callable[[], int] = wall_ms,
    ) -> None:
        """`seen`: receive time of the newest record in the log, ms; 0 if this client id was never connected."""
        self.state = SessionState(str(broker), since=now(), last_heard=seen)
        self._broker, self._client_id, self._filters = broker, client_id, tuple(filters)
        self._keepalive, self._now = keepalive, now
        self._backlog = Backlog(limit_bytes)
        self._connection: Connection | None = None
        self._generation = 0
        self._known = seen > 0  # the broker should have a session of ours
        self._doubt = ""  # why the broker may have lost messages since the last connection
        self._level, self._only_3 = 5, False
        kernels.start()

    # --- the seam ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hold the session until cancelled."""
        backoff = Backoff()
        try:
            while True:
                stood = await self._one()
                await asyncio.sleep(backoff.after(stood))
        finally:
            if self._connection is not None:
                self._connection.close()

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Chunks as they come, without end."""
        due, hurried, stalls, small = 0.0, 0, 0, True
        while True:
            if self._connection is not None:
                self._connection.look()  # what came while a chunk was made durable
                if not self._backlog.bytes:
                    self._connection.wake()
            await self._backlog.wait()
            early, growing = due - time.monotonic(), True
            if early > 0 and not hurried:
                growing = await (self._rest(early) if small else self._backlog.gather(early))
            due = time.monotonic() + LINGER_S
            batch = self._backlog.take()
            small = batch.size < SMALL
            if early > LINGER_S / 2 and not hurried:
                stalls = 0 if growing or batch.count < WINDOW else stalls + 1
            hurried = HURRIED if stalls >= STALLS and not hurried else max(hurried - 1, 0)
            self.state.last_heard = self._now()
            if self._connection is not None and not self._backlog.full:
                self._connection.resume()
                self.state.paused = False
                if small and early > 0 and not hurried:
                    self._connection.rest()
                else:
                    self._connection.wake()
            yield Chunk(
                frames=b"".join(batch.blocks),
                mqtt=batch.level,
                count=batch.count,
                generation=batch.generation,
                acknowledge=partial(self._acknowledge, batch.generation, b"".join(batch.acks)),
            )

    async def _rest(self, seconds: float) -> bool:
        """Wait for more while the socket gathers by itself, read now and then. Whether more came to the last."""
        before, connection = 0, self._connection
        if connection is not None:
            connection.rest()
        for _ in range(NAPS):
            before = self._backlog.bytes
            await asyncio.sleep(seconds / NAPS)
            if self._connection is not None:
                self._connection.look()
        return self._backlog.bytes > before

    def _acknowledge(self, generation: int, acks: bytes) -> bool:
        # Packet ids mean something within their connection only: late PUBACKs would confirm other messages.
        if self._connection is None or generation != self._generation:
            return False
        return self._connection.acknowledge(acks)

    # --- connections ---------------------------------------------------------------------------

    async def _one(self) -> float:
        """One attempt and, if it succeeds, one connection; how many seconds it stood."""
        self._generation += 1
        connection = self._connection = Connection(
            self._broker,
            self._client_id,
            level=self._level,
            filters=self._filters,
            keepalive=self._keepalive,
            arrived=self._arrived,
            left=lambda: self._backlog.left,
            refused=self._refused,
        )
        try:
            await connection.open()
        except ConnectFailed as failure:
            self._failed(failure)
            return 0.0
        began = time.monotonic()
        self._opened(connection)
        ending = await connection.ended()
        stood = time.monotonic() - began
        self._ended(ending, stood, time.monotonic() - connection.heard)
        return stood

    def _failed(self, failure: ConnectFailed) -> None:
        state = self.state
        state.cause, state.mend = failure.cause, failure.mend
        if failure.kind == "version" and self._level == 5:
            self._level, self._only_3 = 4, True
        elif failure.kind == "silent" and not self._only_3:
            self._level = 9 - self._level  # an old broker may just hang up on MQTT 5: try 3.1.1 once, then 5 again
        if failure.kind == "down" and self._known:
            self._doubt = "broker-restart"

    def _opened(self, connection: Connection) -> None:
        state, now = self.state, self._now()
        lost = self._doubt if connection.session_present else "session-lost" if self._known else ""
        if lost:
            state.lost(Loss(state.last_heard, now, lost))
        if state.protocol:
            state.reconnects += 1
        self._known, self._doubt = True, ""
        state.connected, state.since, state.cause, state.mend = True, now, "", ""
        state.session_present = connection.session_present
        state.protocol = "MQTT 5" if connection.level == 5 else "MQTT 3.1.1"
        if self._backlog.full:  # of an earlier connection
            self._pause()

    def _ended(self, ending: Ending, stood: float, silent: float) -> None:
        state, now = self.state, self._now()
        state.connected, state.since, state.cause, state.paused = False, now, ending.cause, False
        state.last_heard = now - int(silent * 1000)
        # A broker that closes may have restarted with a queue that is older than our PUBACKs; one that fell
        # silent had no reason to forget anything, unless it also turns out to have been down.
        self._doubt = {"closed": "connection-closed", "shutting-down": "broker-restart"}.get(ending.kind, "")
        if stood >= STABLE_S or ending.kind in ("silent", "shutting-down"):
            state.short_sessions = 0
        else:
            state.short_sessions += 1
        state.takeover = ending.kind == "taken-over" or state.short_sessions >= SUSPICIOUS
        state.mend = "stop the other client, or give it another data folder" if state.takeover else ""
        if not self._only_3:
            self._level = 5

    # --- messages ------------------------------------------------------------------------------

    def _arrived(self, frames: Frames) -> None:
        state = self.state
        state.messages += frames.messages
        state.bytes += len(frames.block)
        state.unguaranteed += frames.messages - len(frames.acks) // 4
        self._backlog.put(self._generation, self._level, frames)
        if self._backlog.full:
            self._pause()

    def _pause(self) -> None:
        if self._connection is not None:
            self._connection.pause()
            self.state.paused = True

    def _refused(self, filters: list[str]) -> None:
        self.state.refused = filters
