"""Settings: the command line over `GREENGAUGE_…` variables over a TOML file over defaults. Secrets never in argv."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from devices.broker import Broker
from devices.errors import ConfigurationError

_SECRETS = ("influx_token", "broker_password", "page_token")


def default_data() -> Path:
    """The user's own data directory for Greengauge."""
    return Path(platformdirs.user_data_dir("greengauge", appauthor=False))


class Settings(BaseSettings):
    """Everything that is not the plant itself. Each has a `GREENGAUGE_` variable of the same name."""

    model_config = SettingsConfigDict(env_prefix="GREENGAUGE_", extra="forbid")

    data: Path = Field(default_factory=default_data, description="folder of log, cursors, history; one instance only")
    broker: str = Field("mqtt://127.0.0.1:1883", description="mqtt[s]://[user@]host:port")
    broker_password: SecretStr | None = None
    broker_ca: Path | None = Field(None, description="CA certificate for mqtts://")
    broker_cert: Path | None = None
    broker_key: Path | None = None
    store: str = Field("embedded", description="embedded, or http[s]://host:port of an InfluxDB 2")
    influx_token: SecretStr | None = None
    influx_org: str | None = None
    influx_bucket: str | None = None
    host: str = Field("127.0.0.1", description="address of the page; any but loopback needs a page token")
    port: int = Field(8420, ge=0, le=65535)
    page_token: SecretStr | None = None
    log_quota: int = Field(20 * 2**30, ge=2**26, description="bytes of log segments kept at most")
    retention_hours: float = Field(
        96.0, ge=0, le=876_000, description="hours of log kept behind all cursors (past + grace and more)"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="of our lines on standard error"
    )
    history_days: float = Field(
        40.0, gt=0, le=36_500, description="days of scores minute by minute; what is older is kept by the quarter hour"
    )
    archive_days: float = Field(
        400.0, ge=0, le=36_500, description="days of quarter hours and alarm events kept; 0: for ever"
    )
    store_days: float = Field(
        90.0, ge=0, le=36_500, description="days of readings that the embedded store keeps; 0: for ever"
    )
    stages: Literal["durable", "decoded", "stored", "scored"] = Field(
        "scored", description="how far a reading goes, for measuring what each stage costs; scored is all of it"
    )
    snapshot_seconds: float = Field(30.0, gt=0, le=86_400, description="how often the scores' state is saved")

    @field_validator("data", mode="before")
    @classmethod
    def _named(cls, data: object) -> object:
        """An empty text would be the folder we happen to stand in."""
        if data == "":
            raise ValueError("the name is empty: leave it out, or name a folder (`.` is this one)")
        return data

    def address(self) -> Broker:
        """The broker, with its secrets. Raises ConfigurationError."""
        password = self.broker_password
        return Broker.parse(
            self.broker,
            password=None if password is None else password.get_secret_value(),
            ca=self.broker_ca,
            cert=self.broker_cert,
            key=self.broker_key,
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then the TOML file named by GREENGAUGE_CONFIG (or ./greengauge.toml)."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file())


def _file() -> Path:
    return Path(os.environ.get("GREENGAUGE_CONFIG", "greengauge.toml"))


def load(**given: Any) -> Settings:
    """Settings from all sources; None on the command line means "not given". Raises ConfigurationError."""
    if "GREENGAUGE_CONFIG" in os.environ and not _file().is_file():
        raise ConfigurationError("there is no such file", where=f"GREENGAUGE_CONFIG={_file()}", mend="correct its path")
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in _SECRETS:
        file = os.environ.get(f"GREENGAUGE_{name.upper()}_FILE")
        if file:
            try:
                chosen[name] = Path(file).read_text().strip()
            except (OSError, UnicodeDecodeError) as failure:
                why = failure.strerror if isinstance(failure, OSError) else "it is not text"
                raise ConfigurationError(
                    f"the secret file cannot be read: {why}",
                    where=f"GREENGAUGE_{name.upper()}_FILE={file}",
                    mend="name a file that this user may read",
                ) from None
    try:
        settings = Settings(**chosen)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as failure:
        raise ConfigurationError(
            f"the settings' file cannot be read: {failure}",
            where=str(_file()),
            mend="correct it, or name another with GREENGAUGE_CONFIG",
        ) from None
    except ValidationError as wrong:
        first = wrong.errors(include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            first["msg"].removeprefix("Value error, "),
            where=f"setting {key} (GREENGAUGE_{key.upper()})",
            mend="see `greengauge run --help`",
        ) from None
    if settings.host not in ("127.0.0.1", "localhost", "::1") and settings.page_token is None:
        raise ConfigurationError(
            f"the page would listen on {settings.host} without a token",
            where="setting host",
            mend="set GREENGAUGE_PAGE_TOKEN (or GREENGAUGE_PAGE_TOKEN_FILE), or keep 127.0.0.1",
        )
    return settings
