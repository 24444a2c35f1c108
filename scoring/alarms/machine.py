"""One alarm's life: a pure state machine with timers but no clock (ISA-18.2, IEC 62682).

Four flags make the seven states of contracts.md; nothing else can be reached:

    out of service               → out-of-service
    shelved_until set            → shelved
    suppressed                   → suppressed
    active, not acknowledged     → unacknowledged
    active, acknowledged         → acknowledged
    not active, not acknowledged → returned
    not active, acknowledged     → normal

Timers run on the instants that the caller gives. A value is held until the next one, so a trip or a clear
has the exact instant at which its delay was over, however much later anybody looks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum, auto
from typing import Any

from scoring.results import AlarmCondition

DAY_MS = 86_400_000

MAX_SHELVE_MS = 7 * DAY_MS
"""Longer than this is not shelving but out of service."""


class Side(Enum):
    """Where a value stands."""

    OVER = auto()  # at the limit or beyond it
    BETWEEN = auto()  # within the deadband: neither trips nor clears
    UNDER = auto()  # clear of limit and deadband


@dataclass(frozen=True, slots=True)
class Step:
    """What happened, and what was shown right after it."""

    at: int
    event: str
    state: AlarmCondition
    since: int
    shelved_until: int | None


@dataclass(slots=True)
class Machine:
    """The state of one alarm. Methods return the steps they caused, in order of time."""

    on_delay_ms: int = 0
    off_delay_ms: int = 0
    active: bool = False
    acknowledged: bool = True
    suppressed: bool = False
    out_of_service: bool = False
    shelved_until: int | None = None
    pending: int | None = None  # since when the value asks for the other side of `active`
    since: int = 0  # when the state shown was entered; acknowledging is no news of the plant and does not move it

    @property
    def state(self) -> AlarmCondition:
        """The state shown."""
        if self.out_of_service:
            return "out-of-service"
        if self.shelved_until is not None:
            return "shelved"
        if self.suppressed:
            return "suppressed"
        if self.active:
            return "acknowledged" if self.acknowledged else "unacknowledged"
        return "normal" if self.acknowledged else "returned"

    def elapse(self, now: int) -> list[Step]:
        """Let the timers that are due by `now` fire, earliest first."""
        steps: list[Step] = []
        while True:
            change = now + 1 if self.pending is None else self.pending + self._delay()
            unshelve = now + 1 if self.shelved_until is None else self.shelved_until
            if min(change, unshelve) > now:
                return steps
            if unshelve <= change:  # first of all the alarm is heard again
                steps.append(self._unshelve(unshelve))
            else:
                steps.append(self._flip(change))

    def see(self, now: int, side: Side | None, *, judged: bool = True) -> list[Step]:
        """A value from `now` on. None: no value, which holds the state and proves nothing, neither way.

        `judged` False: by design nobody judges now (the scope stands, the value is invalid on purpose). The
        state is held as it is and goes on when that ends, so nothing unacknowledged gets lost.
        """
        steps = self.elapse(now)
        if judged == self.suppressed:
            steps.append(self._suppress(now, suppressed=not judged))
        wanted = Side.UNDER if self.active else Side.OVER
        if side is not wanted or self.suppressed or self.out_of_service:
            self.pending = None
        elif self.pending is None:
            self.pending = now
        return steps + self.elapse(now)

    def acknowledge(self, now: int) -> Step:
        """Somebody has seen it; ValueError if there is nothing to acknowledge."""
        if self.state not in ("unacknowledged", "returned"):
            raise ValueError(f"there is nothing to acknowledge: the alarm is {self.state}")
        self.acknowledged = True
        return Step(now, "acknowledge", self.state, self.since, self.shelved_until)  # what stands, stands since before

    def shelve(self, now: int, for_ms: int) -> Step:
        """Put it aside for a while, or for longer; ValueError if that is no while."""
        if self.out_of_service:
            raise ValueError("the alarm is out of service: it cannot be shelved")
        if not 0 < for_ms <= MAX_SHELVE_MS:
            days = MAX_SHELVE_MS // DAY_MS
            raise ValueError(f"an alarm is shelved for a time: say how long, at most {days} days")
        before = self.state
        self.shelved_until = now + for_ms
        return self._step(now, "shelve", before)

    def unshelve(self, now: int) -> Step:
        """Hear it again; ValueError if it is not shelved."""
        if self.state != "shelved":
            raise ValueError(f"the alarm is not shelved: it is {self.state}")
        return self._unshelve(now)

    def take_out(self, now: int) -> Step:
        """Out of service: not judged until it is put back, and then from normal."""
        if self.out_of_service:
            raise ValueError("the alarm is out of service already")
        before = self.state
        self.out_of_service = True
        self.active, self.acknowledged = False, True
        self.shelved_until = self.pending = None
        return self._step(now, "out-of-service", before)

    def put_back(self, now: int) -> Step:
        """In service again; ValueError if it was not out."""
        if not self.out_of_service:
            raise ValueError(f"the alarm is in service: it is {self.state}")
        before = self.state
        self.out_of_service = False
        return self._step(now, "in-service", before)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, for the snapshot."""
        return asdict(self)

    def _delay(self) -> int:
        return self.off_delay_ms if self.active else self.on_delay_ms

    def _flip(self, at: int) -> Step:
        before = self.state
        self.active = not self.active
        self.acknowledged = self.acknowledged and not self.active
        self.pending = None
        return self._step(at, "trip" if self.active else "clear", before)

    def _unshelve(self, at: int) -> Step:
        before = self.state
        self.shelved_until = None
        self.acknowledged = not self.active  # what still stands is announced anew; what has gone is over
        return self._step(at, "unshelve", before)

    def _suppress(self, at: int, *, suppressed: bool) -> Step:
        before = self.state
        self.suppressed = suppressed
        return self._step(at, "suppress" if suppressed else "unsuppress", before)

    def _step(self, at: int, event: str, before: AlarmCondition) -> Step:
        if self.state != before:
            self.since = at
        return Step(at, event, self.state, self.since, self.shelved_until)
