"""Requests through the data folder: understood or not, done once, tried again while the disk refuses."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from devices.errors import ConfigurationError, EnvironmentFailure
from greengauge.restating import requests
from greengauge.restating.requests import Requests, put, understood
from tests.waiting import until

GOOD = [{"do": "rewind", "to": 5}, {"do": "retry", "positions": [1, 2]}]
BAD: list[Any] = [
    {"do": "rewind", "to": "5"}, {"do": "rewind", "to": True}, {"do": "rewind", "to": 5, "more": 1}, {"do": "retry"},
    {"do": "retry", "positions": ["1"]}, {"do": "retry", "positions": 1}, {"do": "shelve"}, {}, [], 5, None,
    {"do": "recompute", "id": "x", "from": 2, "to": 1, "reason": ""},
]  # fmt: skip


@pytest.mark.parametrize("asked", BAD)
def test_nothing_else_is_done_for_a_file(asked: Any) -> None:
    """What our commands do not write is not understood."""
    assert understood(json.dumps(asked).encode()) is None
    assert understood(b"\xff{") is None


async def test_each_is_done_and_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the one who does it; a refused or foreign one goes too; what cannot be done now is tried again."""
    monkeypatch.setattr(requests, "EVERY_S", 0.01)
    done: list[Any] = []
    failures = [EnvironmentFailure("the disk is full")]

    async def rewind(asked: dict[str, Any], _body: bytes) -> None:
        if failures:
            raise failures.pop()
        done.append(asked)

    async def retry(_asked: dict[str, Any], _body: bytes) -> None:
        raise ConfigurationError("no")

    put(tmp_path, "a", json.dumps(GOOD[0]).encode())
    put(tmp_path, "b", json.dumps(GOOD[1]).encode())
    put(tmp_path, "c", b"nonsense")
    task = asyncio.create_task(Requests(tmp_path, {"rewind": rewind, "retry": retry}).run(), name="requests")
    await until(lambda: not list((tmp_path / "requests").iterdir()))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert done == [GOOD[0]]
