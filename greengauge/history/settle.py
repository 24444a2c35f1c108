"""Which restated thing is news, and what revision it is: compared with the newest kept of its key."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TypeVar

from scoring.results import Emission, Score

Thing = TypeVar("Thing", Score, Emission)

REMARK = "restated: "
"""What a reason says of restating begins so; it is not part of what was found."""
_APART = {"lifecycle", "revision", "known_at", "stale", "last", "reason"}
_score = attrgetter(*(name for name in Score.__dataclass_fields__ if name not in _APART))
_emission = attrgetter(*(name for name in Emission.__dataclass_fields__ if name not in _APART))


def next_revision(thing: Thing, kept: Score | Emission | None) -> Thing | None:
    """`thing` with the revision after `kept`'s; None where it shows the same.

    What was never told before (no reading had touched its step) existed implicitly: told now, it is revision 1.
    """
    if kept is None:
        return replace(thing, lifecycle="restated", revision=1)
    shown = _score if isinstance(thing, Score) else _emission
    if shown(thing) == shown(kept) and own(thing.reason) == own(kept.reason):
        return None
    return replace(thing, lifecycle="restated", revision=kept.revision + 1)


def own(reason: str | None) -> str:
    """A reason without what it says of restating."""
    return "; ".join(part for part in (reason or "").split("; ") if not part.startswith(REMARK))
