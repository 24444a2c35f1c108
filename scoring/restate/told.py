"""What was told: a value told again is dropped unless something shown of it differs, and then it is a revision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol, TypeVar

from scoring.results import Changes, ChannelSum, Emission, Energy, Score

UNCOMPARED = frozenset(("lifecycle", "revision", "known_at", "stale", "last"))
"""These may differ while what is told stands."""
MARK = "restated: "
"""Begins the part of a reason that says why something was restated."""

Thing = TypeVar("Thing", Score, Emission, Energy, ChannelSum)


class Told(Protocol):
    """Numbers revisions; kept by whoever keeps what was told."""

    def settle(self, changes: Changes) -> Changes:
        """The changes without what was told before just so; what differs has the next revision.

        Live objects pass as they are. A step or block told for the first time is revision 0 when it is final; when
        it is a restated one, 1: its final value existed without being told.
        """
        ...


def with_reason(reason: str | None, why: str) -> str:
    """A score's own reason, then why it was restated."""
    return f"{reason}; {MARK}{why}" if reason else MARK + why


def plain(reason: str | None) -> str | None:
    """A reason without what a restating added to it."""
    return None if reason is None else reason.partition(MARK)[0].removesuffix("; ") or None


def key(thing: Score | Emission | Energy | ChannelSum) -> tuple[str, ...]:
    """What the thing is of, but for its time."""
    if isinstance(thing, Score):
        return thing.scope, thing.degree, thing.window
    if isinstance(thing, Emission):
        return thing.scope, thing.pollutant, thing.average
    if isinstance(thing, Energy):
        return thing.scope, thing.energy, thing.product, thing.window
    return thing.meter, thing.channel, thing.window


def shown(thing: Score | Emission | Energy | ChannelSum) -> tuple[Any, ...]:
    """All that is shown of it and makes a revision when it differs."""
    names = (name for name in type(thing).__dataclass_fields__ if name not in UNCOMPARED)
    values = ((name, getattr(thing, name)) for name in names)
    return tuple(
        plain(v) if n == "reason" else tuple(sorted(v.items())) if isinstance(v, dict) else v for n, v in values
    )


class MemoryTold:
    """A `Told` that remembers a fingerprint of each object: for replays and tests."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], dict[int, tuple[int, int]]] = {}  # key → ts → (revision, fingerprint)

    def settle(self, changes: Changes) -> Changes:
        """See `Told`."""
        return replace(
            changes,
            scores=self._settled(changes.scores),
            emissions=self._settled(changes.emissions),
            sums=self._settled(changes.sums),
            energies=self._settled(changes.energies),
        )

    def _settled(self, things: tuple[Thing, ...]) -> tuple[Thing, ...]:
        found = (thing if thing.lifecycle == "live" else self._settle(thing) for thing in things)
        return tuple(thing for thing in found if thing is not None)

    def _settle(self, thing: Thing) -> Thing | None:
        rows = self._known.setdefault(key(thing), {})
        before, print_ = rows.get(thing.ts), hash(shown(thing))
        if before is not None and before[1] == print_:
            return None
        revision = before[0] + 1 if before is not None else int(thing.lifecycle == "restated")
        rows[thing.ts] = revision, print_
        return replace(thing, lifecycle="restated" if revision else "final", revision=revision)
