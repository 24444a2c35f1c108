"""`feed` against a real broker."""

import json
import socket
import time
from pathlib import Path

import pytest

from devices.errors import EnvironmentFailure
from devices.simulator.feed import feed
from greengauge.broker import EmbeddedBroker
from tests.system.peer import Peer

pytestmark = pytest.mark.system

TOPIC = "plant/acme/wuhu/pyro/k1/m1"
MAP = f"""
meter = "{TOPIC}"
time = {{ start = "2011-01-01T00:00:00Z", every = "1h" }}
[[channel]]
column = "kWh"
channel = "kwh"
"""


def write(folder: Path, count: int) -> tuple[Path, Path]:
    (folder / "map.toml").write_text(MAP)
    (folder / "data.csv").write_text("kWh\n" + "".join(f"{n}.50\n" for n in range(count)))
    return folder / "data.csv", folder / "map.toml"


def test_rows_survive_a_broker_restart_in_order(tmp_path: Path) -> None:
    """Two broker restarts in mid-file: every row arrives, in file order, the close message last."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker = EmbeddedBroker(tmp_path, port=port)
    url = broker.start()
    us = Peer(broker, "gauge", clean=False)
    us.subscribe("plant/#")
    us.client.disconnect()
    file, map_ = write(tmp_path, 20_000)
    asked = 0

    def restart_now_and_then() -> bool:
        nonlocal asked
        asked += 1
        if asked in (4_000, 11_111):
            broker.stop()
            broker.start()
        return False

    try:
        done = feed(file, map_, broker=url, stop=restart_now_and_then)
        assert done.rows == done.messages == 20_000
        again = Peer(broker, "gauge", clean=False)
        seen: dict[bytes, None] = {}
        taken = 0

        def all_here() -> bool:
            nonlocal taken
            fresh = again.got[taken:]
            again.ack(fresh)
            taken += len(fresh)
            seen.update(dict.fromkeys(m.payload for m in fresh))
            return b'{"close": true}' in seen

        assert again.pump(all_here, 30)
        expected = [b'{"ts": %d, "kwh": %d.50}' % (1293840000000 + n * 3600000, n) for n in range(20_000)]
        assert list(seen) == [*expected, b'{"close": true}']
    finally:
        broker.stop()


def test_speed_follows_the_rows_stamps(tmp_path: Path) -> None:
    """At 36,000 × real time, hourly rows come a tenth of a second apart."""
    broker = EmbeddedBroker(tmp_path)
    url = broker.start()
    try:
        file, map_ = write(tmp_path, 6)
        began = time.monotonic()
        feed(file, map_, broker=url, speed=36_000)
        assert 0.5 <= time.monotonic() - began < 2
    finally:
        broker.stop()


def test_no_broker_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens: a sentence with the address, not a traceback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setattr("devices.simulator.link.Pump.connect.__defaults__", (0.5,))
    file, map_ = write(tmp_path, 1)
    with pytest.raises(EnvironmentFailure) as caught:
        feed(file, map_, broker=f"mqtt://127.0.0.1:{port}")
    assert str(port) in caught.value.where
    assert "refused" in caught.value.cause


def test_whole_file_at_full_speed(tmp_path: Path) -> None:
    """At least 5,000 rows a second on an idle machine; a tenth of that is demanded here."""
    broker = EmbeddedBroker(tmp_path)
    url = broker.start()
    try:
        us = Peer(broker, "gauge")
        us.subscribe("plant/#")
        file, map_ = write(tmp_path, 5_000)
        done = feed(file, map_, broker=url)
        print(f"feed: {done.messages / done.seconds:,.0f} messages/s")  # noqa: T201 - a measurement
        assert done.seconds < 10
        assert us.pump(lambda: len(us.got) >= 5_001)
        assert json.loads(us.got[-1].payload) == {"close": True}
    finally:
        broker.stop()
