"""The arena of kept readings: a slot a channel, moved when it is full, packed anew when the arena is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.readings import I32, I64
from scoring.windows.buffer import narrow_all, relocate
from scoring.windows.records import NONE

_LARGE = 64
_AGAIN = 256
"""So many readings of a channel that come at once find room to come once more: a backlog goes on."""


def grown(
    entries: I32, channels: NDArray[np.void], free: int, target: I64, coming: NDArray[np.int32], row: int
) -> tuple[I32, NDArray[np.void], int]:
    """(words, `CHANNEL` records, first unused word) with room for every row of the channels `coming` from `row` on.

    The records are the same ones, changed, unless all is packed anew.
    """
    need = channels["count"] + _arriving(channels, target, coming[row:])
    young = channels["floor"] == NONE  # it has not forgotten any: so nobody knows yet how many it will keep
    with_room = np.maximum(roomy(need), need + np.minimum(_arriving(channels, target, coming), _AGAIN))
    with_room = np.where(young, np.maximum(with_room, need + need // 2), with_room)
    short = np.flatnonzero(need > channels["room"])
    channels["room"][short] = with_room[short]
    return _moved(entries, channels, free, short)


def widened(entries: I32, channels: NDArray[np.void], free: int) -> tuple[I32, NDArray[np.void], int]:
    """As `grown`, of channels that have room, but not of the width that their next reading needs."""
    return _moved(entries, channels, free, np.flatnonzero(channels["widen"] > 0))


def _moved(
    entries: I32, channels: NDArray[np.void], free: int, which: NDArray[np.intp]
) -> tuple[I32, NDArray[np.void], int]:
    """Some channels in slots of the room and the width that they want, behind all others."""
    placed = channels[which]
    placed["width"] = np.where(placed["widen"] > 0, placed["widen"], placed["width"])
    words = placed["room"] * placed["width"]
    end = free + int(words.sum())
    if end > len(entries):
        width = np.where(channels["widen"] > 0, channels["widen"], channels["width"])
        spare = int((channels["room"] * width).sum()) // 8  # others will want to move soon
        entries, channels = packed(entries, channels, channels["room"], spare=spare)
        return entries, channels, len(entries) - spare
    placed["begin"] = free + np.cumsum(words) - words
    relocate(entries, channels, entries, placed, which)
    channels[which] = placed
    return entries, channels, end


def packed(entries: I32, channels: NDArray[np.void], room: I64, *, spare: int) -> tuple[I32, NDArray[np.void]]:
    """The kept readings in a new arena, slots of `room` readings then `spare` words; and the channels."""
    placed = channels.copy()
    narrow_all(entries, placed)
    placed["width"] = np.where(placed["widen"] > 0, placed["widen"], placed["width"])
    placed["room"] = room
    words = room * placed["width"]
    placed["begin"] = np.cumsum(words) - words
    arena = np.zeros(int(words.sum()) + spare, np.int32)
    relocate(entries, channels, arena, placed, np.arange(len(placed)))
    return arena, placed


def tight(entries: I32, channels: NDArray[np.void], free: int) -> tuple[I32, NDArray[np.void], int]:
    """As `grown`, after readings were forgotten or written narrower: packed anew where an eighth of the arena is idle.

    A slot that grew while its channel was young, or in a backlog, and is far too large now is cut to size.
    """
    count = channels["count"]
    large = (channels["floor"] != NONE) & (channels["room"] > count + count // 8 + _LARGE)
    channels["room"][large] = roomy(count[large])
    live = int((channels["room"] * channels["width"]).sum())
    if 8 * live >= 7 * len(entries):
        return entries, channels, free
    spare = live // 32
    entries, channels = packed(entries, channels, channels["room"], spare=spare)
    return entries, channels, len(entries) - spare


def roomy(count: I64) -> I64:
    """A sixteenth more: moving what is kept when that is full costs sixteen moves a reading, and wastes little."""
    return count + count // 16 + 8


def _arriving(channels: NDArray[np.void], target: I64, coming: NDArray[np.int32]) -> I64:
    """By channel the rows that are its own or of what it is derived from."""
    targets = np.diff(np.append(channels["targets"], len(target)))
    arriving = np.zeros(len(channels), np.int64)
    arriving[target] = np.repeat(np.bincount(coming, minlength=len(channels)), targets)
    return arriving
