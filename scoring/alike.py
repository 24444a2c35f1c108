"""What is told, told again with a few fields changed; a third of `dataclasses.replace`'s time."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

from devices.plant.model import Scope
from scoring.results import Energy, Score

T = TypeVar("T", Score, Energy)


def changing(kind: type[T], *fields: str) -> Callable[..., T]:
    """(score or energy, the fields' new values in this order) → the same with these."""
    names = list(kind.__dataclass_fields__)
    values = attrgetter(*names)
    places = [names.index(field) for field in fields]

    def changed(told: T, *new: Any) -> T:
        found = list(values(told))
        for place, value in zip(places, new, strict=True):
            found[place] = value
        return kind(*found)

    return changed


def of_scope(kind: type[T]) -> Callable[[Scope, T], T]:
    """(scope, score or energy) → the same of another scope with the same lines."""
    changed = changing(kind, "scope", "level")
    return lambda scope, told: changed(told, scope.id, scope.level)
