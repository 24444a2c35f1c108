"""The session against a real mosquitto: cuts, restarts, black holes, back-pressure, takeover, TLS."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from ingest.clock import Clock
from ingest.intake import Intaker
from ingest.log import Log
from ingest.session import Broker, MqttSession, client_id
from ingest.session.frames import split
from tests.system.ledger import Ledger, logged
from tests.system.mosquitto import DEFAULT, Mosquitto, free_port, need
from tests.system.proxy import Proxy
from tests.waiting import until

pytestmark = pytest.mark.system


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.stop()


@asynccontextmanager
async def intake(folder: Path, url: str, **options: int) -> AsyncIterator[Intaker]:
    """The whole intake on a data folder."""
    log = Log(folder / "log")
    session = MqttSession(Broker.parse(url), client_id(folder), ["plant/#"], seen=log.received, **options)
    intaker = Intaker(log, session, 1, Clock())
    task = asyncio.create_task(intaker.run(), name="intake")
    try:
        yield intaker
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        log.close()


async def connected(intaker: Intaker, within: float = 15.0) -> None:
    await until(lambda: intaker.session.state.connected, within)


async def publish(port: int, numbers: range, *, size: int = 0) -> None:
    """Publish numbers at QoS 1 with mosquitto_pub and wait for its PUBACKs."""
    command = [need("mosquitto_pub"), "-p", str(port), "-q", "1", "-t", "plant/ledger", "-l"]
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
    await process.communicate(b"".join(b"%d" % n + b" " * size + b"\n" for n in numbers))
    assert process.returncode == 0


@pytest.mark.fault(10)
async def test_swallowed_pubacks_and_a_cut_lose_nothing(broker: Mosquitto, tmp_path: Path) -> None:
    """What was logged but whose PUBACK never arrived comes again as DUP; afterwards the broker has nothing left."""
    async with Proxy(broker.port) as proxy:
        async with intake(tmp_path / "data", proxy.url) as intaker:
            await connected(intaker)
            proxy.swallow_pubacks = True
            await publish(broker.port, range(300))
            await until(lambda: proxy.swallowed >= 300)
            proxy.swallow_pubacks = False
            proxy.cut()
            await until(lambda: intaker.state.frames >= 600)
            assert intaker.session.state.session_present
            assert intaker.session.state.reconnects == 1
            await publish(broker.port, range(300, 400))
            await until(lambda: intaker.state.frames >= 700)
        found = logged(tmp_path / "data" / "log")
        assert found == Counter({n: 2 if n < 300 else 1 for n in range(400)})
        async with intake(tmp_path / "data", proxy.url) as intaker:
            await connected(intaker)
            await asyncio.sleep(0.3)
            assert intaker.session.state.messages == 0


async def test_a_late_acknowledgement_is_not_sent_over_the_next_connection(broker: Mosquitto, tmp_path: Path) -> None:
    """Packet ids belong to a connection: a chunk of the one before answers False and confirms nothing."""
    async with Proxy(broker.port) as proxy:
        session = MqttSession(Broker.parse(proxy.url), "late", ["plant/#"])
        running = asyncio.create_task(session.run(), name="session")
        await until(lambda: session.state.connected)
        await publish(broker.port, range(1))
        chunks = session.chunks()
        first = await anext(chunks)
        proxy.cut()
        await until(lambda: session.state.reconnects == 1)
        assert not first.acknowledge()
        again = await anext(chunks)
        (frame,) = split(again.frames, again.mqtt)
        assert (bytes(frame.payload), frame.dup) == (b"0", True)
        assert again.acknowledge()
        running.cancel()
        await asyncio.wait([running])


@pytest.mark.parametrize(
    ("how", "config", "cause"),
    [
        (signal.SIGTERM, DEFAULT, "broker-restart"),
        (signal.SIGKILL, DEFAULT, "broker-restart"),
        (signal.SIGTERM, "allow_anonymous true", "session-lost"),
    ],
)
@pytest.mark.fault(9)
async def test_a_broker_restart_is_survived_and_reported(
    tmp_path: Path, how: signal.Signals, config: str, cause: str
) -> None:
    """After a restart messages flow again, resubscribed where needed, and the interval of possible loss is told."""
    broker = Mosquitto(tmp_path / "broker", config).start()
    try:
        async with intake(tmp_path / "data", broker.url) as intaker:
            state = intaker.session.state
            await connected(intaker)
            await publish(broker.port, range(10))
            await until(lambda: intaker.state.acknowledged == 10)
            await asyncio.sleep(2.5)  # mosquitto saves its sessions once a second
            before = Clock().now()
            broker.stop(how)
            await until(lambda: not state.connected)
            await asyncio.sleep(0.6)
            assert state.cause
            assert state.mend
            broker.start()
            await connected(intaker)
            after = Clock().now()
            (loss,) = state.losses
            assert loss.cause == cause
            assert before - 3000 <= loss.start <= before <= loss.end <= after
            await until(lambda: not state.refused)
            await publish(broker.port, range(10, 20))
            await until(lambda: intaker.state.acknowledged >= 20)
    finally:
        broker.stop()


async def test_no_broker_is_a_state_not_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing listens: the state says so with a mend, attempts go on quietly, and it connects once there is one."""
    broker = Mosquitto(tmp_path / "broker")
    async with intake(tmp_path / "data", broker.url) as intaker:
        state = intaker.session.state
        await asyncio.sleep(1.0)
        assert not state.connected
        assert "nothing listens" in state.text
        assert state.mend
        broker.start()
        await connected(intaker)
        assert not state.losses
        assert not caplog.records
    broker.stop()


