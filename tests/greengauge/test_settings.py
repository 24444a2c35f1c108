"""Settings: whatever stands in them, a reason and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.broker import Broker
from devices.errors import ConfigurationError
from greengauge import settings
from greengauge.cli import app
from greengauge.page.server import PageServer
from greengauge.parts import store_of as store


@pytest.mark.parametrize("content", [b"data = [", b"\xff\xfe", b"nonsense = 1"])
def test_a_settings_file_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Syntax, encoding, unknown keys."""
    (tmp_path / "g.toml").write_bytes(content)
    monkeypatch.setenv("GREENGAUGE_CONFIG", str(tmp_path / "g.toml"))
    with pytest.raises(ConfigurationError):
        settings.load()


def test_a_settings_file_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in its path must not start the service on defaults."""
    for name in ("missing.toml", "."):
        monkeypatch.setenv("GREENGAUGE_CONFIG", str(tmp_path / name))
        with pytest.raises(ConfigurationError, match="no such file"):
            settings.load()


def test_a_secret_that_is_not_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's name is told, its content is not."""
    (tmp_path / "token").write_bytes(b"\x85\x86")
    monkeypatch.setenv("GREENGAUGE_INFLUX_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(ConfigurationError, match="not text"):
        settings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retention_hours", "nan"),
        ("retention_hours", "inf"),
        ("retention_hours", "-1"),
        ("snapshot_seconds", "nan"),
        ("snapshot_seconds", "0"),
        ("history_days", "inf"),
        ("log_quota", "-5"),
        ("log_quota", "1000"),
    ],
)
def test_numbers_without_sense(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A quota below one segment, times that are none."""
    monkeypatch.setenv(f"GREENGAUGE_{name.upper()}", value)
    with pytest.raises(ConfigurationError, match=name):
        settings.load()


def test_an_empty_name_is_no_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An unset variable of a shell, in the environment or behind `--data`, must not mean the folder we stand in."""
    monkeypatch.setenv("GREENGAUGE_DATA", "")
    with pytest.raises(ConfigurationError, match=r"GREENGAUGE_DATA.*the name is empty"):
        settings.load()
    assert settings.load(data=Path()).data == Path()
    with pytest.raises(SystemExit) as end:
        app(["verify", "--data", ""])
    assert end.value.code == 2
    assert "name is empty" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["mqtt://[::1", "mqtt://h:x", "mqtt://", "h:1883"])
def test_no_brokers_address(url: str) -> None:
    """Every kind of half an address."""
    with pytest.raises(ConfigurationError):
        Broker.parse(url)


@pytest.mark.parametrize("url", ["mqtt://u:@h", "mqtt://mqtt:mqtt@mqtt"])
def test_a_password_in_the_address_is_hidden_and_nothing_else(url: str) -> None:
    """The rest of the address stays readable."""
    with pytest.raises(ConfigurationError) as told:
        Broker.parse(url)
    assert told.value.where == url.replace(":@", ":…@").replace(":mqtt@", ":…@")


@pytest.mark.parametrize("url", ["http://[::1", "http://h:99999", "http://", "ftp://h"])
def test_no_stores_address(url: str) -> None:
    """Every kind of half an address."""
    with pytest.raises(ConfigurationError):
        store(settings.load(store=url))


def test_no_host_name() -> None:
    """A name that cannot even be asked for."""
    with pytest.raises(ConfigurationError):
        PageServer("a..b", 0)
