"""The pass over a batch's rows that tells whom they were heard from, and when."""

from __future__ import annotations

from typing import Any

from devices.readings import I32, I64
from scoring.windows.kernel import kernel


@kernel
def hear(
    channel: I32,
    ts: I64,
    clocks: I64,
    meter_of_channel: I64,
    place_of_meter: I64,
    mark: I64,
    meter_heard: I64,
    heard: I64,
    newest: I64,
    closed: Any,
) -> int:
    """Note in each row's meter and place the clock and the newest time; how many rows are behind their place's mark."""
    behind = 0
    for row in range(len(channel)):
        meter = meter_of_channel[channel[row]]
        place = place_of_meter[meter]
        t = ts[row]
        now = clocks[row]
        behind += t <= mark[place]
        meter_heard[meter] = max(meter_heard[meter], now)
        heard[place] = max(heard[place], now)
        newest[place] = max(newest[place], t)
        closed[place] = False
    return behind
