"""One connection to the broker, from dialling to its end. paho speaks MQTT; the event loop drives paho and the wire.

paho runs on the event loop through its external-loop calls (`loop_read`, `loop_misc`), not in a thread of its own:
reading can then be paused by leaving the socket alone, an acknowledgement needs no lock, and everything that belongs
to a connection happens in one thread. Only dialling (DNS, TCP, TLS) blocks, so that runs in a thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.broker import Broker
from ingest.session.dialling import dial, made, subscribe
from ingest.session.ending import Ending, ended_by
from ingest.session.failures import ConnectFailed, dialling_failed, hung_up, refused_by
from ingest.session.stream import ROOM, Frames, Malformed
from ingest.session.wire import CLOGGED, Wire, WireClient

SLICE_S = 0.005  # of reading in one go: what else runs on the loop waits no longer
ANSWER_S = 10.0  # for the CONNACK
SILENCE = 1.4  # × keep-alive without a byte is a dead link; paho asks at 1.0
LEAST = 512  # bytes read at once, however full the backlog is: a message larger than what is left must come through


class Connection:
    """One connection. Everything but dialling runs on the event loop."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        *,
        level: int,
        filters: Sequence[str],
        keepalive: int,
        arrived: Callable[[Frames], None],
        left: Callable[[], int],
        refused: Callable[[list[str]], None],
    ) -> None:
        """`arrived(frames)` is called for messages, `left()` tells how many bytes of them may still come before it has
        reading paused, `refused(filters)` is called for the broker's SUBACK.
        """
        self.broker, self.level = broker, level
        self.paused = self._resting = False
        self.session_present = False
        self.over: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._filters, self._keepalive = list(filters), keepalive
        self._arrived, self._left, self._refused = arrived, left, refused
        self._answer: asyncio.Future[Any] = self._loop.create_future()
        self._wire: Wire | None = None  # from dialling on, also when it is closed
        self._fd = -1  # of the open socket
        self._reading = self._writing = False  # what the loop watches it for
        self._resumed = 0.0  # when reading began again after a pause
        self._ours: Ending | None = None  # set where the end is our decision
        self._client = self._prepare(client_id)

    # --- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Dial, connect, subscribe. Raises ConnectFailed."""
        dialling = self._loop.run_in_executor(
            None, lambda: dial(self._client, self.broker, level=self.level, keepalive=self._keepalive)
        )
        try:
            await asyncio.shield(dialling)
        except asyncio.CancelledError:
            dialling.add_done_callback(self._abandon)  # the thread cannot be stopped; its socket must not leak
            raise
        except (OSError, ValueError) as failure:
            raise dialling_failed(failure) from None
        wire = self._wire = self._client.wire
        if wire is None:
            raise ConnectFailed("the broker closed the connection at once", kind="silent")
        self._fd = wire.fileno()
        self._resumed = time.monotonic()
        self._watch()
        self._loop.call_soon(self._readable)  # TLS may have read on while it shook hands
        try:
            async with asyncio.timeout(ANSWER_S):
                await asyncio.wait({self._answer, self.over}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self.close()
            raise ConnectFailed(f"the broker did not answer within {ANSWER_S:g} s", kind="silent") from None
        if not self._answer.done():
            raise hung_up(tls=self.broker.tls)
        reason: ReasonCode = self._answer.result()
        if reason.is_failure:
            self.close()
            raise refused_by(reason)

    async def ended(self) -> Ending:
        """Keep the link alive until it ends."""
        while not self.over.done():
            await asyncio.wait([self.over], timeout=min(1.0, self._client.keepalive / 20))
            self._tend()
        ending: Ending = self.over.result()
        return ending

    def close(self) -> None:
        """Say goodbye if the link takes it, and close. The broker keeps the session."""
        self._ours = Ending("ours", "closed by us")
        self._client.disconnect()  # paho closes the wire as soon as it has taken the goodbye
        self._drop(self._ours)

    @property
    def heard(self) -> float:
        """When the last bytes came, by the monotonic clock."""
        return self._wire.heard if self._wire is not None else time.monotonic()

    # --- reading -------------------------------------------------------------------------------

    def pause(self) -> None:
        """Leave the socket alone: TCP then holds the broker back."""
        self.paused = True
        self._watch()

    def resume(self) -> None:
        """Read again."""
        if self.paused:
            self.paused, self._resumed = False, time.monotonic()
            self._watch()
            self._loop.call_soon(self._readable)  # TLS may hold bytes that the socket no longer announces

    def rest(self) -> None:
        """Have the loop leave the socket alone: what comes is read in one go, when somebody `look`s."""
        self._resting = True
        self._watch()

    def look(self) -> None:
        """Read what came while we rest."""
        if self._resting:
            self._readable()

    def wake(self) -> None:
        """Read what came while we rested, and go on."""
        if self._resting:
            self._resting = False
            self._readable()

    def _readable(self) -> None:
        """Take what there is until it takes too long, or reading is paused."""
        until = time.monotonic() + SLICE_S
        while (wire := self._wire) is not None and self._watch():
            heard = wire.heard
            most = min(ROOM, max(self._left(), LEAST))
            size = wire.receive(most)
            if size:
                self._take(wire)
            if wire.unread:
                self._serve_paho(wire)
            if self.over.done():
                wire.heard = heard  # its goodbye is no sign of life
            if size == 0 or (size < most and not wire.tls):
                break
            if time.monotonic() > until:
                if wire.pending():
                    self._loop.call_soon(self._readable)
                break
        self._watch()

    def _take(self, wire: Wire) -> None:
        """Hand on the packets that have arrived: messages up, the rest to paho, in the order they came."""
        try:
            for item in wire.stream.packets():
                if isinstance(item, Frames):
                    self._arrived(item)
                else:
                    wire.give(item)
                    self._serve_paho(wire)
                if self.over.done():
                    return
        except Malformed as failure:
            self._drop(Ending("closed", str(failure)))

    def _serve_paho(self, wire: Wire) -> None:
        """Let paho read what is there for it."""
        try:
            while wire.unread and not self.over.done() and self._client.wire is wire:
                self._client.loop_read()
            if self._client.want_write():  # what its callbacks sent
                self._client.loop_write()
        except Exception as failure:  # noqa: BLE001 - a strange broker may end its connection, never the service
            self._drop(Ending("closed", f"the broker sent something that cannot be read: {failure!r}"))

    # --- writing -------------------------------------------------------------------------------

    def acknowledge(self, acks: bytes) -> bool:
        """Send PUBACKs in one piece; False if the connection is over."""
        wire = self._wire
        if wire is None or self.over.done():
            return False
        wire.put(acks)
        self._watch()
        return not wire.over

    def _writable(self) -> None:
        if self._wire is not None:
            self._wire.flush()
            self._readable()  # TLS may have waited to write before it could read

    def _watch(self) -> bool:
        """Have the loop watch the socket for what is wanted now, unless we rest; whether it may be read."""
        wire = self._wire
        if wire is None or self._fd < 0 or self.over.done():
            return False
        reading = not self.paused and wire.unsent < CLOGGED
        if (watching := reading and not self._resting) != self._reading:
            self._reading = watching
            if watching:
                self._loop.add_reader(self._fd, self._readable)
            else:
                self._loop.remove_reader(self._fd)
        writing = wire.unsent > 0 or (reading and wire.read_waits)  # while nobody reads, that would spin
        if writing != self._writing:
            self._writing = writing
            if writing:
                self._loop.add_writer(self._fd, self._writable)
            else:
                self._loop.remove_writer(self._fd)
        return reading

    def _tend(self) -> None:
        """Ping when it is time, and notice a dead link: none of its bytes came while we read, or went while we sent."""
        wire = self._wire
        if wire is None or self.over.done():
            return
        passed = max(wire.heard, wire.sent if wire.unsent else 0.0, self._resumed)
        if not self.paused and time.monotonic() - passed > SILENCE * self._client.keepalive:
            self._drop(Ending("silent", f"no sign of the broker for {SILENCE * self._client.keepalive:g} s"))
            return
        self._client.loop_misc()
        if wire.unread:
            self._serve_paho(wire)
        if self._resting:  # while a chunk cannot be made durable: whether the link is alive shows in what comes
            self._readable()
        self._watch()

    # --- paho's callbacks ----------------------------------------------------------------------

    def _prepare(self, client_id: str) -> WireClient:
        client = made(self.broker, client_id, level=self.level)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_socket_close = lambda _client, _userdata, sock: self._forget(sock)
        return client

    def _connected(
        self, client: Client, _userdata: Any, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self.session_present = flags.session_present
        if not reason.is_failure:  # on every connect: the broker may have lost the subscription with the session
            subscribe(client, self._filters, level=self.level)
        if not self._answer.done():
            self._answer.set_result(reason)

    def _subscribed(
        self, _client: Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._refused([name for name, reason in zip(self._filters, reasons, strict=False) if reason.is_failure])

    def _disconnected(
        self,
        _client: Client,
        _userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        told = ended_by(reason, flags.is_disconnect_packet_from_server, self._client.keepalive)
        self._end(told if flags.is_disconnect_packet_from_server else self._ours or told)

    # --- ending --------------------------------------------------------------------------------

    def _drop(self, ending: Ending) -> None:
        """End a link that may not even take a goodbye."""
        self._ours = ending
        if wire := self._client.wire:
            self._forget(wire)
            wire.close()
        self._end(ending)

    def _end(self, ending: Ending) -> None:
        if not self.over.done():  # paho may tell it twice
            self.over.set_result(ending)

    def _forget(self, _sock: Any) -> None:
        """The loop must let go of a socket before it is closed: its number may be given to the next one."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd, self._reading, self._writing = -1, False, False

    def _abandon(self, dialling: asyncio.Future[None]) -> None:
        if not dialling.cancelled() and dialling.exception() is None and (sock := self._client.socket()):
            sock.close()
