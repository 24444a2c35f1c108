"""What a laboratory's declared uncertainty does to a degree: its samples weigh amounts, and are off together.

An amount weighed by f = plus + times·x (x the sample, or what is left of it: 1 − x) adds C to the ratio. A sample off
by e moves that by C·times·e/f̄, with x̄ and f̄ under the amount: exact where one laboratory weighs it; where several do,
x̄ is each one's mean over the time in which it had a fresh sample, else its default. Signs are kept, so what cancels
between channels that one laboratory weighs, cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from devices.plant.model import Channel, Plant
from devices.plant.values import Lab
from devices.plant.weighed import LIMB_BITS, weighed_rows
from scoring.windows.sums import SpanSums


@dataclass(slots=True)
class Moved:
    """By how much of itself, and by how much per count of the sample, the ratio moves."""

    relative: float = 0.0
    absolute: float = 0.0


class LabDoubts:
    """The laboratories of a plant of which an uncertainty is declared."""

    def __init__(self, plant: Plant) -> None:
        self._plant, self._rows = plant, weighed_rows(plant)

    def declared(self, channel: Channel) -> tuple[Lab, ...]:
        """Of a weighed channel: its laboratories that declare one."""
        return tuple(lab for lab in channel.labs if self._plant.channels[lab.channel].uncertainty is not None)

    def move(self, moved: dict[int, Moved], channel: Channel, span: SpanSums, adds: float) -> None:
        """Count what a weighed channel adds to the ratio in one span."""
        for lab in self.declared(channel):
            sample = self._sample(lab, channel, span)
            weight = 0.0 if sample is None else lab.plus + lab.times * sample
            if sample is not None and weight > 0.0:
                mine = moved.setdefault(lab.channel, Moved())
                mine.relative += adds * (lab.times * sample / weight)
                mine.absolute += adds * (lab.times / weight)

    def add(self, moved: dict[int, Moved], meters: dict[int, float]) -> None:
        """Add each laboratory's error to its meter's."""
        for row, mine in moved.items():
            own = self._plant.channels[row]
            if own.uncertainty is not None:
                u = own.uncertainty
                error = hypot(float(u.relative) * mine.relative, float(u.per_ms) * mine.absolute)
                meters[own.meter] = meters.get(own.meter, 0.0) + error

    def _sample(self, lab: Lab, channel: Channel, span: SpanSums) -> float | None:
        """Its mean in the span, in counts; None where nothing is known of it."""
        amount = 0 if channel.source is None else span.total(channel.source)
        if len(channel.labs) == 1 and channel.source is not None and amount:
            limbs = self._rows[channel.source, channel.labs]
            weighed = sum(span.total(row) << (LIMB_BITS * place) for place, row in enumerate(limbs))
            return (weighed / amount - lab.plus) / lab.times
        covered = int(span.covered[lab.channel])
        if covered:
            return span.total(lab.channel) / covered
        return None if lab.default < 0 else (lab.default - lab.plus) / lab.times
