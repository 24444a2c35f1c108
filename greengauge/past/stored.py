"""`StoredPast`: readings that the log holds no longer, asked of the store and counted anew from their decimal text.

The store keeps a winner of each key as a double; the shortest text of that double is what was sent, up to 15
significant digits. Its HJ 212 letter stands beside it. `rev` is not kept: the winner is already found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import cached_property

from devices.durations import DAY, HOUR
from devices.errors import EnvironmentFailure
from devices.plant.model import Channel, Plant
from devices.readings import NORMAL, Readings
from devices.ruler import Ruler, rulers
from ingest.store.base import Series, Span, StoreDown
from ingest.writer import series_of

Answers = list[dict[int, float | str]]
FEW, MANY = 20_000, 100_000
"""Readings of one piece: fewer, and the next asks for twice the time; more, and it asks for half."""
PAUSE_S = 0.005


class StoredPast:
    """The store's readings, piece by piece. `ask` starts `Store.look_up` and gives its future at once."""

    def __init__(self, plant: Plant, ask: Callable[[Sequence[Span]], Future[Answers]]) -> None:
        self._plant, self._ask = plant, ask
        self._channels = [c for c in plant.channels if c.source is None]
        self._rulers = rulers(self._channels)

    @cached_property
    def _series(self) -> list[Series]:
        """Where the values are, then where their letters are: made when somebody asks for the past."""
        where = series_of(self._plant)
        values = [where(c.index) for c in self._channels]
        return [*values, *(Series(s.measurement, f"{s.field}_q", s.tags) for s in values)]

    def read(self, start: int, end: int) -> Iterator[Readings]:
        """Readings with start < ts <= end, in time order; empty pieces while the store thinks.

        Raises EnvironmentFailure while it cannot be read.
        """
        step = HOUR
        while start < end:
            stop = min(end, start + step)
            spans = [Span(series, start + 1, stop) for series in self._series]
            future = self._ask(spans)
            while not future.done():
                time.sleep(PAUSE_S)
                yield Readings.empty()
            try:
                answers = future.result(0)
            except (StoreDown, TimeoutError) as down:
                raise EnvironmentFailure(
                    f"the store cannot be read: {getattr(down, 'cause', down)}",
                    where="readings that the log holds no longer",
                    mend="it is tried again by itself once the store answers",
                ) from down
            found = self._readings(answers)
            yield found
            start = stop
            step = min(step * 2, 30 * DAY) if len(found) < FEW else max(step // 2, HOUR) if len(found) > MANY else step

    def _readings(self, answers: Answers) -> Readings:
        half = len(self._channels)
        rows = sorted(
            row
            for channel, ruler, values, letters in zip(
                self._channels, self._rulers, answers[:half], answers[half:], strict=True
            )
            for row in _rows(channel, ruler, values, letters)
        )
        if not rows:
            return Readings.empty()
        ts, channels, counts, marks, letters_, texts = zip(*rows, strict=True)
        return Readings.of(channels, ts, counts, mark=marks, letter=letters_, received=ts, numbers=texts)


def _rows(
    channel: Channel, ruler: Ruler, values: Mapping[int, float | str], letters: Mapping[int, float | str]
) -> Iterator[tuple[int, int, int, int, int, bytes]]:
    for ts, number in values.items():
        text = repr(number)
        count, mark = ruler.read(text)
        yield ts, channel.index, count, mark, ord(str(letters.get(ts, ""))[:1] or chr(NORMAL)), text.encode()
