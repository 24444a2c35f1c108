"""Semantics §1: which reading of a key wins."""

from __future__ import annotations

from dataclasses import dataclass

from devices.plant.model import Channel, Plant
from devices.readings import Mark, Readings


@dataclass(frozen=True)
class Winner:
    """The winning reading of one key (channel, ts)."""

    ts: int
    value: int  # steps
    outside: bool  # out of range: never scored
    flagged: bool  # its HJ 212 letter does not count as valid
    losers: int  # different readings of the same key
    letter: str = "N"


def source(plant: Plant, channel: int) -> tuple[Channel, int]:
    """The measured channel behind a channel and the delay on the way (a measured channel: itself, 0)."""
    delay = 0
    found = plant.channels[channel]
    while found.source is not None:
        delay += found.delay_ms
        found = plant.channels[found.source]
    return found, delay


def winners(plant: Plant, readings: Readings, channel: int) -> list[Winner]:
    """The channel's winning readings by event time; a derived channel has its source's, shifted by its delay."""
    measured, delay = source(plant, channel)
    own = readings.take(readings.channel == measured.index)
    columns = (own.ts, own.rev, own.value, own.mark, own.letter)
    seen: dict[int, list[tuple[int, int, bool, str]]] = {}
    for ts, rev, value, mark, letter in zip(*(c.tolist() for c in columns), strict=True):
        this = (rev, value, bool(mark & Mark.OUT_OF_RANGE), chr(letter))
        known = seen.setdefault(ts + delay, [])
        if this[:3] not in [other[:3] for other in known]:  # else: a duplicate, changes nothing
            known.append(this)
    found = []
    for ts, known in sorted(seen.items()):
        greatest = max(rev for rev, *_ in known)
        _, value, outside, letter = [one for one in known if one[0] == greatest][-1]  # the later in the log
        flagged = not plant.is_valid(letter, measured.meter)
        found.append(Winner(ts, value, outside, flagged, len(known) - 1, letter))
    return found
