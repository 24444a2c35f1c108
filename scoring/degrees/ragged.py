"""Many lists of different lengths at once: of each the greatest or the sum of what stands at its places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64

T = TypeVar("T", bound=np.generic)


class Ragged:
    """Lists of places in an array, compiled once."""

    def __init__(self, lists: Iterable[Sequence[int]]) -> None:
        kept = list(lists)
        self.lengths: I64 = np.asarray([len(one) for one in kept], np.int64)
        self.places = np.asarray([place for one in kept for place in one], np.intp)
        self._filled = np.flatnonzero(self.lengths)
        self._first = (np.cumsum(self.lengths) - self.lengths)[self._filled]

    def most(self, values: NDArray[T], least: Any) -> NDArray[T]:
        """By list, the greatest value at its places (of truths: whether any is); `least` where it has no place."""
        return self.most_of(values[self.places], least)

    def most_of(self, there: NDArray[T], least: Any) -> NDArray[T]:
        """`most`, of what stands at `places`, one after another."""
        found = np.full(len(self.lengths), least, there.dtype)
        if len(self._filled):
            found[self._filled] = np.maximum.reduceat(there, self._first)
        return found

    def sum(self, values: I64) -> I64:
        """By list, the sum of the values at its places."""
        found = np.zeros(len(self.lengths), np.int64)
        if len(self._filled):
            found[self._filled] = np.add.reduceat(values[self.places], self._first)
        return found
