"""From names and moments to the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from devices.errors import ConfigurationError
from devices.plant.model import Plant
from devices.words import listed, suggestion
from scoring.degrees import DEGREES, Degrees
from scoring.results import Score
from scoring.why.split import split
from scoring.why.told import Why, kind_of, told
from scoring.why.when import ends

PER_OUTPUT = frozenset(("gd", "lcd"))
"""Degrees whose consumption is judged per unit of output."""


def why(
    plant: Plant,
    degrees: Degrees,
    scope: str,
    degree: str,
    window: str,
    when: tuple[int, int | None, int | None],
    scores: Callable[[int, int, int], Sequence[Score]],
) -> Why:
    """Why the degree moved between two windows; `when`: (clock, later end or None, earlier end or None).

    `scores(ts, scope, window)` are the degrees of a scope (row of Plant.scopes) over a window (row of
    Plant.windows). A side that is withheld is answered with its reason. ConfigurationError, with what may have
    been meant, for a scope, degree or window that is not there, and for moments that cannot be compared.
    """
    row = _known("scope", scope, [s.id for s in plant.scopes])
    _known("degree", degree, DEGREES)
    over = _known("window", window, plant.windows)
    length = plant.window_ms[over]
    earlier, later = ends(plant, length, *when)
    before, after = (next(s for s in scores(ts, row, over) if s.degree == degree) for ts in (earlier, later))
    if before.value is None or after.value is None:
        return told(before, after, None)
    old, new = (degrees.side(row, degree, ts - length, ts) for ts in (earlier, later))
    return told(before, after, split(old, new, partial(kind_of, plant, degree), per_output=degree in PER_OUTPUT))


def _known(what: str, name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise ConfigurationError(
            f"there is no {what} `{name}`" if name else f"no {what} is named",
            where=what,
            mend=suggestion(name, names) or f"use one of {listed(names)}",
        )
    return names.index(name)
