"""What is told of one scope, told of another one with the same lines; a third of `dataclasses.replace`'s time."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TypeVar

from devices.plant.model import Scope
from scoring.results import Energy, Score

T = TypeVar("T", Score, Energy)


def of_scope(kind: type[T]) -> Callable[[Scope, T], T]:
    """(scope, score or energy) → the same of that scope."""
    names = list(kind.__dataclass_fields__)
    values = attrgetter(*names)
    id_, level = names.index("scope"), names.index("level")

    def of(scope: Scope, told: T) -> T:
        found = list(values(told))
        found[id_], found[level] = scope.id, scope.level
        return kind(*found)

    return of
