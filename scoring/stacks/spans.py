"""The sums of a span, for all stacks at once."""

from __future__ import annotations

from scoring.windows.sums import SpanSums, Sums


class Spans:
    """The sums of a minute for all stacks: they ask for the same one, one after the other."""

    def __init__(self, sums: Sums) -> None:
        self._sums = sums
        self.readings = sums.readings
        self._last: SpanSums | None = None

    def of(self, start: int, end: int) -> SpanSums:
        """The span (start, end] of a minute or a part of one; both are whole seconds."""
        if self._last is None or (self._last.start, self._last.end) != (start, end):
            self._last = self._sums.span(start, end)
        return self._last

    def forget(self) -> None:
        """Readings came in."""
        self._last = None
