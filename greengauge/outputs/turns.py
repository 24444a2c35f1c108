"""`Turns`: whose message goes out next.

At most one a second for each scope, at once for one that was silent for a second. Windows slide while nothing comes, at
each whole minute all of them: a message that says no more than that would make the reading behind it wait for the rest
of the second. So what only slid waits for the scope's next reading, `SLID_S` at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from math import inf

EVERY_S = 1.0
SLID_S = 10.0
TOGETHER = 8
"""So many scopes' messages go to the socket at a time: waiting for each one's turn costs as much as sending it."""


class Turns:
    """Who waits, and until when. Times are of one clock that never goes back, s."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}  # scope -> when it last had its turn
        self._due: dict[str, float] = {}  # of those that wait
        self._heap: list[tuple[float, str]] = []  # the same, the next first; what `_due` does not say is outdated

    def news(self, scopes: Mapping[str, bool]) -> None:
        """Something of these shows differently; True: not only because its windows slid."""
        for scope, came in scopes.items():
            due = self._told.get(scope, -inf) + (EVERY_S if came else SLID_S)
            if due < self._due.get(scope, inf):
                self._due[scope] = due
                heappush(self._heap, (due, scope))

    def take(self, now: float) -> list[str]:
        """Those whose turn it is, some of them: who was silent for longest first."""
        taken: list[str] = []
        while len(taken) < TOGETHER and self.rest(now) == 0.0:
            _, scope = heappop(self._heap)
            del self._due[scope]
            taken.append(scope)
        self._told |= dict.fromkeys(taken, now)
        return taken

    def rest(self, now: float) -> float | None:
        """For how long it is nobody's turn; None: as long as there is no news."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return max(0.0, self._heap[0][0] - now) if self._heap else None