async def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    """A refused CONNECT becomes words and a mend, not a traceback."""
    broker = Mosquitto(tmp_path / "broker", "allow_anonymous false").start()
    async with intake(tmp_path / "data", broker.url) as intaker:
        await until(lambda: "refuses us" in intaker.session.state.text)
        assert intaker.session.state.mend
    broker.stop()


@pytest.mark.fault(10)
async def test_back_pressure_for_three_keep_alives_keeps_the_link(broker: Mosquitto, tmp_path: Path) -> None:
    """Nobody takes chunks for 3 × keep-alive: memory stops growing, the link stands, then everything comes."""
    session = MqttSession(Broker.parse(broker.url), "pressed", ["plant/#"], keepalive=2, limit_bytes=50_000)
    running = asyncio.create_task(session.run(), name="session")
    await until(lambda: session.state.connected)
    await publish(broker.port, range(3000), size=200)
    await until(lambda: session.state.paused)
    await asyncio.sleep(6.5)
    assert session.state.connected
    assert session.state.reconnects == 0
    assert session.state.bytes < 51_000
    found: Counter[int] = Counter()
    async with asyncio.timeout(20):
        async for chunk in session.chunks():
            assert len(chunk.frames) < 51_000
            found.update(int(bytes(frame.payload)) for frame in split(chunk.frames, chunk.mqtt))
            assert chunk.acknowledge()
            if len(found) == 3000:
                break
    assert set(found.values()) == {1}
    assert session.state.reconnects == 0
    running.cancel()
    await asyncio.wait([running])


async def test_a_quiet_line_stays_up(broker: Mosquitto) -> None:
    """Without a single message for three keep-alives the pings alone keep the link."""
    session = MqttSession(Broker.parse(broker.url), "quiet", ["plant/#"], keepalive=1)
    running = asyncio.create_task(session.run(), name="session")
    await until(lambda: session.state.connected)
    await asyncio.sleep(3.5)
    assert session.state.connected
    assert session.state.reconnects == 0
    running.cancel()
    await asyncio.wait([running])


@pytest.mark.fault(10)
async def test_a_black_hole_is_found_within_one_and_a_half_keep_alives(broker: Mosquitto) -> None:
    """The link stays open and nothing comes: dropped in time, connected again when the network is back."""
    async with Proxy(broker.port) as proxy:
        session = MqttSession(Broker.parse(proxy.url), "hole", ["plant/#"], keepalive=2)
        running = asyncio.create_task(session.run(), name="session")
        await until(lambda: session.state.connected)
        proxy.silent = True
        began = time.monotonic()
        await until(lambda: not session.state.connected)
        assert 2.0 <= time.monotonic() - began <= 1.5 * 2 + 0.3
        assert "no sign of the broker" in session.state.cause
        proxy.silent = False
        await until(lambda: session.state.connected)
        assert session.state.session_present
        assert not session.state.losses
        running.cancel()
        await asyncio.wait([running])


