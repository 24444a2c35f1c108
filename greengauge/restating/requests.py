"""Requests for recomputations that reach a running service through its data folder, and from there the log.

A request is a file of its own, written whole. The service puts it into the log as a command, so a replay repeats it,
then takes the file away; a kill in between puts it there twice, which its id makes harmless.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from devices.errors import EnvironmentFailure
from ingest.whole_file import write_whole

log = structlog.get_logger()

EVERY_S = 0.5


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
        folder = data / "requests"
        try:
            folder.mkdir(exist_ok=True)
            write_whole(folder / f"{self.id}.json", self.command())
        except OSError as failure:
            raise EnvironmentFailure(
                f"the request cannot be written: {failure.strerror}",
                where=str(folder),
                mend="run this as the user that runs the service",
            ) from failure


class Requests:
    """The task that takes them in."""

    def __init__(self, data: Path, submit: Callable[[bytes], Awaitable[int]]) -> None:
        """`submit` makes a command durable in the log."""
        self._folder, self._submit = data / "requests", submit

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            for path in await asyncio.to_thread(self._found):
                try:
                    body = await asyncio.to_thread(path.read_bytes)
                    if _is_request(body):
                        await self._submit(body)
                    else:
                        log.warning("requests.not_understood", file=path.name)
                    await asyncio.to_thread(path.unlink)
                except (OSError, EnvironmentFailure) as failure:  # it stays and is tried again
                    log.warning("requests.waits", file=path.name, cause=str(failure))
            await asyncio.sleep(EVERY_S)

    def _found(self) -> list[Path]:
        return sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []


def remember_registry(data: Path, source: Path, version: int) -> None:
    """Which registry the service last ran with, so that a command without one finds it. Raises EnvironmentFailure."""
    told = {"source": str(source.resolve()), "version": f"{version:016x}"}
    try:
        write_whole(data / "registry" / "current.json", json.dumps(told).encode())
    except OSError as failure:
        raise EnvironmentFailure(
            f"the data folder cannot be written: {failure.strerror}", where=str(data), mend="see its disk and rights"
        ) from failure


def remembered_registry(data: Path) -> tuple[Path, int] | None:
    """(the registry's file, its version then); None where no service ran here yet."""
    try:
        told: dict[str, Any] = json.loads((data / "registry" / "current.json").read_bytes())
        return Path(told["source"]), int(told["version"], 16)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_request(body: bytes) -> bool:
    """Whether it is what `Request.command` writes: nothing else may reach the log through a file."""
    try:
        asked = json.loads(body)
        known = {"do", "id", "from", "to", "reason"}
        whole = isinstance(asked["from"], int) and isinstance(asked["to"], int)
        return set(asked) == known and asked["do"] == "recompute" and whole and asked["from"] < asked["to"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
