"""The wire against a real mosquitto: messages too large to hold, MQTT 3.1.1, back-pressure under TLS."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ingest.clock import Clock
from ingest.decode.definition import Decoder
from ingest.intake import Intaker
from ingest.log import Log
from ingest.session import Broker, MqttSession, client_id
from ingest.session.frames import Frame, split
from tests.plants import channel, plant
from tests.system.mosquitto import DEFAULT, Mosquitto, free_port, need
from tests.system.proxy import Proxy
from tests.waiting import until

pytestmark = pytest.mark.system


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.stop()


@contextlib.asynccontextmanager
async def running(session: MqttSession) -> AsyncIterator[MqttSession]:
    task = asyncio.create_task(session.run(), name="session")
    try:
        await until(lambda: session.state.connected, 20)
        await asyncio.sleep(0.2)  # the SUBACK
        yield session
    finally:
        task.cancel()
        await asyncio.wait([task])


async def publish(port: int, lines: bytes, *options: str) -> None:
    command = [need("mosquitto_pub"), "-p", str(port), "-q", "1", "-t", "plant/x", *options]
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
    await process.communicate(lines)
    assert process.returncode == 0


async def frames(session: MqttSession, count: int) -> list[Frame]:
    """Take and acknowledge until there are so many."""
    got: list[Frame] = []
    async with asyncio.timeout(40):
        async for chunk in session.chunks():
            got += split(chunk.frames, chunk.mqtt)
            assert chunk.acknowledge()
            if len(got) >= count:
                return got
    return got


@pytest.mark.parametrize("only_3", [False, True])
async def test_a_huge_message_does_not_come_back(broker: Mosquitto, tmp_path: Path, only_3: bool) -> None:
    """20 MB between two readings: its neighbours are in the log, of it topic, length and beginning, which decoding
    refuses as too large; it is acknowledged, so the next connection does not begin with it.
    """
    huge = tmp_path / "huge"
    huge.write_bytes(b'{"ts": 1, "much": "' + b"x" * 20_000_000 + b'"}')
    async with Proxy(broker.port) as proxy:
        proxy.only_3 = only_3
        data = tmp_path / "data"
        log = Log(data / "log")
        session = MqttSession(Broker.parse(proxy.url), client_id(data), ["plant/#"])
        intaker = Intaker(log, session, 1, Clock())
        task = asyncio.create_task(intaker.run(), name="intake")
        await until(lambda: session.state.connected)
        assert session.state.protocol == ("MQTT 3.1.1" if only_3 else "MQTT 5")
        await asyncio.sleep(0.2)
        await publish(broker.port, b"1\n", "-l")
        await publish(broker.port, b"", "-f", str(huge))
        await publish(broker.port, b"2\n", "-l")
        await until(lambda: intaker.state.acknowledged == 3, 30)
        assert session.state.bytes < 10_000
        proxy.cut()
        await until(lambda: session.state.reconnects == 1)
        await asyncio.sleep(0.5)
        assert session.state.messages == 3
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        records = log.read(0, 1 << 20)
        log.close()
    bodies = [(record.entry.body, record.entry.mqtt) for record in records]
    first, middle, last = (frame for body, mqtt in bodies for frame in split(body, mqtt))
    assert (bytes(first.payload), bytes(last.payload)) == (b"1", b"2")
    assert (middle.topic, middle.size, middle.qos) == (b"plant/x", huge.stat().st_size, 1)
    assert bytes(middle.payload).startswith(b'{"ts": 1, "much": "xxx')
    rejects = Decoder(plant({"x": [channel("a")]}, topics={"x": "plant/x"})).decode(records).rejects
    (reject,) = [one for one in rejects if one.reason == "too-large"]
    assert (reject.topic, reject.size) == ("plant/x", huge.stat().st_size)
    assert "20,000,021 bytes" in reject.cause
    assert len(reject.payload) <= 4096


async def test_an_old_broker_sends_all_in_order(broker: Mosquitto) -> None:
    """MQTT 3.1.1 and mosquitto's window of 20: everything once, in order, and the session outlives a cut."""
    async with Proxy(broker.port) as proxy:
        proxy.only_3 = True
        session = MqttSession(Broker.parse(proxy.url), "old", ["plant/#"])
        async with running(session):
            assert session.state.protocol == "MQTT 3.1.1"
            await publish(broker.port, b"".join(b"%d\n" % n for n in range(2000)), "-l")
            got = await frames(session, 2000)
            assert [int(bytes(frame.payload)) for frame in got] == list(range(2000))
            proxy.cut()
            await until(lambda: session.state.reconnects == 1)
            assert session.state.session_present


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[Mosquitto, int, Path]]:
    """A broker with TLS by a CA of its own, the port without, and the CA's certificate."""
    ca, key, request, cert = (str(tmp_path / name) for name in ("ca.pem", "key.pem", "request.pem", "cert.pem"))
    new = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj"
    extension = tmp_path / "extension"
    extension.write_text("subjectAltName=IP:127.0.0.1")
    for words in (
        [*new.split(), "/CN=plant CA", "-x509", "-days", "2", "-keyout", f"{ca}.key", "-out", ca],
        [*new.split(), "/CN=broker", "-keyout", key, "-out", request],
        f"x509 -req -in {request} -CA {ca} -CAkey {ca}.key -CAcreateserial -extfile {extension} -out {cert}".split(),
    ):
        subprocess.run([need("openssl"), *words], check=True, capture_output=True)
    plain = free_port()
    config = f"certfile {cert}\nkeyfile {key}\nlistener {plain} 127.0.0.1\n{DEFAULT}"
    running = Mosquitto(tmp_path / "broker", config).start()
    yield running, plain, Path(ca)
    running.stop()


async def test_back_pressure_under_tls(secured: tuple[Mosquitto, int, Path]) -> None:
    """Nobody takes chunks for 3 × keep-alive, with bytes waiting inside TLS: the link stands, then everything comes."""
    broker, plain, ca = secured
    url = broker.url.replace("mqtt://", "mqtts://")
    session = MqttSession(Broker.parse(url, ca=ca), "tls", ["plant/#"], keepalive=2, limit_bytes=50_000)
    async with running(session):
        await publish(plain, b"".join(b"%d%s\n" % (n, b" " * 500) for n in range(3000)), "-l")
        await until(lambda: session.state.paused)
        await asyncio.sleep(6.5)
        assert session.state.bytes < 52_000
        got = await frames(session, 3000)
        assert [int(bytes(frame.payload)) for frame in got] == list(range(3000))
        assert session.state.reconnects == 0
        await asyncio.sleep(3)
        assert session.state.reconnects == 0