@pytest.mark.fault(9)
async def test_a_second_client_with_our_id_is_suspected(broker: Mosquitto) -> None:
    """Two sessions throw each other out: both say so, and back-off keeps them from fighting many times a second."""
    sessions = [MqttSession(Broker.parse(broker.url), "same", ["plant/#"]) for _ in range(2)]
    running = [asyncio.create_task(session.run(), name="session") for session in sessions]
    await until(lambda: all(session.state.takeover for session in sessions), 20)
    assert all("same client id" in s.state.text or not s.state.connected for s in sessions)
    assert all("stop the other client" in s.state.mend or s.state.connected for s in sessions)
    await asyncio.sleep(3)
    assert sum(session.state.reconnects for session in sessions) < 20
    for task in running:
        task.cancel()
    await asyncio.wait(running)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    options = [*request.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([need("openssl"), *options], check=True, capture_output=True)
    return cert, key


async def test_tls_with_large_messages(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    """mqtts:// with an own CA: bytes that TLS holds back are read too; a stranger's certificate is refused in words."""
    cert, key = certificate
    plain = free_port()
    config = f"certfile {cert}\nkeyfile {key}\nlistener {plain} 127.0.0.1\n{DEFAULT}"
    broker = Mosquitto(tmp_path / "broker", config).start()
    url = broker.url.replace("mqtt://", "mqtts://")
    session = MqttSession(Broker.parse(url, ca=cert), "tls", ["plant/#"])
    stranger = MqttSession(Broker.parse(url), "stranger", ["plant/#"])
    running = [asyncio.create_task(s.run(), name="session") for s in (session, stranger)]
    await until(lambda: session.state.connected)
    await publish(plain, range(200), size=50_000)
    got = 0
    async with asyncio.timeout(30):
        async for chunk in session.chunks():
            got += chunk.count
            assert chunk.acknowledge()
            if got == 200:
                break
    assert session.state.reconnects == 0
    assert "certificate is not accepted" in stranger.state.cause
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    broker.stop()


async def test_a_message_waits_for_nobody_when_it_is_quiet(broker: Mosquitto, tmp_path: Path) -> None:
    """A single message is durable and acknowledged within a few tens of milliseconds of its publishing."""
    async with intake(tmp_path / "data", broker.url) as intaker:
        await connected(intaker)
        ledger = await asyncio.to_thread(Ledger, broker.port, every=0.05)
        worst = 0.0
        for _ in range(20):
            before = intaker.state.acknowledged
            seen = ledger.sent
            await until(lambda seen=seen: ledger.sent > seen)
            began = time.monotonic()
            await until(lambda before=before: intaker.state.acknowledged > before)
            worst = max(worst, time.monotonic() - began)
        await asyncio.to_thread(ledger.finish)
        assert worst < 0.25


async def test_mqtt_5_properties_are_logged(broker: Mosquitto) -> None:
    """A message's properties are in its frame as the broker sent them; the payload is found behind them."""
    session = MqttSession(Broker.parse(broker.url), "properties", ["plant/#"])
    running = asyncio.create_task(session.run(), name="session")
    await until(lambda: session.state.connected)
    await asyncio.sleep(0.1)  # the SUBACK
    options = "-V 5 -q 1 -t plant/x -m 1 -D PUBLISH content-type json -D PUBLISH user-property who me"
    process = await asyncio.create_subprocess_exec(need("mosquitto_pub"), "-p", str(broker.port), *options.split())
    assert await process.wait() == 0
    async with asyncio.timeout(10):
        chunk = await anext(session.chunks())
    (frame,) = split(chunk.frames, 5)
    assert bytes(frame.payload) == b"1"
    assert b"\x03\x00\x04json" in chunk.frames
    assert b"\x26\x00\x03who\x00\x02me" in chunk.frames
    running.cancel()
    await asyncio.wait([running])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.fault(7)
async def test_a_full_disk_stops_acknowledging_and_heals(broker: Mosquitto, small_disk: Path) -> None:
    """No room for a segment: no PUBACK, cursors still move, a cause with a mend; with room again all goes on."""
    log = Log(small_disk / "log", segment_bytes=1 << 20)
    session = MqttSession(Broker.parse(broker.url), "full", ["plant/#"])
    intaker = Intaker(log, session, 1, Clock())
    task = asyncio.create_task(intaker.run(), name="intake")
    await connected(intaker)
    await publish(broker.port, range(10))
    await until(lambda: intaker.state.acknowledged == 10)
    with suppress(OSError), (small_disk / "ballast").open("wb") as ballast:
        while True:
            ballast.write(bytes(1 << 16))
            ballast.flush()
    await publish(broker.port, range(10, 2010), size=1000)
    await until(lambda: intaker.state.failure is not None)
    assert "free space" in str(intaker.state.failure)
    acknowledged = intaker.state.acknowledged
    assert acknowledged < 2010
    log.cursors.set("store", log.durable)
    await asyncio.sleep(1.0)
    assert intaker.state.acknowledged == acknowledged
    assert session.state.connected
    (small_disk / "ballast").unlink()
    await until(lambda: intaker.state.acknowledged == 2010, 10)
    assert intaker.state.failure is None
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    log.close()
    assert logged(small_disk / "log") == Counter(range(2010))
