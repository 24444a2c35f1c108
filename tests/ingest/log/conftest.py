from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.log import Log


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Log]]:
    """Opens the log of a temporary folder, again and again; the one before is left as a kill would leave it."""
    logs: list[Log] = []

    def again(**options: int) -> Log:
        logs.append(Log(tmp_path / "log", **{"segment_bytes": 1 << 16, **options}))
        return logs[-1]

    yield again
    for log in logs:
        with contextlib.suppress(OSError):
            log.cursors.close()
