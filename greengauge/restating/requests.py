"""Requests of commands that reach a running service through its data folder.

A request is a file of its own, written whole. The service does what it asks (a recomputation or a retry goes into the
log as a command, so a replay repeats it; a rewind moves the store cursor), then takes the file away: whoever asked sees
that it is taken. A kill in between does it twice, which is harmless: an id, a position and a cursor say so.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from devices.errors import ConfigurationError, EnvironmentFailure
from ingest.whole_file import write_whole

log = structlog.get_logger()

EVERY_S = 0.5
TAKEN_S = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """A recomputation as a command of the log."""

    id: str
    start: int
    end: int
    reason: str

    @classmethod
    def new(cls, start: int, end: int, reason: str) -> Request:
        """With an id nobody else has."""
        return cls(f"recompute-{secrets.token_hex(8)}", start, end, reason)

    def command(self) -> bytes:
        """The log record's body."""
        asked = {"do": "recompute", "id": self.id, "from": self.start, "to": self.end, "reason": self.reason}
        return json.dumps(asked).encode()

    def put(self, data: Path) -> None:
        """Leave it for the service that works on this data folder. Raises EnvironmentFailure."""
        put(data, self.id, self.command())


def put(data: Path, key: str, body: bytes) -> Path:
    """Leave a request for the service that works on this data folder; its file. Raises EnvironmentFailure."""
    folder = data / "requests"
    try:
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{key}.json", body)
    except OSError as failure:
        raise EnvironmentFailure(
            f"the request cannot be written: {failure.strerror}",
            where=str(folder),
            mend="run this as the user that runs the service",
        ) from failure
    return folder / f"{key}.json"


def ask(data: Path, asked: dict[str, Any]) -> None:
    """Leave a request and wait until the running service has taken it. Raises EnvironmentFailure if it does not."""
    path = put(data, f"{asked['do']}-{secrets.token_hex(8)}", json.dumps(asked).encode())
    until = time.monotonic() + TAKEN_S
    while path.exists():
        if time.monotonic() > until:
            path.unlink(missing_ok=True)
            raise EnvironmentFailure(
                f"the service did not take the request within {TAKEN_S:.0f} s",
                where=str(data),
                mend="see the service's log: its disk or its store may not answer",
            )
        time.sleep(EVERY_S / 5)


Taker = Callable[[dict[str, Any], bytes], Awaitable[object]]
"""Does what a request asks; told the request and its own bytes. Raises GreengaugeError where it cannot be done now."""


class Requests:
    """The task that takes them in."""

    def __init__(self, data: Path, takers: Mapping[str, Taker]) -> None:
        """`takers`: who does what, by the request's `do`."""
        self._folder, self._takers = data / "requests", takers

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            for path in await asyncio.to_thread(self._found):
                try:
                    body = await asyncio.to_thread(path.read_bytes)
                    asked = understood(body)
                    if asked is not None and asked["do"] in self._takers:
                        await self._takers[asked["do"]](asked, body)
                    else:
                        log.warning("requests.not_understood", file=path.name)
                    await asyncio.to_thread(path.unlink, missing_ok=True)
                except ConfigurationError as refusal:
                    log.warning("requests.refused", file=path.name, cause=refusal.cause)
                    path.unlink(missing_ok=True)
                except (OSError, EnvironmentFailure) as failure:  # it stays and is tried again
                    log.warning("requests.waits", file=path.name, cause=str(failure))
            await asyncio.sleep(EVERY_S)

    def _found(self) -> list[Path]:
        return sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []


def understood(body: bytes) -> dict[str, Any] | None:
    """The request, if it is one that our commands write: nothing else may be done for a file."""
    try:
        asked = json.loads(body)
        return asked if KEYS[asked["do"]](asked) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _recompute(asked: dict[str, Any]) -> bool:
    known = {"do", "id", "from", "to", "reason"}
    whole = isinstance(asked["from"], int) and isinstance(asked["to"], int)
    return set(asked) == known and whole and bool(asked["from"] < asked["to"])


def _rewind(asked: dict[str, Any]) -> bool:
    return set(asked) == {"do", "to"} and type(asked["to"]) is int


def _retry(asked: dict[str, Any]) -> bool:
    return set(asked) == {"do", "positions"} and all(type(p) is int for p in asked["positions"])


KEYS: dict[str, Callable[[dict[str, Any]], bool]] = {"recompute": _recompute, "rewind": _rewind, "retry": _retry}
"""Whether a request of each kind is whole."""
