"""The ledger: what became of every value that was received, by receive minute.

    received = stored + duplicate + superseded + quarantined + pending + unwritten

The unit is one value. Each side is counted by itself: `received` where the log is read, the others where their
evidence is found (the store's answer, the quarantine's rows, the store cursor). What the evidence does not cover is
`missing` (the store has nothing of that key) or `differing` (it holds another value than the winner): then the two
sides differ, and by exactly that.

Which reading of a key wins is judged here from the law (semantics §1), not by asking the writer's code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MINUTE_MS = 60_000
COVERED = ("stored", "duplicate", "superseded", "quarantined", "pending", "unwritten")
ANOMALIES = ("missing", "differing")
EXAMPLES = 20
"""Values named one by one; all are counted."""

ROW = np.dtype(
    [("channel", "i4"), ("ts", "i8"), ("rev", "i8"), ("value", "f8"), ("minute", "i8"), ("position", "i8"),
     ("unwritten", "?")]
)  # fmt: skip
"""One value as it was received, in log order; `minute` is its receive minute, `value` what a store would hold."""
Rows = NDArray[np.void]


class Missing(NamedTuple):
    """A value that the evidence does not cover."""

    channel: int
    ts: int
    value: float
    held: float | None  # what the store has instead
    position: int  # of its frame in the log


class Evidence(NamedTuple):
    """What is known of one channel besides the log."""

    held: Mapping[int, float]  # time -> the store's value
    refused: Callable[[int], bool]  # whether the store refused this channel's value of the frame at that position
    remembered: Callable[[int], list[tuple[int, float]]]
    """time -> every (rev, value) that the writer has seen of the key, where several were: also outside the rows."""


@dataclass(slots=True)
class Ledger:
    """Counts by receive minute (ms) and kind; `received` is one of the kinds."""

    minutes: dict[int, Counter[str]] = field(default_factory=dict)
    undecodable: Counter[str] = field(default_factory=Counter)  # topic -> frames in which no value can be counted
    examples: list[Missing] = field(default_factory=list)

    def add(self, kind: str, minute: int, count: int = 1) -> None:
        """Count values of one receive minute."""
        if count:
            self.minutes.setdefault(minute, Counter())[kind] += count

    def add_rows(self, kind: str, rows: Rows) -> None:
        """Count each of the rows in its minute."""
        for minute, count in zip(*np.unique(rows["minute"], return_counts=True), strict=True):
            self.add(kind, int(minute), int(count))

    def total(self) -> Counter[str]:
        """Over all minutes."""
        return sum(self.minutes.values(), Counter())

    def anomalies(self) -> dict[int, Counter[str]]:
        """The minutes whose sides differ: all that need be kept."""
        return {minute: kinds for minute, kinds in sorted(self.minutes.items()) if not balanced(kinds)}

    def judge(self, channel: int, rows: Rows, evidence: Evidence) -> None:
        """Count one channel's rows (log order) as what became of them; they are `received` already."""
        self.add_rows("unwritten", rows[rows["unwritten"]])
        written = rows[~rows["unwritten"]]
        order = np.lexsort((np.arange(len(written)), written["ts"]))
        written = written[order]
        again = np.zeros(len(written), np.bool_)
        again[1:] = written["ts"][1:] == written["ts"][:-1]
        again[:-1] |= again[1:]
        held = np.array([evidence.held.get(ts, np.nan) for ts in written["ts"].tolist()], np.float64)
        plain = ~again & (held == written["value"])
        self.add_rows("stored", written[plain])
        waiting = {(int(r["ts"]), float(r["value"])) for r in rows[rows["unwritten"]]}
        keys: dict[int, list[int]] = {}
        for at in np.flatnonzero(~plain).tolist():
            keys.setdefault(int(written["ts"][at]), []).append(at)
        for ts, places in keys.items():
            self._key(channel, ts, written[places], evidence, waiting)

    def _key(self, channel: int, ts: int, rows: Rows, evidence: Evidence, waiting: set[tuple[int, float]]) -> None:
        """One key that was received several times, or of which the store does not hold what it should."""
        seen: dict[tuple[int, float], int] = {}  # (rev, value) -> its row
        best: tuple[int, float] | None = None
        for at, row in enumerate(rows):
            this = int(row["rev"]), float(row["value"])
            if this in seen:
                self.add("duplicate", int(row["minute"]))
                continue
            seen[this] = at
            if best is None or this[0] >= best[0]:
                best = this
        held = evidence.held.get(ts)
        for this, at in seen.items():
            minute, position = int(rows["minute"][at]), int(rows["position"][at])
            if this != best:
                self.add("superseded", minute)
            elif held is not None and held == this[1]:
                self.add("stored", minute)
            elif evidence.refused(position):
                self.add("quarantined", minute)
            elif held is not None and ((ts, held) in waiting or _beaten(this, held, evidence.remembered(ts))):
                self.add("superseded", minute)
            else:
                self.add("missing" if held is None else "differing", minute)
                if len(self.examples) < EXAMPLES:
                    self.examples.append(Missing(channel, ts, this[1], held, position))


def balanced(kinds: Mapping[str, int]) -> bool:
    """Whether everything received is covered."""
    return kinds["received"] == sum(kinds[kind] for kind in COVERED)


def _beaten(this: tuple[int, float], held: float, seen: Iterable[tuple[int, float]]) -> bool:
    """Whether the store's value is a winner over this one that came earlier or later than the rows looked at."""
    known = list(seen)
    return this in known and any(value == held and rev >= this[0] for rev, value in known)
