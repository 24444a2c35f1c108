"""Which laboratory value stood in for a fresh one, in words: a sample older than it is valid for, or the default."""

from __future__ import annotations

from devices import durations, times
from devices.plant.model import Plant
from devices.plant.values import Lab
from scoring.windows.sums import Sums

_EVER = -(1 << 62)


class Samples:
    """Looks at the laboratories' readings; asked only where the sums say that an amount had no fresh value."""

    def __init__(self, plant: Plant, sums: Sums) -> None:
        self._plant, self._sums = plant, sums

    def doubtful(self, channel: int, start: int, end: int) -> list[str]:
        """Of a weighed channel over (start, end]: what was used of its laboratories in place of a fresh value."""
        found = [self._newest(one, start, end) for one in self._plant.channels[channel].labs]
        return [text for text in found if text]

    def _newest(self, lab: Lab, start: int, end: int) -> str:
        """The last time in the span without a fresh sample, as far as samples are kept; empty if there is none."""
        own = self._plant.channels[lab.channel]
        name = f"{self._plant.meters[own.meter].name}.{own.name}"
        kept = self._sums.readings(lab.channel, _EVER, end + 1)
        after = end + 1  # when the next sample came
        for ts in reversed([s.ts for s in kept if not s.outside and self._plant.is_valid(s.letter, own.meter)]):
            if ts + own.max_gap_ms < min(after, end):
                instead = "it is used beyond" if lab.default < 0 else "then the default is used"
                valid = durations.format(own.max_gap_ms)
                return f"the sample of {name} from {times.format(ts)} is valid for {valid}: {instead}"
            if ts <= start:
                return ""
            after = ts
        instead = "" if lab.default < 0 else ": the default is used"
        return f"no fresh sample of {name} before {times.format(min(after, end))}{instead}"
