"""The greatest of many ragged lists in one call: what the slots of a line and row have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


class Most:
    """Lists of places, compiled once."""

    def __init__(self, lists: Iterable[Sequence[int]]) -> None:
        kept = list(lists)
        lengths = np.asarray([len(one) for one in kept], np.intp)
        self._places = np.asarray([place for one in kept for place in one], np.intp)
        self._filled = np.flatnonzero(lengths)
        self._first = (np.cumsum(lengths) - lengths)[self._filled]
        self._lists = len(kept)

    def of(self, values: NDArray[T], least: Any) -> NDArray[T]:
        """By list, the greatest value at its places (of truths: whether any is); `least` where it has no place."""
        found = np.full(self._lists, least, values.dtype)
        if len(self._filled):
            found[self._filled] = np.maximum.reduceat(values[self._places], self._first)
        return found
