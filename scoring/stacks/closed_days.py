"""The closed days of one stack, kept for their month, their year and rolling operating days."""

from __future__ import annotations

from typing import Any

from devices.durations import DAY
from scoring.stacks.days import DaySum
from scoring.stacks.localtime import Block, Calendar

KEPT_MS = 400 * DAY


class ClosedDays:
    """What each of its closed days adds up to, of every pollutant, by the day's start."""

    def __init__(self) -> None:
        self.until: int | None = None
        """End of the newest one that was closed here."""
        self._days: dict[int, tuple[DaySum, ...]] = {}

    def close(self, block: Block, sums: tuple[DaySum, ...], *, anew: bool) -> None:
        """One more day is closed, or one counted again: what is known of it stays, unless it is counted `anew`."""
        self.until = block.end if self.until is None else max(self.until, block.end)
        if anew or block.start not in self._days:
            self._days[block.start] = sums
        for start in [s for s in self._days if s < block.end - KEPT_MS]:
            del self._days[start]

    def of(self, start: int) -> tuple[DaySum, ...] | None:
        """The day that began at `start`."""
        return self._days.get(start)

    def past(self, pollutant: int, start: int, to: int) -> dict[int, DaySum]:
        """Those of one pollutant that began in [start, to), by start."""
        return {s: x[pollutant] for s, x in sorted(self._days.items()) if start <= s < to}

    def adopt(self, other: ClosedDays, start: int, closed: int, calendar: Calendar) -> None:
        """Take over another's that end at `start` or later and lie before `closed`, as far back as they are kept."""
        for at, sums in other._days.items():
            if start <= (end := calendar.day(at + 1).end) <= closed and end >= closed - KEPT_MS:
                self._days[at] = sums

    def copy(self) -> ClosedDays:
        """The same days, of which none was closed here."""
        made = ClosedDays()
        made._days = dict(self._days)
        return made

    def snapshot(self) -> dict[str, Any]:
        """Plain JSON, for the ledger's."""
        return {"closed_day": self.until, "days": {str(s): [d.to_json() for d in x] for s, x in self._days.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `snapshot`."""
        self.until = state["closed_day"]
        self._days = {int(s): tuple(DaySum.from_json(d) for d in x) for s, x in state["days"].items()}
