"""One connection to the broker, from dialling to its end. paho speaks MQTT; the event loop drives paho.

paho runs on the event loop through its external-loop calls (`loop_read`, `loop_write`, `loop_misc`), not in a
thread of its own: reading can then be paused by leaving the socket alone, an acknowledgement needs no lock, and
everything that belongs to a connection happens in one thread. Only dialling (DNS, TCP, TLS) blocks, so that
runs in a thread.

Three of paho's own names are used (`_topic`, `_ping_t`, `_packet_queue`), each where its public face cannot say
what is needed; pyproject.toml holds paho below 3.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from devices.broker import Broker
from ingest.session.failures import DIAL_S, ConnectFailed, dialling_failed, hung_up, refused_by
from ingest.session.frames import PUBACK, encode, pubacks

SLICE_S = 0.005  # of reading in one go: what else runs on the loop waits no longer
ANSWER_S = 10.0  # for the CONNACK
SILENCE = 1.4  # × keep-alive without a byte is a dead link; paho asks at 1.0, and alone would give up at 2.0
_NO_PROPERTIES = vars(Properties(PacketTypes.PUBLISH)).keys()  # type: ignore[no-untyped-call] # paho's, untyped
EXPIRY_S = 30 * 86_400  # how long the broker keeps our session and queue while we are away


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended."""

    kind: Literal["closed", "silent", "taken-over", "shutting-down", "ours"]
    cause: str


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
        arrived: Callable[[bytes, int], None],
        refused: Callable[[list[str]], None],
    ) -> None:
        """`arrived(frame, packet id)` is called for each message, `refused(filters)` for the broker's SUBACK."""
        self.broker, self.level = broker, level
        self.heard = time.monotonic()
        self.paused = False
        self.session_present = False
        self.over: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._filters, self._keepalive = list(filters), keepalive
        self._arrived, self._refused = arrived, refused
        self._answer: asyncio.Future[Any] = self._loop.create_future()
        self._messages = 0
        self._fd = -1
        self._ours: Ending | None = None  # set where the end is our decision
        self._client = self._prepare(client_id)

    # --- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Dial, connect, subscribe. Raises ConnectFailed."""
        dialling = self._loop.run_in_executor(None, self._dial)
        try:
            await asyncio.shield(dialling)
        except asyncio.CancelledError:
            dialling.add_done_callback(self._abandon)  # the thread cannot be stopped; its socket must not leak
            raise
        except (OSError, ValueError) as failure:
            raise dialling_failed(failure) from None
        sock = self._client.socket()
        if sock is None:
            raise ConnectFailed("the broker closed the connection at once", kind="silent")
        self._fd = sock.fileno()
        self.heard = time.monotonic()
        self._loop.add_reader(self._fd, self._readable)
        self._flush()
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
        self._client.disconnect()
        self._flush()
        if sock := self._client.socket():  # the goodbye did not go out at once
            self._forget(sock)
            sock.close()
        self._end(self._ours)

    # --- reading -------------------------------------------------------------------------------

    def pause(self) -> None:
        """Leave the socket alone: TCP then holds the broker back."""
        if not self.paused and self._fd >= 0:
            self.paused = True
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Read again."""
        if self.paused and self._fd >= 0:
            self.paused = False
            self.heard = time.monotonic()
            self._loop.add_reader(self._fd, self._readable)
            self._loop.call_soon(self._readable)  # TLS may hold bytes that the socket no longer announces

    def _readable(self) -> None:
        """Take packets until there is no whole one, it takes too long, or reading is paused."""
        if self._fd < 0 or self.paused:
            return
        before_this, self.heard = self.heard, time.monotonic()
        until = self.heard + SLICE_S
        try:
            while True:
                before = self._messages
                self._client.loop_read()
                if self._messages == before or self.paused or self._fd < 0:
                    break
                if time.monotonic() > until:
                    break
        except Exception as failure:  # noqa: BLE001 - a strange broker may end its connection, never the service
            self._drop(Ending("closed", f"the broker sent something that cannot be read: {failure!r}"))
        if self.over.done():
            self.heard = before_this  # what made the socket readable was its end
        self._flush()
        sock = self._client.socket()
        if isinstance(sock, ssl.SSLSocket) and self._fd >= 0 and sock.pending() and not self.paused:
            self._loop.call_soon(self._readable)

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._messages += 1
        packed = b"\x00"
        properties: Any = message.properties  # paho leaves its Properties untyped
        if properties is not None and vars(properties).keys() != _NO_PROPERTIES:  # isEmpty() takes 4 µs a message
            packed = properties.pack()
        frame = encode(
            message._topic,  # noqa: SLF001 - the bytes as sent; `.topic` raises where they are not UTF-8
            bytes(message.payload),
            level=self.level,
            qos=message.qos,
            retain=message.retain,
            dup=message.dup,
            mid=message.mid,
            properties=packed,
        )
        self._arrived(frame, message.mid if message.qos else 0)

    # --- writing -------------------------------------------------------------------------------

    def acknowledge(self, mids: array[int]) -> bool:
        """All PUBACKs in one piece, in this order; False if the connection is over."""
        if self.over.done() or self._fd < 0:
            return False
        if mids:
            # paho's ack() queues and sends each PUBACK alone: one system call a message instead of one a chunk
            self._client._packet_queue(PUBACK, pubacks(mids), 0, 0)  # noqa: SLF001 - see the line above
            self._flush()
        return not self.over.done()

    def _flush(self) -> None:
        """Send what is waiting; the loop calls again when the socket takes more."""
        if self._client.want_write():
            self._client.loop_write()
        if self._fd >= 0:
            if self._client.want_write():
                self._loop.add_writer(self._fd, self._flush)
            else:
                self._loop.remove_writer(self._fd)

    def _tend(self) -> None:
        """Ping when it is time, and notice a dead link."""
        if self.over.done():
            return
        if self.paused:
            # Reading is stopped on purpose: a PINGRESP that cannot be seen is not missing. Pings still go out.
            self._client._ping_t = 0.0  # noqa: SLF001 - paho has no way to say so
        elif time.monotonic() - self.heard > SILENCE * self._client.keepalive:
            self._drop(Ending("silent", f"no sign of the broker for {SILENCE * self._client.keepalive:g} s"))
            return
        self._client.loop_misc()
        self._flush()

    # --- paho's callbacks ----------------------------------------------------------------------

    def _prepare(self, client_id: str) -> Client:
        five = self.level == 5
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            clean_session=None if five else False,
            reconnect_on_failure=False,  # else paho would fall back to MQTT 3.1 by itself
            manual_ack=True,
        )
        client.connect_timeout = DIAL_S
        if self.broker.username is not None:
            client.username_pw_set(self.broker.username, self.broker.password)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        client.on_disconnect = self._disconnected
        client.on_socket_close = lambda _client, _userdata, sock: self._forget(sock)
        return client

    def _dial(self) -> None:
        """Blocking: DNS, TCP, TLS, CONNECT. Raises OSError, ValueError."""
        broker, client = self.broker, self._client
        if broker.tls:
            ca, cert, key = (str(file) if file else None for file in (broker.ca, broker.cert, broker.key))
            client.tls_set(ca_certs=ca, certfile=cert, keyfile=key)
        if self.level != 5:
            client.connect(broker.host, broker.port, self._keepalive)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's, untyped
        properties.SessionExpiryInterval = EXPIRY_S
        properties.ReceiveMaximum = 65_535  # lifts the broker's default of 20 in flight; memory is bounded by bytes
        client.connect(broker.host, broker.port, self._keepalive, clean_start=False, properties=properties)

    def _connected(
        self, client: Client, _userdata: Any, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self.session_present = flags.session_present
        if not reason.is_failure:  # on every connect: the broker may have lost the subscription with the session
            options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            if self.level == 5:
                client.subscribe([(name, options) for name in self._filters])
            else:
                client.subscribe([(name, 1) for name in self._filters])
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
        if reason == "Keep alive timeout" and not flags.is_disconnect_packet_from_server:
            # paho's own watch over pings may end a dead link before ours does: nobody closed it
            self._end(self._ours or Ending("silent", f"no answer to a ping for {self._client.keepalive} s"))
        elif not flags.is_disconnect_packet_from_server:
            self._end(self._ours or Ending("closed", "the connection was closed"))
        elif reason == "Session taken over":
            self._end(Ending("taken-over", "another client connected with the same client id"))
        elif reason == "Server shutting down":
            self._end(Ending("shutting-down", "the broker is shutting down"))
        else:
            self._end(Ending("closed", f"the broker ended the connection: {reason}"))

    # --- ending --------------------------------------------------------------------------------

    def _drop(self, ending: Ending) -> None:
        """End a link that may not even take a goodbye."""
        self._ours = ending
        if sock := self._client.socket():
            self._forget(sock)
            sock.close()
        self._end(ending)

    def _end(self, ending: Ending) -> None:
        if not self.over.done():  # paho may tell it twice
            self.over.set_result(ending)

    def _forget(self, _sock: Any) -> None:
        """The loop must let go of a socket before it is closed: its number may be given to the next one."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = -1

    def _abandon(self, dialling: asyncio.Future[None]) -> None:
        if not dialling.cancelled() and dialling.exception() is None and (sock := self._client.socket()):
            sock.close()
