from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devices.errors import ConfigurationError, EnvironmentFailure
from ingest.session import Broker, client_id
from ingest.session.backlog import Backlog
from ingest.session.backoff import LONGEST_S, Backoff
from ingest.session.frames import puback
from ingest.session.stream import Frames


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "user"),
    [
        ("mqtt://127.0.0.1", "127.0.0.1", 1883, False, None),
        ("mqtt://broker.example:1999", "broker.example", 1999, False, None),
        ("mqtts://broker.example", "broker.example", 8883, True, None),
        ("mqtt://line%201@[::1]:1", "::1", 1, False, "line 1"),
    ],
)
def test_addresses(url: str, host: str, port: int, tls: bool, user: str | None) -> None:
    """Scheme gives TLS and the default port; a user may stand before the host."""
    broker = Broker.parse(url)
    assert (broker.host, broker.port, broker.tls, broker.username) == (host, port, tls, user)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("localhost:1883", "not a broker's address"),
        ("http://localhost", "not a broker's address"),
        ("mqtt://", "not a broker's address"),
        ("mqtt://host:99999", "port"),
        ("mqtt://host:port", "port"),
        ("mqtt://host/topic", "ends with the port"),
        ("mqtt://me:secret@host", "password does not belong"),
        ("http://me:secret@host", "password does not belong"),
        ("mqtt://me:secret@host:port", "password does not belong"),
        ("mqtt://[::1", "IPv6"),
        ("mqtt://me:secret@ho\u2100st", "not a broker's address"),
        ("me:secret@host", "not a broker's address"),
        ("mqtt://me:se/secret@host", "port"),
    ],
)
def test_mistaken_addresses_are_refused_in_words(url: str, word: str) -> None:
    """Each mistake has its cause and a mend, and a password is never repeated."""
    with pytest.raises(ConfigurationError, match=word) as caught:
        Broker.parse(url)
    assert caught.value.mend
    assert "secret" not in str(caught.value)


def test_certificates_need_tls_and_a_file(tmp_path: Path) -> None:
    """A certificate for mqtt://, or a file that isn't there, is a mistake of the configuration."""
    (tmp_path / "ca.pem").write_text("")
    with pytest.raises(ConfigurationError, match="not mqtts"):
        Broker.parse("mqtt://host", ca=tmp_path / "ca.pem")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Broker.parse("mqtts://host", ca=tmp_path / "none.pem")
    with pytest.raises(ConfigurationError, match="client certificate"):
        Broker.parse("mqtts://host", key=tmp_path / "ca.pem")


def test_a_password_is_not_shown() -> None:
    """Neither the address for people nor a repr in a log holds the password."""
    broker = Broker.parse("mqtt://me@host", password="hunter2")  # noqa: S106 - not one
    assert "hunter2" not in f"{broker} {broker!r}"


def test_the_client_id_stays(tmp_path: Path) -> None:
    """Made once a data folder, at most 23 characters, the same ever after; two folders have two."""
    first = client_id(tmp_path)
    assert first == client_id(tmp_path)
    assert len(first) <= 23
    (tmp_path / "other").mkdir()
    assert client_id(tmp_path / "other") != first


def test_a_client_id_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    """Without a lasting id the session would be lost at each start, so it is a failure."""
    with pytest.raises(EnvironmentFailure):
        client_id(tmp_path / "none")


def test_a_damaged_client_id_is_said_with_what_it_costs(tmp_path: Path) -> None:
    """Not made anew in silence: the broker's queue would be orphaned; and no codec's words."""
    (tmp_path / "client-id").write_bytes(b"greengauge-\xff\x00\n")
    with pytest.raises(EnvironmentFailure, match="damaged") as told:
        client_id(tmp_path)
    assert "codec" not in told.value.cause
    assert "backup, or delete it" in told.value.mend


def test_a_puback_is_four_bytes() -> None:
    """The short form of both levels, the id big-endian."""
    assert puback(258) == bytes.fromhex("40 02 01 02")


def test_batches_never_mix_connections() -> None:
    """Messages of two connections come as two batches, in order, though nobody took the first in time."""
    backlog = Backlog(10)
    backlog.put(1, 5, Frames(b"aaaa", 1, puback(7)))
    backlog.put(1, 5, Frames(b"bbbb", 2, b""))
    assert not backlog.full
    assert backlog.left == 2
    backlog.put(2, 4, Frames(b"cccc", 1, puback(7)))
    assert backlog.full
    first, second = backlog.take(), backlog.take()
    assert (first.generation, first.level, first.count, first.blocks) == (1, 5, 3, [b"aaaa", b"bbbb"])
    assert (second.generation, second.level, second.count, second.blocks) == (2, 4, 1, [b"cccc"])
    assert b"".join(first.acks) == b"".join(second.acks) == puback(7)
    assert backlog.bytes == 0


async def test_gathering_ends_when_half_of_the_limit_is_there() -> None:
    """Whoever waits for more waits no longer than that, no longer than told, and hears whether more still came."""
    backlog = Backlog(10)
    backlog.put(1, 5, Frames(b"aaa", 1, b""))
    async with asyncio.timeout(1):
        assert not await backlog.gather(0.01)
        asyncio.get_running_loop().call_later(0.07, backlog.put, 1, 5, Frames(b"a", 1, b""))
        assert await backlog.gather(0.1)
        backlog.put(1, 5, Frames(b"b", 1, b""))
        assert await backlog.gather(60)
    backlog.take()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await backlog.gather(60)


def test_back_off_doubles_with_jitter_and_forgets_after_a_stable_minute() -> None:
    """Delays grow to the longest one; a connection of ten seconds changes nothing, one of a minute resets."""
    backoff = Backoff()
    delays = [backoff.after(10.0) for _ in range(12)]
    assert delays[0] <= 0.25
    assert LONGEST_S / 2 <= delays[-1] <= LONGEST_S
    assert len(set(delays)) == 12
    assert backoff.after(60.0) <= 0.25
