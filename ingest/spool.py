"""`Spool`: rows of many channels on their way through temporary files, so that memory holds a share of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np

from ingest.ledger import ROW, Rows

SHARES = 64
"""Files: a share of 50 million rows of 45 bytes is 35 MB."""


class Spool:
    """Rows go in in any order of channels, and come out channel by channel, each in the order in which it went in."""

    def __init__(self) -> None:
        self._files: list[IO[bytes]] = [tempfile.TemporaryFile() for _ in range(SHARES)]  # noqa: SIM115 - see close

    def put(self, rows: Rows) -> None:
        """Add rows."""
        share = rows["channel"] % SHARES
        for number in np.unique(share).tolist():
            self._files[number].write(rows[share == number].tobytes())

    def channels(self) -> Iterator[tuple[int, Rows]]:
        """Every channel with its rows."""
        for file in self._files:
            file.seek(0)
            rows = np.frombuffer(file.read(), ROW)
            for channel in np.unique(rows["channel"]).tolist():
                yield channel, rows[rows["channel"] == channel]

    def close(self) -> None:
        """Free the files."""
        for file in self._files:
            file.close()
