"""Scores and alarms out over MQTT: one retained message a scope, when it changed, at most one a second.

A retained QoS 0 publish through aiomqtt costs about 130 µs, so a scope's scores travel together.
Nothing is queued: on reconnect everything that is true now is sent again.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from hashlib import blake2b

import aiomqtt
import structlog

from devices.broker import Broker
from greengauge.live import Live
from greengauge.outputs.retained import Retained, alarm_topic, score_topic
from greengauge.outputs.texts import Texts
from greengauge.outputs.turns import Turns

log = structlog.get_logger()

STATUS_TOPIC = "greengauge/status"


class MqttOut:
    """The publishing connection; the intake has its own."""

    def __init__(
        self, live: Live, connect: Callable[[aiomqtt.Will], aiomqtt.Client], version: str, retained: Retained
    ) -> None:
        self._live, self._connect, self._version, self._retained = live, connect, version, retained
        self._texts = Texts(live)
        self.since = int(time.time() * 1000)

    async def run(self) -> None:
        """Publish until cancelled; a lost broker is tried again with back-off and jitter."""
        pause = 0.5
        while True:
            try:
                async with self._connect(
                    aiomqtt.Will(STATUS_TOPIC, self._status("offline"), qos=1, retain=True)
                ) as client:
                    pause = 0.5
                    await _publish(client, STATUS_TOPIC, self._status("online"), qos=1)
                    await self._clear(client)
                    self._live.put_system("outputs", {"state": "ok", "text": "MQTT ok"})
                    try:
                        await self._publish(client)
                    finally:
                        await _farewell(client, self._status("offline"))
            except aiomqtt.MqttError as failure:
                self._live.put_system("outputs", {"state": "down", "text": f"MQTT: {failure}"})
                await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - jitter, no secret
                pause = min(30.0, pause * 2)

    async def _clear(self, client: aiomqtt.Client) -> None:
        """Take away what an earlier registry left at the broker."""
        for topic in self._retained.gone:
            await _publish(client, topic, b"", qos=1)
        if self._retained.gone:
            log.info("outputs.cleared", topics=len(self._retained.gone))
            await asyncio.to_thread(self._retained.cleared)

    async def _publish(self, client: aiomqtt.Client) -> None:
        """Alarms at once; a scope's scores in its turn. News is looked for between any few scopes: no quiet line waits
        for a hundred busy ones.
        """
        seq = 0
        sent: dict[str, bytes] = {}
        turns = Turns()
        while True:
            if self._live.seq > seq:
                scopes, alarms = self._live.changed(seq)
                seq = self._live.seq
                turns.news(scopes)
                for alarm in alarms:
                    payload = json.dumps(alarm.to_json(), separators=(",", ":"), allow_nan=False).encode()
                    await self._send(client, sent, alarm_topic(alarm.scope, alarm.id), payload)
            if due := turns.take(time.monotonic()):
                now = self._now()
                sending = (self._send(client, sent, score_topic(s), self._texts.of(s, now)) for s in due)
                await asyncio.gather(*(asyncio.create_task(one, name="mqtt-out: a scope") for one in sending))
                continue
            try:
                async with asyncio.timeout(turns.rest(time.monotonic())):
                    await self._live.wait(seq)
            except TimeoutError:
                continue

    def _now(self) -> int:
        # With `history` the readings' own times are the clock: ages against the wall would be years.
        return self._live.clock if self._live.plant.intake.history else int(time.time() * 1000)

    async def _send(self, client: aiomqtt.Client, sent: dict[str, bytes], topic: str, payload: bytes) -> None:
        told = blake2b(payload, digest_size=16).digest()  # the payloads of a large plant are a hundred megabytes
        if sent.get(topic) != told:
            sent[topic] = told
            await _publish(client, topic, payload, qos=0)

    def _status(self, state: str) -> bytes:
        return json.dumps({"state": state, "since": self.since, "version": self._version}).encode()


async def _publish(client: aiomqtt.Client, topic: str, payload: bytes, qos: int) -> None:
    """A retained message. aiomqtt waits with `asyncio.wait_for`, which in Python 3.11 loses a cancellation that
    comes with the answer: it is found again here, or we would never end.
    """
    await client.publish(topic, payload, qos=qos, retain=True)
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _farewell(client: aiomqtt.Client, payload: bytes) -> None:
    """A clean disconnect sends no will, so say it ourselves; a dead link says it for us."""
    try:
        async with asyncio.timeout(0.5):
            await client.publish(STATUS_TOPIC, payload, qos=1, retain=True)
    except (aiomqtt.MqttError, TimeoutError):
        log.debug("outputs.farewell_not_sent")


def connector(broker: Broker, client_id: str) -> Callable[[aiomqtt.Will], aiomqtt.Client]:
    """A function that makes a client of `broker` with a will; one client serves one connection."""
    ca, cert, key = (str(file) if file else None for file in (broker.ca, broker.cert, broker.key))
    tls = aiomqtt.TLSParameters(ca_certs=ca, certfile=cert, keyfile=key) if broker.tls else None

    def connect(will: aiomqtt.Will) -> aiomqtt.Client:
        return aiomqtt.Client(
            hostname=broker.host,
            port=broker.port,
            username=broker.username,
            password=broker.password,
            identifier=client_id,
            will=will,
            tls_params=tls,
            timeout=5,
        )

    return connect
