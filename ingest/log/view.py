"""`LogView`: the log of a data folder, read and never touched: beside the running service, or without one.

Opening a `Log` recovers it, which writes; a view only looks. It sees what is whole when it is made: segments that
come later are not in it, and one that is pruned meanwhile is stepped over.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from pathlib import Path

from devices.errors import ConfigurationError, EnvironmentFailure
from ingest.log import reader
from ingest.log.cursors import Name, look
from ingest.log.reader import Damage, Span
from ingest.log.record import Record
from ingest.log.recovery import first_received
from ingest.log.segment import base_of


class LogView:
    """The same reading as `Log`: `first`, `durable`, `read`, `since`, `began`, `damages`."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigurationError where there is no log, EnvironmentFailure where it cannot be read."""
        self.folder = folder
        self._damages: dict[tuple[str, int], Damage] = {}
        try:
            if not folder.is_dir():
                raise ConfigurationError(
                    "there is no log here", where=str(folder), mend="name the service's data folder with --data"
                )
            self.cursors: dict[Name, int] = look(folder / "cursors")
            bases = sorted((base, path) for path in folder.iterdir() if (base := base_of(path)) is not None)
            self._spans = [Span(path, base, after) for (base, path), (after, _) in itertools.pairwise(bases)]
            if bases:
                base, path = bases[-1]
                whole = Span(path, base, base + path.stat().st_size)
                with reader.opened(whole) as source:
                    self._spans.append(whole._replace(end=reader.survey(source, 0)[0]))
            # A damaged header tells no time: that of the segment before it is no later.
            self._received = list(itertools.accumulate(map(first_received, self._spans), max))
        except OSError as failure:
            raise EnvironmentFailure(
                f"the log cannot be read: {failure.strerror}", where=str(folder), mend="run this as the service's user"
            ) from failure

    @property
    def first(self) -> int:
        """The oldest position still kept."""
        return self._spans[0].base if self._spans else 0

    @property
    def durable(self) -> int:
        """The position behind the newest whole record."""
        return self._spans[-1].end if self._spans else 0

    def began(self) -> int | None:
        """Receive time of the oldest record still kept, ms; None in an empty log."""
        return next((received for received in self._received if received), None)

    def since(self, received: int) -> int:
        """A position from which on stands all that was received at `received` (ms) or later."""
        later = bisect.bisect_left(self._received, received)
        return self._spans[max(later - 1, 0)].base if self._spans else 0

    def read(self, start: int, max_bytes: int) -> list[Record]:
        """As `Log.read`. Blocking."""
        start = max(start, self.first)
        while start < self.durable:
            index = bisect.bisect_right(self._spans, start, key=lambda span: span.base) - 1
            span = self._spans[index]
            if start >= span.end:  # of the last but one, behind its good end
                return []
            try:
                with reader.opened(span) as source:
                    records, damages, start = reader.read(source, start, max_bytes)
            except FileNotFoundError:  # pruned meanwhile
                start = span.end
                continue
            self._damages |= {(damage.segment, damage.start): damage for damage in damages}
            if records:
                return records
        return []

    def records(self, start: int, max_bytes: int = 1 << 20) -> Iterator[list[Record]]:
        """All from `start` on, a few at a time."""
        while records := self.read(start, max_bytes):
            yield records
            start = records[-1].end

    def damages(self) -> list[Damage]:
        """Every damage met so far."""
        return list(self._damages.values())
