"""`OperationalBook`: alarms of the service itself (store down, quarantine filling, meter stale, possible loss).

The same machine as the plant's alarms, but raised and cleared by whoever notices, under any id.
"""

from __future__ import annotations

from typing import Any

from scoring.alarms.book import Book, Entry, Priority
from scoring.alarms.machine import Machine, Side
from scoring.results import AlarmEvent

OFF_DELAY_MS = 10_000
"""A trouble must be gone this long before its alarm returns: what flaps makes one alarm, not a flood."""


class OperationalBook(Book):
    """Alarms that come into being when they are first raised, and stay in the list."""

    def raise_(
        self,
        now: int,
        id_: str,
        scope: str,
        text: str,
        priority: Priority = "medium",
        *,
        on_delay_ms: int = 0,
        off_delay_ms: int = OFF_DELAY_MS,
    ) -> list[AlarmEvent]:
        """The trouble is there (again, still). The newest words and priority are shown."""
        entry = self._entries.get((scope, id_))
        if entry is None:
            machine = Machine(on_delay_ms, off_delay_ms, since=self._at(now))
            entry = Entry(id_, scope, priority, text, None, "", machine)
            self._entries[entry.key] = entry
        entry.text, entry.priority = text, priority
        return entry.told(entry.machine.see(self._at(now), Side.OVER))

    def clear(self, now: int, id_: str, scope: str) -> list[AlarmEvent]:
        """The trouble is gone; without such an alarm nothing happens. Its off-delay needs `tick`."""
        entry = self._entries.get((scope, id_))
        return [] if entry is None else entry.told(entry.machine.see(self._at(now), Side.UNDER))

    def _known(self, told: dict[str, Any]) -> Entry | None:
        machine = Machine(told["machine"]["on_delay_ms"], told["machine"]["off_delay_ms"])
        entry = Entry(told["id"], told["scope"], told["priority"], told["text"], told["limit"], told["unit"], machine)
        self._entries[entry.key] = entry
        return entry
