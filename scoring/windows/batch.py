"""Ratio of two rolling sums over sorted readings at hand, O(1) a reading: the engine's window without an engine.

For amounts that count at an instant. The sums are exact integers; numerator and denominator are one rounding
each and the ratio their one division (semantics §4), so adding and subtracting for ever drifts by nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64
from scoring.windows.exact import MASK, nearest
from scoring.windows.kernel import kernel

F64 = NDArray[np.float64]

_ROOM = 1 << 62
_BLOCK = np.uint64(512)  # readings looked at together


def time_window_ratio(ts: I64, numerator: I64, denominator: I64, window_ms: int) -> F64:
    """Σ numerator / Σ denominator over (ts[i] − window_ms, ts[i]], for each reading i; NaN where the latter is 0.

    `ts` ascending, ms; readings of one instant see each other. Arrays of one length n; amounts in steps, any int64.
    ValueError if the lengths differ, the times fall, or the window is not positive.
    """
    n = len(ts)
    if len(numerator) != n or len(denominator) != n or window_ms <= 0:
        raise ValueError("three columns of one length, and a window above 0")
    out = np.empty(n)
    behind, bits = _narrow(ts, numerator, denominator, window_ms, out, *np.empty((2, int(_BLOCK)), np.int64))
    if bits < 0:  # of a negative amount the bits say nothing
        bits = max(abs(int(end)) for column in (numerator, denominator) for end in (column.min(), column.max()))
    if (1 << bits.bit_length()) * n >= _ROOM:  # a sum may have passed 63 bits
        behind = _wide(ts, numerator, denominator, window_ms, out)
    if behind and not _level(ts, out):
        raise ValueError("the times must ascend")
    return out


@kernel
def _narrow(ts: I64, numerator: I64, denominator: I64, window: int, out: F64, over: I64, under: I64) -> tuple[int, int]:
    """Readings that stand not after the one before; the amounts' bits, all laid on one another. Right within 63 bits.

    Block by block: as long as a meter keeps its beat, each reading pushes just one out and nothing need be looked
    for; only the sums go one by one then, beside them are loops that a processor does eight at a time. `over`, `under`:
    room for a block. Unsigned rows: one that may be negative costs a test at each access.
    """
    one = np.uint64(1)
    n = np.uint64(len(ts))
    row = np.uint64(0)
    tail = np.uint64(0)
    above = np.int64(0)
    below = np.int64(0)
    behind = 0
    bits = np.int64(0)
    beat = np.int64(0)  # between all readings of rows [since, row)
    since = np.uint64(0)
    while row < n:
        stop = min(row + _BLOCK, n)
        off = np.int64(0)
        for i in range(max(row, one), stop):
            off |= ts[i] - ts[i - one] ^ beat
        for i in range(row, stop):
            bits |= numerator[i] | denominator[i]
        kept = off == 0 and beat > 0
        left = ts[row] - window
        if kept and since <= tail and ts[tail] <= left:
            much = stop - row
            above_in, above_out = numerator[row:stop], numerator[tail : tail + much]
            below_in, below_out = denominator[row:stop], denominator[tail : tail + much]
            for i in range(much):
                over[i] = above_in[i] - above_out[i]
                under[i] = below_in[i] - below_out[i]
            for i in range(much):
                above += over[i]
                below += under[i]
                over[i] = above
                under[i] = below
            for i in range(much):
                out[row + i] = np.float64(over[i]) / (np.float64(under[i]) if under[i] != 0 else np.nan)
            tail += much
        else:
            for i in range(row, stop):
                behind += i > 0 and ts[i] <= ts[i - one]
                above += numerator[i]
                below += denominator[i]
                left = ts[i] - window
                while ts[tail] <= left:
                    above -= numerator[tail]
                    below -= denominator[tail]
                    tail += one
                out[i] = above / below if below != 0 else np.nan
        if not kept and stop > one:
            since = stop - one - one
            beat = ts[stop - one] - ts[since]
        row = stop
    return behind, int(bits)


@kernel
def _level(ts: I64, out: F64) -> bool:
    """The last reading of an instant has seen all of them: the others take its ratio. False if the times fall."""
    for i in range(len(ts) - 2, -1, -1):
        if ts[i] > ts[i + 1]:
            return False
        if ts[i] == ts[i + 1]:
            out[i] = out[i + 1]
    return True


@kernel
def _wide(ts: I64, numerator: I64, denominator: I64, window: int, out: F64) -> int:
    """The same with sums of two words each, total = high · 2**32 + low."""
    tail = 0
    above_high: Any = np.int64(0)
    above_low: Any = np.int64(0)
    below_high: Any = np.int64(0)
    below_low: Any = np.int64(0)
    behind = 0
    for i in range(len(ts)):
        behind += i > 0 and ts[i] <= ts[i - 1]
        above_high += numerator[i] >> 32
        above_low += numerator[i] & MASK
        below_high += denominator[i] >> 32
        below_low += denominator[i] & MASK
        while ts[tail] <= ts[i] - window:
            above_high -= numerator[tail] >> 32
            above_low -= numerator[tail] & MASK
            below_high -= denominator[tail] >> 32
            below_low -= denominator[tail] & MASK
            tail += 1
        below = nearest(below_high, below_low)
        out[i] = nearest(above_high, above_low) / below if below != 0.0 else np.nan
    return behind
