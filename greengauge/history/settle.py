"""Which restated thing is news, and what revision it is: compared with what is kept of its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from greengauge.history.rows import Told
from scoring.restate.told import shown
from scoring.results import Emission, Energy, Score

Thing = TypeVar("Thing", Score, Emission, Energy)


def next_revision(thing: Thing, kept: Sequence[Told]) -> Thing | None:
    """`thing` as the revision after what was known when it became known; None where that shows the same.

    `kept` are the rows of its key, oldest revision first. What was never told before existed implicitly: told now,
    it is revision 1. After a kill the log tells again what the history has already, later knowledge included: a
    revision that is there stays.
    """
    before = [row for row in kept if row.known_at <= thing.known_at] or list(kept[:1])
    if before and shown(thing) == shown(before[-1]):
        return None
    revision = before[-1].revision + 1 if before else 1
    if kept and kept[-1].revision >= revision:
        return None
    return replace(thing, lifecycle="restated", revision=revision)
