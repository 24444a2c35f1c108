"""How old what is behind a score is: the newest reading, or the one that is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from devices.plant.model import Plant
from devices.readings import I64
from scoring.degrees.coverage import ROWS
from scoring.degrees.forms import LineForm
from scoring.degrees.ragged import Ragged
from scoring.windows.records import NONE
from scoring.windows.sums import CoverageGroup, Sums

FEW = 512
"""So many sets of lines that are asked about by themselves are remembered."""


class Ages:
    """Event times of the newest readings behind lines' degrees and energies."""

    def __init__(self, plant: Plant, sums: Sums, groups: Sequence[CoverageGroup], forms: Sequence[LineForm]) -> None:
        self._plant, self._sums = plant, sums
        self._required = {(group.line, group.degree): group.channels for group in groups}
        self._meters: dict[tuple[int, str], list[list[int]]] = {}  # of those that were asked for
        self._behind = self._rows(forms)
        self._few = lru_cache(maxsize=FEW)(lambda lines: self._rows([forms[line] for line in lines]))

    def awaited(self, lines: Sequence[int], name: str, ts: int) -> int | None:
        """Newest reading of the required meter waited for longest; None where one was never heard."""
        found: list[int] = []
        for line in lines:
            for channels in self._by_meter(line, name):
                times = [t for c in channels if (t := self._sums.last(c)) is not None]
                if not times:
                    return None
                found.append(min(max(times), ts))
        return min(found, default=None)

    def newest(self, ts: int, few: tuple[int, ...] | None = None) -> I64:
        """[line, row of `ROWS`]: newest reading behind it, not after `ts`; NONE where there is none. Of all lines, or
        of a `few` in their order.
        """
        behind = self._behind if few is None else self._few(few)
        return behind.most_of(np.minimum(self._sums.newest(behind.places), ts), NONE).reshape(-1, len(ROWS))

    def _rows(self, forms: Sequence[LineForm]) -> Ragged:
        return Ragged(
            [form.channels[slot - form.every.start] for slot in slots] for form in forms for slots in form.slots
        )

    def _by_meter(self, line: int, name: str) -> list[list[int]]:
        """The measured channels that a line's degree requires, apart by meter."""
        kept = self._meters.get((line, name))
        if kept is not None:
            return kept
        found: dict[int, list[int]] = {}
        for row in self._required.get((line, name), ()):
            channel = self._plant.channels[row]
            measured = row if channel.source is None else channel.source
            found.setdefault(self._plant.channels[measured].meter, []).append(measured)
        return self._meters.setdefault((line, name), list(found.values()))


def known(ts: int) -> int | None:
    """A time that `Ages.newest` tells; None for that of what never was."""
    return None if ts == NONE else ts
