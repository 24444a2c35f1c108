"""The records the kernels work on: channels, coverage groups. Times are ms, amounts steps."""

from __future__ import annotations

from typing import Final

import numpy as np

NONE: Final = -(1 << 62)
"""Time of what never was."""

CHANNEL = np.dtype(
    [
        # the rules; a derived channel follows those of the channel it comes from
        ("kind", np.int64),  # devices.plant.model.Kind
        ("gap", np.int64),  # max_gap
        ("period", np.int64),  # amounts: 0 for an instant
        ("modulus", np.int64),  # counters: 0 for none
        ("rise_num", np.int64),  # counters: rise_max as a fraction, steps per ms; -1 for none
        ("rise_den", np.int64),
        ("letters", np.int64),  # bit k: the letter at place k of devices.plant.flags.LETTERS is valid
        ("keep", np.int64),  # a reading this much older than the newest comes too late
        ("delay", np.int64),  # derived channels: later than their source by this
        ("targets", np.int64),  # its readings go to target[targets:targets_stop]: itself and what is derived from it
        ("targets_stop", np.int64),
        ("member", np.int64),  # the coverage groups it is in are member[member:member_stop]
        ("member_stop", np.int64),
        ("labs", np.int64),  # weighed by the laboratory values labs[labs:labs_stop] …
        ("labs_stop", np.int64),
        ("limb", np.int64),  # … of whose product it takes this digit
        ("weighs", np.int64),  # it is a laboratory value of the channels weighs[weighs:weighs_stop]
        ("weighs_stop", np.int64),
        # the kept readings: `count` of them from entries[begin] on, in a slot of `room` (scoring.windows.kept)
        ("begin", np.int64),
        ("count", np.int64),
        ("room", np.int64),
        ("width", np.int64),  # words of four bytes a reading
        ("base_ts", np.int64),
        ("base_value", np.int64),
        ("half_ts", np.int64),
        ("half_value", np.int64),
        ("half_state", np.int64),
        ("beat", np.int64),  # ms
        ("drift", np.int64),  # steps a beat
        ("unit", np.int64),  # steps
        ("per_beat", np.float64),  # 1 / beat
        ("per_unit", np.float64),
        ("widen", np.int64),  # the width that the next reading needs; 0: it has it
        ("rest", np.int64),  # so often it is not tried whether half words do
        ("newest", np.int64),  # greatest ts
        ("low", np.int64),  # event times touched since the cells were brought up to date: [low, high]
        ("high", np.int64),
        ("changed_low", np.int64),  # event times whose sums changed since the owner asked: [low, high]
        ("changed_high", np.int64),
        ("lost_low", np.int64),  # event times of readings that came too late, since the owner asked
        ("lost_high", np.int64),
        ("steady", np.int64),  # since the sliding windows looked no sum up to this time changed,
        ("again", np.int64),  # ... nor any after this time
        ("settled", np.int64),  # greatest ts when the cells were last brought up to date
        ("sealed", np.int64),  # first minute (ms / 60,000) not yet in the cells
        ("gone", np.int64),  # minutes before this had left the ring before it became longer
        ("floor", np.int64),  # cells up to here are frozen: of the readings before it only the last is kept
        ("run", np.int64),  # counters: where the run of equal values of the newest reading began
        ("duplicates", np.int64),
        ("late", np.int64),  # came too late: not taken
    ]
)

GROUP = np.dtype(
    [
        ("first", np.int64),  # its channels are required[first:stop]
        ("stop", np.int64),
        ("running", np.int64),  # channel whose value tells that the line runs; -1: it always runs
        ("above", np.int64),  # ... above so many steps
        ("sealed", np.int64),  # first minute not yet in the cells
        ("gone", np.int64),  # minutes before this had left the ring before it became longer
        ("low", np.int64),  # minutes to count anew: [low, high)
        ("high", np.int64),
        ("lost_low", np.int64),  # event times that changed after a channel's readings were gone, since the owner asked
        ("lost_high", np.int64),
    ]
)
