"""`Broker`: where a broker is and how one is let in. Meters, feed and the service read the same address."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from devices.errors import ConfigurationError

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker's address and how to be let in."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None  # default: the system's authorities
    cert: Path | None = None
    key: Path | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        password: str | None = None,
        ca: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
    ) -> Broker:
        """`mqtt[s]://[user@]host[:port]`. Raises ConfigurationError, also for a file that cannot be read.

        No error repeats a password, however mistaken the address around it is.
        """
        shown = _without_password(url)
        try:
            parts = urlsplit(url)
        except ValueError:  # its own words would repeat what stands before the @
            cause = "this is not a broker's address: an IPv6 address stands in brackets, a name has letters and digits"
            raise _wrong(shown, cause, "write mqtt://host:1883 or mqtt://[::1]:1883") from None
        if parts.password is not None:  # an address is shown on the page and in process lists
            raise _wrong(
                shown,
                "a password does not belong into the address",
                "set GREENGAUGE_BROKER_PASSWORD or GREENGAUGE_BROKER_PASSWORD_FILE",
            )
        try:
            port = parts.port
        except ValueError:
            raise _wrong(shown, "the port is not a number from 1 to 65535", "write mqtt://host:1883") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise _wrong(shown, "this is not a broker's address", "write mqtt://host:1883 or mqtts://host:8883")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise _wrong(shown, "a broker's address ends with the port", "write mqtt://host:1883")
        tls = parts.scheme == "mqtts"
        for what, file in (("CA certificate", ca), ("client certificate", cert), ("client key", key)):
            if file is not None and not tls:
                raise _wrong(
                    shown, f"a {what} is given, but the address is not mqtts://", "use mqtts://, or leave it out"
                )
            if file is not None and not os.access(file, os.R_OK):
                raise _wrong(str(file), f"the {what} cannot be read", "name a PEM file that this user may read")
        if key is not None and cert is None:
            raise _wrong(str(key), "a client key without a client certificate", "give both")
        username = unquote(parts.username) if parts.username else None
        if password is not None and username is None:
            raise _wrong(shown, "a password without a user name", "write mqtt://user@host:port")
        return cls(parts.hostname, port or _PORTS[parts.scheme], tls, username, password, ca, cert, key)


def _wrong(where: str, cause: str, mend: str) -> ConfigurationError:
    return ConfigurationError(cause, where=where, mend=mend)


def _without_password(url: str) -> str:
    """The address for people: whatever stands between the user's colon and the last @ is hidden."""
    before, at, host = url.rpartition("@")
    if not at:
        return url
    scheme, slashes, user = before.partition("://")
    if not slashes:
        scheme, user = "", before
    name, colon, _ = user.partition(":")
    return f"{scheme}{slashes}{name}{':…' if colon else ''}@{host}"
