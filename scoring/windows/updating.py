"""Bringing all cells up to date after readings came: the channels' sums, then the joint coverage of their groups."""

from __future__ import annotations

from typing import Any

from devices.readings import I64
from scoring.windows.cells import settle
from scoring.windows.coverage import count_anew
from scoring.windows.kernel import MINUTE, inner, kernel
from scoring.windows.records import NONE
from scoring.windows.weighing import kept_from, next_sample


def update(
    entries: Any, channels: Any, cells: Any, groups: Any, required: I64, member: I64, acc: Any, scratch: Any
) -> bool:
    """Bring all cells up to date; false where cells find no room: then it is to be asked again, with more.

    Two kernels and not one: what calls both would be optimised once more with all that is in them.
    """
    settled = _settle_all(entries, channels, cells, groups, member, acc)
    return settled and count_anew(entries, channels, cells, groups, required, scratch)


@inner
def _sampled(entries: Any, channels: Any, cells: Any, weighed: Any, lab: Any) -> None:
    """Note in a weighed channel from where on, and to which sample, a laboratory's samples changed.

    Where the readings of the amount are gone, only the past can weigh them anew.
    """
    low = lab.low - 1  # an instant amount takes the sample of its own millisecond
    if weighed.count > 0 and low <= weighed.newest:
        high = min(next_sample(entries, lab, lab.high), weighed.newest)
        weighed.low = min(weighed.low, low)
        weighed.high = max(weighed.high, high)
        floor = kept_from(channels, cells.labs, weighed)
        if low < floor:
            weighed.lost_low = min(weighed.lost_low, low)
            weighed.lost_high = max(weighed.lost_high, min(high, floor))


@kernel
def _settle_all(entries: Any, channels: Any, cells: Any, groups: Any, member: I64, acc: Any) -> bool:
    """Bring the channels' cells up to date, and note in their groups what is to be counted anew; as `update`."""
    for c in range(len(channels)):
        ch = channels[c]
        if ch.high == NONE:
            continue
        for m in range(ch.weighs, ch.weighs_stop):
            _sampled(entries, channels, cells, channels[cells.weighs[m]], ch)
        start, end = settle(entries, channels, cells, c, acc)
        if end == NONE:
            return False
        for m in range(ch.member, ch.member_stop):
            group = groups[member[m]]
            group.low = min(group.low, max(start, ch.floor) // MINUTE)  # cells before it are frozen
            group.high = max(group.high, -(-(end + ch.gap) // MINUTE))
            if group.sealed == NONE:
                group.sealed = start // MINUTE
            if ch.sealed > group.sealed:
                group.low = min(group.low, group.sealed)
                group.high = max(group.high, ch.sealed)
                group.sealed = ch.sealed
    return True
