"""What is said of one moment: scores, emissions and sums, with their stamp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from devices.plant.model import Plant
from scoring.channel_sums import channel_sums
from scoring.degrees import Degrees
from scoring.degrees.degrees import Seen
from scoring.degrees.ragged import Ragged
from scoring.energy import SpecificEnergy
from scoring.restate.reads import Reads
from scoring.results import Changes, ChannelSum, Emission, Energy, Score
from scoring.stacks import Stacks
from scoring.stamp import Stamp
from scoring.steps import step_of
from scoring.watch import ROLLING
from scoring.watermarks import Watermarks
from scoring.windows.rolling import Rolling
from scoring.windows.sums import CoverageGroup


class Teller:
    """Reads the sums; keeps nothing."""

    def __init__(
        self,
        plant: Plant,
        rolling: Rolling,
        degrees: Degrees,
        stacks: Stacks,
        marks: Watermarks,
        groups: Sequence[CoverageGroup],
    ) -> None:
        self._plant, self._rolling, self._degrees, self._stacks, self._marks = plant, rolling, degrees, stacks, marks
        self._energy = SpecificEnergy(plant, degrees)
        self.reads = Reads(plant, degrees, self._energy, stacks, groups)
        meters = marks.meter_of_channel
        self._groups = {(group.line, group.degree): row for row, group in enumerate(groups)}
        self._needs = Ragged(sorted({int(meters[c]) for c in group.channels}) for group in groups)
        self._names = [f"stack:{s.id}" for s in plant.stacks]

    def windows(
        self, ts: int, scopes: Sequence[int], windows: Sequence[int], stamp: Stamp, *, stored: bool = False
    ) -> Changes:
        """The degrees and specific energies of some scopes over some windows."""
        energies: list[Energy] = []
        scores = self.scores(ts, scopes, windows, stamp, stored=stored, energies=energies)
        return Changes(scores=tuple(scores), energies=tuple(energies))

    def scores(
        self, ts: int, scopes: Sequence[int], windows: Sequence[int], stamp: Stamp, *, stored: bool = False,
        energies: list[Energy] | None = None,
    ) -> list[Score]:  # fmt: skip
        """The degrees of some scopes over some windows; `energies` takes the specific energies of the same."""
        seen: Seen | None = None if energies is None else {}
        stale = self.stale(ts)
        scores = self._degrees.scores(ts, scopes, windows, stamp, stale, stored=stored, seen=seen)
        if energies is not None and seen is not None:
            energies += self._energy.energies(ts, scopes, seen, stamp, stale, stored=stored)
        return scores

    def minutes(self, ts: int, stacks: Sequence[int], stamp: Stamp) -> list[Emission]:
        """The rolling minute of some stacks."""
        wanted = {self._names[s] for s in stacks}
        return [e for e in self._stacks.minute(ts, stamp) if e.scope in wanted and e.average == ROLLING]

    def sums(self, ts: int, places: Sequence[int], windows: Sequence[int], stamp: Stamp) -> list[ChannelSum]:
        """The sums of the channels of some places (lines, then stacks) over the windows that have a step at `ts`."""
        channels = np.flatnonzero(np.isin(self._marks.place_of_channel, list(places))).tolist()
        return [
            replace(one, lifecycle=stamp.lifecycle, revision=stamp.revision, known_at=stamp.known_at)
            for window in self.stepping(ts, windows)
            for one in channel_sums(self._plant, self._rolling, window, ts, channels)
        ]

    def stepping(self, ts: int, windows: Sequence[int]) -> list[int]:
        """Those of the windows that have a step at `ts`."""
        return [w for w in windows if ts % step_of(self._plant.window_ms[w]) == 0]

    def stale(self, ts: int) -> Callable[[int, str], bool]:
        """Whether a channel that a line's degree requires is silent at `ts`."""
        table, rows = self._needs.most(self._marks.silent_meters(ts), False), self._groups
        return lambda line, degree: bool(table[rows[line, degree]])
